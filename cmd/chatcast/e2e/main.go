package e2e

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"

	"chatcast/channels/testwait"
	"chatcast/models/testdb"
)

// Main runs the tests of a package, then calls last, ends the browser and the database
// server, removes the built program, fails on a leaked goroutine, and exits.
func Main(m *testing.M, last ...func()) {
	code := m.Run()
	closeBrowser()
	for _, end := range []func() error{testdb.Stop, removeBinary} {
		if err := end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	for _, f := range last {
		f()
	}
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		// whatsmeow does not always end this goroutine: see TestMain of crm/whatsapp.
		if err := testwait.Leaks(goleak.IgnoreTopFunction("go.mau.fi/whatsmeow/socket.(*FrameSocket).frameComplete")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
