package bench

import (
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chatcast/broadcasting"
	"chatcast/broadcasting/redis/redistest"
	"chatcast/cmd/chatcast/app"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models"
	"chatcast/models/testdb"
)

// eventsPerSecond is how often the benches of a cluster publish: what a busy line does.
const eventsPerSecond = 300

// buses are those of a cluster, by name.
var buses = map[string]func(b *testing.B) (url string){
	"postgres": func(*testing.B) string { return config.BusPostgres },
	"redis":    func(b *testing.B) string { return redistest.Start(b).URL() },
}

// clusterNodes is for figures of larger clusters: go test -bench AnotherNode -nodes 10.
var clusterNodes = flag.Int("nodes", 3, "how many nodes the clusters of benchmarks have")

// cluster starts nodes on one PostgreSQL that syncs each commit to disk.
func cluster(b *testing.B, bus string) (nodes []*e2e.Running) {
	b.Helper()
	cfg := e2e.Config(b)
	cfg.Database.URL, cfg.Bus.URL = testdb.DurablePostgresURL(b), bus
	for range max(3, *clusterNodes) {
		nodes = append(nodes, e2e.Start(b, cfg))
	}
	return nodes
}

// steadily calls f n times in sequence, at eventsPerSecond.
func steadily(n int, f func(i int)) {
	tick := time.NewTicker(time.Second / eventsPerSecond)
	defer tick.Stop()
	for i := range n {
		<-tick.C
		f(i)
	}
}

// numbered returns the data of an event with a number as its chat.
func numbered(i int) string {
	return fmt.Sprintf(`{"payload":{"data":[{"chat":{"id":"%d@c.us"},"edited":{"id":685}}],"meta":{"type":"chatRead","licenseId":1229,"messengerType":"grWhatsApp"}}}`, i)
}

// frames reads n numbered events, and returns when each came.
func frames(b *testing.B, ws *e2e.Socket, n int) []time.Time {
	came := make([]time.Time, n)
	for left := n; left > 0; {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			b.Errorf("%d of %d events are missing: %v", left, n, err)
			return came
		}
		at := time.Now()
		var f struct{ Event, Data string }
		if json.Unmarshal(frame, &f) != nil || f.Event != "chatRead" {
			continue
		}
		var i int
		_, rest, _ := strings.Cut(f.Data, `"chat":{"id":"`)
		if _, err := fmt.Sscanf(rest, "%d", &i); err != nil {
			b.Errorf("an event is %s", f.Data)
			return came
		}
		came[i] = at
		left--
	}
	return came
}

// BenchmarkJournalToAnotherNode measures the time from the end of the work of a transaction,
// just before its commit, until a socket and a browser of another node have its event, at 300
// events a second. The first node numbers the journal, the second commits, the third has the
// clients.
func BenchmarkJournalToAnotherNode(b *testing.B) {
	toAnotherNode(b, "commit of an event", func(node app.Components, i int, began *time.Time) error {
		err := node.Store.Tx(b.Context(), func(tx *models.Tx) error {
			defer func() { *began = time.Now() }()
			return tx.AppendJournal(&models.JournalEntry{CompanyID: 2224, Name: "chatRead", Channels: `["` + e2e.LineChannel + `"]`, Data: numbered(i), CreatedAtMS: 1})
		})
		node.Rules.Live.Wake() // as after every change of the rules
		return err
	})
}

// BenchmarkPublishToAnotherNode measures the time from the publish of an event of an app
// until a socket and a browser of another node have it, at 300 events a second.
func BenchmarkPublishToAnotherNode(b *testing.B) {
	toAnotherNode(b, "publish of an event", func(node app.Components, i int, began *time.Time) error {
		*began = time.Now()
		return node.Engine.Publish(b.Context(), broadcasting.Event{App: "1", Channel: e2e.LineChannel, Name: "chatRead", Data: numbered(i)})
	})
}

// toAnotherNode measures how long events take from the second node to clients of the third,
// on each bus. publish publishes event i, which is numbered, and sets when that began.
func toAnotherNode(b *testing.B, what string, publish func(node app.Components, i int, began *time.Time) error) {
	for name, bus := range buses {
		b.Run(name, func(b *testing.B) {
			nodes := cluster(b, bus(b))
			owner := nodes[2].SignIn(b)
			ws := owner.Subscribe(e2e.LineChannel)
			page := e2e.OpenPage(b, "latency.html", nodes[2].Site(owner.Token))
			page.Subscribed(1)
			n := max(5*b.N, 1)
			began := make([]time.Time, n)
			var came []time.Time
			var reading sync.WaitGroup
			reading.Go(func() { came = frames(b, ws, n) })
			b.ResetTimer()
			steadily(n, func(i int) {
				if err := publish(nodes[1].Components(), i, &began[i]); err != nil {
					b.Fatal(err)
				}
			})
			reading.Wait()
			b.StopTimer()
			took := make([]time.Duration, n)
			page.Wait("all events", func(logged []json.RawMessage, _ []string) bool {
				for _, entry := range logged {
					var at [2]any // the chat, and when the page received it, in ms of the epoch
					var i int
					if json.Unmarshal(entry, &at) != nil || at[0] == nil {
						b.Fatalf("the page reported %s", entry)
					}
					if _, err := fmt.Sscanf(at[0].(string), "%d@", &i); err != nil {
						b.Fatal(err)
					}
					took[i] = time.Duration(at[1].(float64)*1e6) - time.Duration(began[i].UnixNano())
				}
				return len(logged) == n
			})
			measured(b, name+", 300/s: "+what+" -> browser of another node", took)
			measured(b, name+", 300/s: "+what+" -> socket of another node", since(began, came))
		})
	}
}

func since(began, came []time.Time) []time.Duration {
	took := make([]time.Duration, len(began))
	for i := range took {
		took[i] = came[i].Sub(began[i])
	}
	return took
}

// BenchmarkCommitRate measures how many changes with one event of the journal eight writers
// commit in a second, with the notification that wakes the relay and without. Three
// connections listen, as three nodes do.
func BenchmarkCommitRate(b *testing.B) {
	const writers, listeners = 8, 3
	connect := func(url string) *pgx.Conn {
		b.Helper()
		conn, err := pgx.Connect(b.Context(), url)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close(b.Context()) })
		return conn
	}
	for name, notify := range map[string]string{"without": "", "with": "SELECT pg_notify('chatcast_appended', '')"} {
		b.Run(name, func(b *testing.B) {
			url := testdb.DurablePostgresURL(b)
			for range listeners {
				if _, err := connect(url).Exec(b.Context(), "LISTEN chatcast_appended"); err != nil {
					b.Fatal(err)
				}
			}
			var conns []*pgx.Conn
			for range writers {
				conns = append(conns, connect(url))
			}
			var writing sync.WaitGroup
			began := time.Now()
			for _, conn := range conns {
				writing.Go(func() {
					for range b.N {
						if err := commit(b, conn, notify); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			writing.Wait()
			rate := float64(writers*b.N) / time.Since(began).Seconds()
			b.ReportMetric(rate, "commits/s")
			if b.N >= 10 {
				summary = append(summary, fmt.Sprintf("%-52s %.0f commits/s", "8 writers of the journal, "+name+" the notification", rate))
			}
		})
	}
}

// commit commits a change with an event, and the notification if there is one.
func commit(b *testing.B, conn *pgx.Conn, notify string) error {
	return pgx.BeginFunc(b.Context(), conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(b.Context(), `INSERT INTO journal (company_id, name, channels, data, created_at_ms) VALUES (2224, 'chatRead', '["bench"]', '{}', 1)`)
		if err == nil && notify != "" {
			_, err = tx.Exec(b.Context(), notify)
		}
		return err
	})
}
