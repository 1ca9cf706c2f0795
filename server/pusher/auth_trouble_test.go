package pusher_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/channels"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// troubled answers no question before its context ends.
type troubled struct{ company }

func (troubled) Employed(ctx context.Context, _, _ int64) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

// TestAuthInTrouble asks while the database does not answer. The clients are told after a
// minute that they may ask again, and the log is not filled with that.
func TestAuthInTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		g := gin.New()
		(&pusher.Authorizer{
			App: newApps(t, docApp()).First(), Users: company{}, UserInfo: company{}, Policy: channels.Policy{Access: troubled{}},
			Grants: new(grants), Log: slog.New(slog.NewTextHandler(&log, nil)),
			Trouble: func(err error) *pusher.Trouble {
				if !errors.Is(err, context.DeadlineExceeded) {
					return nil
				}
				return &pusher.Trouble{Word: "timeout", Message: "not now", RetryAfter: 5}
			},
		}).Register(g)
		h := apitest.Documented(t, g, nil)
		var group sync.WaitGroup
		asked := time.Now()
		for range 3 {
			group.Go(func() {
				w := askFor(h, token, "private-v1.companies.2224")
				if w.Code != 503 || w.Header().Get("Retry-After") != "5" || !strings.Contains(w.Body.String(), `"code":"ApiUnavailableError","message":"not now"`) {
					t.Errorf("%d %s %s", w.Code, w.Header(), w.Body)
				}
				if d := time.Since(asked); d != time.Minute {
					t.Errorf("answered after %s", d)
				}
			})
		}
		group.Wait()
		if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "the database cannot serve requests") {
			t.Errorf("the log is\n%s", log.String())
		}
	})
}
