package whatsapp

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/bridge"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models/seal"
	"chatcast/models/testdb"
)

// testSeed is the seed of the Noise root key. whatsmeow's root key is global to the
// process, so all stand-ins of these tests share it.
var testSeed = [32]byte{7}

func TestMain(m *testing.M) {
	trustTestCA()
	testdb.Main(m,
		// whatsmeow does not always end the goroutine that reads a socket when that has
		// a frame for a receiver that has ended.
		goleak.IgnoreTopFunction("go.mau.fi/whatsmeow/socket.(*FrameSocket).frameComplete"))
}

// patient is usual for a machine that may be slow.
var patient = func() times {
	t := usual
	t.code, t.ask, t.eager = testwait.Long, testwait.Long, testwait.Long
	return t
}()

var testLine = crm.Line{LicenseID: 1229, Messenger: Type}

// world is a stand-in for WhatsApp with an account and a customer, and a program that
// serves the line.
type world struct {
	*whatsapptest.Server
	shop  *whatsapptest.Account
	anna  *whatsapptest.Contact
	rules *recorder
	serve Rules // the rules that the program gets
	db    string
	m     *Messenger
	stop  func()
}

func newWorld(t *testing.T, opts ...func(*Options)) *world {
	t.Helper()
	t.Parallel() // the tests mostly wait
	return newWorldOf(t, newStandin(t), opts...)
}

func newWorldOf(t *testing.T, srv *whatsapptest.Server, opts ...func(*Options)) *world {
	t.Helper()
	w := &world{
		Server: srv, rules: newRecorder(), db: strings.TrimPrefix(testdb.SQLiteURL(t), "sqlite:"),
		shop: srv.NewAccount("79990001122", "100200300", "Shop"),
		anna: srv.NewContact("79995554433", "100200301", "Anna"),
	}
	w.serve = w.rules
	w.start(t, opts...)
	t.Cleanup(func() { w.stop() })
	return w
}

func newStandin(t *testing.T) *whatsapptest.Server {
	t.Helper()
	return newStandinAt(t, nil)
}

// newStandinAt returns a stand-in with a clock of its own.
func newStandinAt(t *testing.T, now func() time.Time) *whatsapptest.Server {
	t.Helper()
	srv, err := whatsapptest.Start(whatsapptest.Options{RootSeed: testSeed, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("closing the stand-in: %v", err)
		}
	})
	return srv
}

// testKeys are the keys of these tests. Every world seals its secrets, unless a test
// wants otherwise; so does every harness on PostgreSQL, and none on SQLite.
var testKeys = parseKeys(seal.New())

func parseKeys(texts ...string) *seal.Keys {
	k, err := seal.Parse(strings.Join(texts, ","))
	if err != nil {
		panic(err)
	}
	return k
}

// start starts the program; w.stop stops it.
func (w *world) start(t *testing.T, opts ...func(*Options)) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.db+"?_txlock=immediate&_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)"+
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	root := w.Root()
	o := Options{
		DB: db, Dialect: "sqlite", Keys: testKeys, Log: testLog(), Endpoint: w.Addr(), RootKey: hex.EncodeToString(root[:]), Unpaired: bridge.Messenger{},
		times: patient,
	}
	for _, f := range opts {
		f(&o)
	}
	w.m, err = New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	w.m.Serve(w.serve)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.m.Run(ctx) }()
	w.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		db.Close()
		w.stop = func() {}
	}
}

// testLog discards, unless CHATCAST_TEST_LOG is set.
func testLog() *slog.Logger {
	if os.Getenv("CHATCAST_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// pair links the line to the account's phone.
func (w *world) pair(t *testing.T) {
	t.Helper()
	p := w.code(t, "")
	if _, err := w.shop.ScanQR(testwait.Context(t), *p.QR); err != nil {
		t.Fatal(err)
	}
	w.awaitState(t, crm.StateConnected)
}

// code asks for a code. It waits until Run has started.
func (w *world) code(t *testing.T, phone string) (p crm.Pairing) {
	t.Helper()
	ctx := testwait.Context(t)
	eventually(t, "Run does not start", func() bool {
		var err error
		if p, err = w.m.Pair(ctx, testLine, phone); err != nil && err != errNotRunning {
			t.Fatal(err)
		}
		return err == nil
	})
	return p
}

func (w *world) awaitState(t *testing.T, state string) crm.LineSession {
	t.Helper()
	var found crm.LineSession
	err := w.rules.await(testwait.Context(t), "the state "+state, func() bool {
		if row := w.rules.sessions[testLine]; row != nil {
			found = *row
		}
		return found.State == state
	})
	if err != nil {
		t.Fatalf("%v; it is %+v", err, found)
	}
	return found
}

// states returns the states that the line has had, in order.
func (w *world) states() []crm.LineState {
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	return slices.Clone(w.rules.states)
}

// awaitMessage waits until the rules got a message that matches, and returns it.
func (w *world) awaitMessage(t *testing.T, what string, match func(crm.InboundMessage) bool) crm.InboundMessage {
	t.Helper()
	var found crm.InboundMessage
	err := w.rules.await(testwait.Context(t), what, func() bool {
		for _, batch := range w.rules.batches {
			for _, m := range batch.Messages {
				if match(m) {
					found = m
					return true
				}
			}
		}
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (w *world) awaitText(t *testing.T, text string) crm.InboundMessage {
	t.Helper()
	return w.awaitMessage(t, "the text "+text, func(m crm.InboundMessage) bool { return m.Message.Text == text })
}

// awaitBatch waits until the rules got a batch that matches.
func (w *world) awaitBatch(t *testing.T, what string, match func(crm.InboundBatch) bool) {
	t.Helper()
	err := w.rules.await(testwait.Context(t), what, func() bool {
		for _, batch := range w.rules.batches {
			if match(batch) {
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
}

// enqueue adds an item to the line's outbox.
func (w *world) enqueue(item crm.OutboxItem) {
	w.rules.change(func() {
		item.ID = int64(len(w.rules.outbox) + len(w.rules.outcomes) + 1)
		item.Line, item.CreatedAt, item.Deadline = testLine, time.Now(), time.Now().Add(time.Hour)
		if item.Message != nil {
			w.rules.sent[item.Message.ID] = item.Message
		}
		w.rules.outbox = append(w.rules.outbox, item)
	})
	w.m.Queue(testLine)
}

// awaitOutcome waits for the nth outcome and returns it.
func (w *world) awaitOutcome(t *testing.T, n int) crm.Outcome {
	t.Helper()
	err := w.rules.await(testwait.Context(t), "an outcome", func() bool { return len(w.rules.outcomes) >= n })
	if err != nil {
		t.Fatal(err)
	}
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	return w.rules.outcomes[n-1]
}

// say queues a text to Anna.
func (w *world) say(id, text string) {
	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: "79995554433@c.us", Message: &crm.MessageRef{
		ID: id, FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: text},
	}})
}

func (w *world) awaitStatus(t *testing.T, id, status string) {
	t.Helper()
	w.awaitBatch(t, id+" "+status, func(batch crm.InboundBatch) bool {
		return len(batch.Statuses) == 1 && batch.Statuses[0].ID.String() == id && batch.Statuses[0].Type == status
	})
}

// onMessage runs f before each message is recorded.
func (w *world) onMessage(f func() error) {
	w.rules.before(func(batch crm.InboundBatch) error {
		if len(batch.Messages) == 0 {
			return nil
		}
		w.rules.mu.Lock()
		defer w.rules.mu.Unlock()
		return f()
	})
}

// awaitServed waits until this process serves the line (want) or does not (!want).
func (w *world) awaitServed(t *testing.T, want bool) {
	t.Helper()
	eventually(t, fmt.Sprintf("served is %v", !want), func() bool { return (w.m.serving(testLine) != nil) == want })
}

// eventually polls until done returns true, and fails the test on a timeout.
func eventually(t *testing.T, otherwise string, done func() bool) {
	t.Helper()
	ctx, tick := testwait.Context(t), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(otherwise)
		}
	}
}
