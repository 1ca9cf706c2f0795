package kill

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// TestKilledCallbacks kills the built program again and again while messages are posted and
// go on to a callback URL. In the end the URL has got every event of the line, in order.
func TestKilledCallbacks(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		var mu sync.Mutex
		var got []int64 // ids of events; guarded by mu
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var event struct{ Meta struct{ EventID int64 } }
			if json.NewDecoder(r.Body).Decode(&event) != nil {
				return // the check of the URL
			}
			mu.Lock()
			defer mu.Unlock()
			got = append(got, event.Meta.EventID)
		}))
		t.Cleanup(receiver.Close)
		count := func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(slices.Compact(slices.Sorted(slices.Values(got))))
		}

		binary, cfg := e2e.BuildBinary(t), e2e.Config(t)
		cfg.Database.URL, cfg.Webhooks.AllowPrivateTargets = url, true
		const rounds = 3
		token := ""
		for round := range rounds {
			proc := e2e.Launch(t, binary, "", []string{"CHATCAST_BOOTSTRAP_USER_PASSWORD=" + e2e.OwnerPassword},
				"--server.address=127.0.0.1:0", "--server.internal_address=", "--server.drain_time=0s", "--webhooks.allow_private_targets=true",
				"--database.url="+cfg.Database.URL, "--files.dir="+cfg.Files.Dir)
			if token == "" {
				token = (&e2e.Running{Base: proc.Base}).SignIn(t).Token
				owner := &e2e.Client{T: t, Base: proc.Base, Token: token}
				owner.Must("PUT", e2e.WhatsAppPath+"/callbackUrl", map[string]any{"url": receiver.URL}, nil)
			}
			var posting sync.WaitGroup
			posting.Go(func() {
				for n := 0; n < 100 && postUntilKilled(proc.Base, token, fmt.Sprintf("kill-%d-%d", round, n), "79990001122"); n++ {
				}
			})
			testwait.Count(t, "events", count()+20+7*round, count)
			if err := proc.Cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			posting.Wait()
			_ = proc.Cmd.Wait() // it was killed
		}

		p := e2e.Start(t, cfg)
		owner := p.SignIn(t)
		owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound("last", "79990001122", "The last one"), nil)
		var want []int64
		owner.Eventually("the last event has a number", func() bool {
			want = nil
			last := false
			for _, ev := range owner.Events(e2e.LineChannel) {
				want = append(want, ev.ID)
				last = last || strings.Contains(ev.Item(), "The last one")
			}
			return last
		})
		testwait.Count(t, "events of the line", len(want), count)
		mu.Lock()
		defer mu.Unlock()
		if ids := slices.Compact(slices.Sorted(slices.Values(got))); !slices.Equal(ids, want) {
			t.Errorf("the URL has got\n%v, want\n%v", ids, want)
		}
		highest := int64(0)
		for i, id := range got { // after a kill it goes back to what was not stored, and on from there
			if next := slices.Index(want, id); i > 0 && id > highest && want[next-1] != highest {
				t.Errorf("%d came after %d", id, highest)
			}
			highest = max(highest, id)
		}
	})
}
