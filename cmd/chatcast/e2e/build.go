package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/gin-gonic/gin"

	"chatcast/server/api"
	"chatcast/server/api/apitest"
	"chatcast/server/console"
)

// binary is the program, which the first test that needs it builds. Main removes it.
var binary struct {
	once sync.Once
	dir  string
	err  error
}

// BuildBinary returns the path of the program, built as make build does, so that the
// packages of others are compiled once for both. The tests of a package share it.
func BuildBinary(t testing.TB) string {
	t.Helper()
	binary.once.Do(func() {
		if binary.dir, binary.err = os.MkdirTemp("", "chatcast-binary-"); binary.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-trimpath", "-o", binary.dir, "chatcast/cmd/chatcast")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return filepath.Join(binary.dir, "chatcast")
}

// removeBinary removes the program, if a test has built it.
func removeBinary() error {
	if binary.dir == "" {
		return nil
	}
	return os.RemoveAll(binary.dir)
}

// ConsoleOf returns a handler of a console that was built from these files.
func ConsoleOf(t *testing.T, files fstest.MapFS, record func(op *apitest.Operation, r *http.Request, status int)) http.Handler {
	t.Helper()
	build, err := console.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	router := gin.New()
	(&console.Console{Build: build, NotFound: (&api.API{}).NoRoute}).Register(router)
	return apitest.Documented(t, router, record)
}
