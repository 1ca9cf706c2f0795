package crm_test

import (
	"os"
	"testing"

	"chatcast/models/testdb"
)

func TestMain(m *testing.M) {
	if os.Getenv(dyingRelayStage) != "" {
		dyingRelay() // a test started this process to kill it
		return
	}
	testdb.Main(m)
}
