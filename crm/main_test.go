package crm_test

import (
	"os"
	"testing"

	"chatcast/models/testdb"
)

func TestMain(m *testing.M) {
	if os.Getenv(dyingRelayStage) != "" {
		dyingRelay() // this process is one that a test starts to kill it
		return
	}
	testdb.Main(m)
}
