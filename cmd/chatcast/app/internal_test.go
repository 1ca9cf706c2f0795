package app

import (
	"net/http/httptest"
	"os"
	"testing"
)

// TestCommandLineShowsNoFlags asks for the command line of programs that were started
// with flags.
func TestCommandLineShowsNoFlags(t *testing.T) {
	args := os.Args
	t.Cleanup(func() { os.Args = args })
	routes := internalRoutes(metrics{})
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"chatcast", "serve", "--config", "c.yaml", "--apps[0].name=hunter2"}, "chatcast\x00serve"},
		{[]string{"chatcast", "--password=hunter2"}, "chatcast"},
		{[]string{"chatcast"}, "chatcast"},
	} {
		os.Args = c.args
		rec, req := httptest.NewRecorder(), httptest.NewRequest("GET", "/debug/pprof/cmdline", nil)
		req.Host = "localhost"
		routes.ServeHTTP(rec, req)
		if rec.Body.String() != c.want {
			t.Errorf("%q is shown as %q, want %q", c.args, rec.Body, c.want)
		}
	}
}
