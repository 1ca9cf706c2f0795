package bench

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// BenchmarkResumeStorm brings 2,000 sockets back at once, each of which has missed 500
// events. It measures how long until all have all, and how long requests that write take
// meanwhile.
func BenchmarkResumeStorm(b *testing.B) {
	const sockets, missed = 2000, 500
	for database, url := range map[string]string{"SQLite": testdb.SQLiteURL(b), "PostgreSQL": testdb.PostgresURL(b)} {
		b.Run(database, func(b *testing.B) {
			if b.N > 1 {
				return // one storm, of the trial run, is enough
			}
			cfg := e2e.Config(b)
			cfg.Database.URL = url
			p := e2e.Start(b, cfg)
			owner := p.SignIn(b)
			owner.GoOnline(685)
			first := owner.LastEventID()
			p.Journal(owner, missed)
			testwait.Count(b, "published events", int(first)+missed, func() int { return int(owner.LastEventID()) })
			conns := make([]*e2e.Socket, sockets)
			auths := make([][2]string, sockets)
			for i := range conns {
				ws, id := e2e.ConnectSocket(b, p.Base)
				conns[i] = ws
				auths[i][0], auths[i][1] = owner.Authorize(id, e2e.LineChannel, map[string]any{"last_event_id": first})
			}
			b.ResetTimer()
			began := time.Now()
			var reading sync.WaitGroup
			done := make(chan struct{})
			for i, ws := range conns {
				reading.Go(func() {
					ws.Enter(e2e.LineChannel, auths[i][0], auths[i][1])
					for range missed {
						if _, _, err := ws.ReadMessage(); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			go func() { reading.Wait(); close(done) }()
			var took []time.Duration
			for over := false; !over; {
				at := time.Now()
				owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound(fmt.Sprint("storm-", len(took)), "79990001122", "x"), nil)
				took = append(took, time.Since(at))
				select {
				case <-done:
					over = true
				case <-time.After(10 * time.Millisecond):
				}
			}
			b.ReportMetric(time.Since(began).Seconds(), "s/storm")
			slices.Sort(took)
			summary = append(summary, fmt.Sprintf("%d sockets resume, %d events each, %s: %.1f s; a message posted meanwhile: p50 %v, p99 %v",
				sockets, missed, database, time.Since(began).Seconds(), took[len(took)/2], took[len(took)*99/100]))
		})
	}
}
