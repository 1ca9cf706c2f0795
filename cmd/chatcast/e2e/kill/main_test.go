package kill

import (
	"os"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

func TestMain(m *testing.M) {
	if os.Getenv(dyingHooksURL) != "" {
		dyingHooks() // this process is one that a test starts to kill it
		return
	}
	e2e.Main(m)
}
