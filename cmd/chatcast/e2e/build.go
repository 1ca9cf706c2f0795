package e2e

import (
	"net/http"
	"testing"
	"testing/fstest"

	"github.com/gin-gonic/gin"

	"chatcast/server/api"
	"chatcast/server/api/apitest"
	"chatcast/server/console"
)

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
