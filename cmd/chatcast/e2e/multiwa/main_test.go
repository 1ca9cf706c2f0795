package multiwa

import (
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

func TestMain(m *testing.M) { e2e.Main(m) }
