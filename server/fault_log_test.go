package server_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/server"
)

// TestFaultLog meets faults of two kinds again and again.
func TestFaultLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		var l server.FaultLog
		for range 3 {
			for range 5 {
				l.Error(t.Context(), log, "one", "error", errors.New("away"))
				l.Error(t.Context(), log, "other", "channel", "x")
			}
			time.Sleep(10 * time.Second)
		}
		const want = `level=ERROR msg=one error=away unlogged=0
level=ERROR msg=other channel=x unlogged=0
level=ERROR msg=one error=away unlogged=4
level=ERROR msg=other channel=x unlogged=4
level=ERROR msg=one error=away unlogged=4
level=ERROR msg=other channel=x unlogged=4
`
		if out.String() != want {
			t.Errorf("the log is\n%swant\n%s", out.String(), want)
		}
	})
}
