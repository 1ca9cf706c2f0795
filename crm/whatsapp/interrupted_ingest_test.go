package whatsapp

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// broadcasts runs the relay, and remembers the texts that it published.
type broadcasts struct {
	mu    sync.Mutex
	texts []string // guarded by mu
	seqs  []int64  // guarded by mu
}

func (h *harness) relay(t *testing.T) *broadcasts {
	t.Helper()
	b := &broadcasts{}
	relay := broadcasting.NewRelay(broadcasting.RelayOptions{
		Journal: h.Journal, App: "1", Poll: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Publish: func(_ context.Context, ev broadcasting.Event) error {
			var m struct {
				Payload struct {
					Data []struct{ Message struct{ Text string } }
				}
			}
			if err := json.Unmarshal([]byte(ev.Data), &m); err != nil {
				t.Errorf("%v in %s", err, ev.Data)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			if ev.Name == crm.EventMessage && !slices.Contains(b.seqs, ev.Seq) { // receivers drop duplicates
				b.seqs, b.texts = append(b.seqs, ev.Seq), append(b.texts, m.Payload.Data[0].Message.Text)
			}
			return nil
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- relay.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the relay: %v", err)
		}
	})
	return b
}

func (b *broadcasts) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.texts)
}

// TestDatabaseAwayForTenSeconds makes the database unavailable for the rules, the keys and
// the relay. Afterwards every message must be there once and in order, and must have been
// broadcast.
func TestDatabaseAwayForTenSeconds(t *testing.T) {
	t.Parallel()
	const outage = 11 * time.Second // longer than a SQLite connection waits
	type database struct {
		url   string
		leave func(t *testing.T) (back func())
	}
	for name, open := range map[string]func(t *testing.T) database{
		"sqlite": func(t *testing.T) database {
			u := testdb.SQLiteURL(t)
			return database{u, func(t *testing.T) func() { return locked(t, u) }}
		},
		"postgres": func(t *testing.T) database {
			g, u := newGate(t, testdb.PostgresURL(t))
			return database{u, func(*testing.T) func() {
				g.set(true)
				return func() { g.set(false) }
			}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			harnessIn(t, testdb.Open(t, db.url), func(t *testing.T, h *harness) {
				h.pair(t)
				broadcasts := h.relay(t)
				bob := h.wa.NewContact("79991112233", "", "Bob")
				h.anna.SendText(h.shop, "before")
				want := []string{"before"}
				eventually(t, "nothing is broadcast", func() bool { return len(broadcasts.all()) == 1 })
				back := db.leave(t)
				var ids []string
				for i := range 30 {
					text := fmt.Sprint("meanwhile ", i)
					want = append(want, text)
					if i%3 == 0 {
						bob.SendText(h.shop, text)
						continue
					}
					ids = append(ids, h.anna.SendText(h.shop, text))
				}
				short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				if err := h.Store.Tx(short, func(tx *models.Tx) error { return tx.MarkPublished(0) }); err == nil {
					t.Error("the database is not away")
				}
				cancel()
				time.Sleep(outage) // the fault itself
				back()
				h.anna.SendText(h.shop, "after")
				want = append(want, "after")
				eventually(t, "not all is broadcast", func() bool { return slices.Contains(broadcasts.all(), "after") })
				if got := broadcasts.all(); !slices.Equal(got, want) {
					t.Errorf("broadcast are %q", got)
				}
				if got := h.texts(t); !slices.Equal(got, want) {
					t.Errorf("in the database are %q", got)
				}
				for _, id := range ids {
					if err := h.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
						t.Fatal(err)
					}
				}
				if err := h.shop.AwaitSettled(testwait.Context(t)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// dying is the rules of a process that is killed just before it commits the message with
// text, so that the commit does not happen.
type dying struct {
	*crm.Service
	reached chan struct{} // closed just before that commit
	text    string
	once    sync.Once
}

func (d *dying) Ingest(ctx context.Context, on crm.Line, batch crm.InboundBatch) (crm.InboundResult, error) {
	if len(batch.Messages) == 1 && batch.Messages[0].Message.Text == d.text {
		d.once.Do(func() { close(d.reached) })
		<-ctx.Done()
		return crm.InboundResult{}, ctx.Err()
	}
	return d.Service.Ingest(ctx, on, batch)
}

// TestDiedBetweenDecryptionAndCommit ends the process after whatsmeow decrypted a message,
// which its key can do only once, and before the commit. The next process must ingest it.
func TestDiedBetweenDecryptionAndCommit(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.stop()
		rules := &dying{Service: h.Service, reached: make(chan struct{}), text: "opened"}
		_, die := h.node(t, rules)
		h.awaitState(t, crm.StateConnected)
		h.anna.SendText(h.shop, "first")
		id := h.anna.SendText(h.shop, "opened")
		h.anna.SendText(h.shop, "after it")
		<-rules.reached
		die()
		if got := h.texts(t); !slices.Equal(got, []string{"first"}) {
			t.Fatalf("kept before the end is %q", got)
		}
		h.node(t, h.Service)
		h.awaitItem(t, crm.EventMessage, "after it")
		if got := h.texts(t); !slices.Equal(got, []string{"first", "opened", "after it"}) {
			t.Errorf("told are %q", got)
		}
		if err := h.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
			t.Error(err)
		}
		h.unknown(t)
	})
}

// unknown fails the test when a message was ingested as unknown.
func (h *harness) unknown(t *testing.T) {
	t.Helper()
	for _, ev := range h.Events(t, crm.EventMessage) {
		if strings.Contains(ev.Data, `"type":"unknown"`) {
			t.Errorf("kept as unknown: %s", ev.Data)
		}
	}
}

// TestLogoutWhileAMessageIsKept checks that a logout does not wait for a blocked handler.
func TestLogoutWhileAMessageIsKept(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.stop()
		rules := &dying{Service: h.Service, reached: make(chan struct{}), text: "opened"}
		m, _ := h.node(t, rules)
		h.Service.Messengers[Type] = m
		h.awaitState(t, crm.StateConnected)
		h.anna.SendText(h.shop, "opened")
		<-rules.reached
		if err := h.Logout(testwait.Context(t), h.Owner, testLine); err != nil {
			t.Fatal(err)
		}
		h.awaitState(t, crm.StateLoggedOut)
		if n := h.shop.Devices(); n != 0 || m.serving(testLine) != nil {
			t.Errorf("%d devices are linked, served is %v", n, m.serving(testLine) != nil)
		}
		h.pair(t) // and the line can be paired again
	})
}

// TestLostWhileAMessageIsKept drops the connection while a handler waits. The next
// connection must begin after the handler has ended, and must deliver the message.
func TestLostWhileAMessageIsKept(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.stop()
		rules := &once{dying{Service: h.Service, reached: make(chan struct{}), text: "opened"}}
		h.node(t, rules)
		h.awaitState(t, crm.StateConnected)
		h.anna.SendText(h.shop, "opened")
		h.anna.SendText(h.shop, "after it")
		<-rules.reached
		h.shop.Drop()
		h.awaitItem(t, crm.EventMessage, "after it")
		if got := h.texts(t); !slices.Equal(got, []string{"opened", "after it"}) {
			t.Errorf("told are %q", got)
		}
		h.unknown(t)
	})
}

// once is a dying that blocks only the first time.
type once struct{ dying }

func (o *once) Ingest(ctx context.Context, on crm.Line, batch crm.InboundBatch) (crm.InboundResult, error) {
	select {
	case <-o.reached:
		return o.Service.Ingest(ctx, on, batch)
	default:
		return o.dying.Ingest(ctx, on, batch)
	}
}
