package bench

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chatcast/broadcasting"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models"
	"chatcast/models/testdb"
)

// eventsPerSecond is how often the benches of a cluster publish: what a busy line does.
const eventsPerSecond = 300

// cluster starts three nodes on one PostgreSQL that syncs each commit to disk.
func cluster(b *testing.B) (nodes []*e2e.Running) {
	b.Helper()
	cfg := e2e.Config(b)
	cfg.Database.URL, cfg.Bus.URL = testdb.DurablePostgresURL(b), "postgres:"
	for range 3 {
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

// frames reads frames with a number in their data until n have come, and returns when each
// did.
func frames(b *testing.B, ws *e2e.Socket, event string, n int, number func(data string) int) []time.Time {
	came := make([]time.Time, n)
	for left := n; left > 0; {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			b.Errorf("%d of %d events are missing: %v", left, n, err)
			return came
		}
		at := time.Now()
		var f struct{ Event, Data string }
		if json.Unmarshal(frame, &f) == nil && f.Event == event {
			came[number(f.Data)] = at
			left--
		}
	}
	return came
}

// BenchmarkJournalToAnotherNode measures the time from the end of the work of a transaction,
// just before its commit, until a socket of another node has its event, at 300 events a
// second. The first node numbers the journal, the second commits, the third has the socket.
func BenchmarkJournalToAnotherNode(b *testing.B) {
	nodes := cluster(b)
	owner := nodes[2].SignIn(b)
	ws := owner.Subscribe(e2e.LineChannel)
	n := max(5*b.N, 1)
	began := make([]time.Time, n)
	var came []time.Time
	var reading sync.WaitGroup
	reading.Go(func() {
		came = frames(b, ws, "chatRead", n, func(data string) (i int) {
			_, rest, _ := strings.Cut(data, `"chat":{"id":"`)
			_, _ = fmt.Sscanf(rest, "%d@", &i)
			return i
		})
	})
	store := nodes[1].Components().Store
	b.ResetTimer()
	steadily(n, func(i int) {
		data := fmt.Sprintf(`{"payload":{"data":[{"chat":{"id":"%d@c.us"},"edited":{"id":685}}],"meta":{"type":"chatRead","licenseId":1229,"messengerType":"grWhatsApp"}}}`, i)
		err := store.Tx(b.Context(), func(tx *models.Tx) error {
			defer func() { began[i] = time.Now() }()
			return tx.AppendJournal(&models.JournalEntry{CompanyID: 2224, Name: "chatRead", Channels: `["` + e2e.LineChannel + `"]`, Data: data, CreatedAtMS: 1})
		})
		if err != nil {
			b.Fatal(err)
		}
	})
	reading.Wait()
	b.StopTimer()
	measured(b, "300/s: commit of an event -> socket of another node", since(began, came))
}

// BenchmarkPublishToAnotherNode measures the time from the publish of an event of an app
// until a socket of another node has it, at 300 events a second.
func BenchmarkPublishToAnotherNode(b *testing.B) {
	nodes := cluster(b)
	owner := nodes[2].SignIn(b)
	ws := owner.Subscribe(e2e.LineChannel)
	n := max(5*b.N, 1)
	began := make([]time.Time, n)
	var came []time.Time
	var reading sync.WaitGroup
	reading.Go(func() {
		came = frames(b, ws, "bench", n, func(data string) (i int) {
			_, _ = fmt.Sscan(data, &i)
			return i
		})
	})
	b.ResetTimer()
	steadily(n, func(i int) {
		began[i] = time.Now()
		ev := broadcasting.Event{App: "1", Channel: e2e.LineChannel, Name: "bench", Data: fmt.Sprint(i)}
		if err := nodes[1].Components().Engine.Publish(b.Context(), ev); err != nil {
			b.Fatal(err)
		}
	})
	reading.Wait()
	b.StopTimer()
	measured(b, "300/s: publish of an event -> socket of another node", since(began, came))
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
