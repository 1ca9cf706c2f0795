package evolution_test

import (
	"testing"

	"chatcast/models/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }
