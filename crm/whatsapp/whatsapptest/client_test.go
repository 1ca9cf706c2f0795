package whatsapptest_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"
	_ "modernc.org/sqlite"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

// world is a server with one account and one customer.
type world struct {
	*whatsapptest.Server
	shop *whatsapptest.Account
	anna *whatsapptest.Contact
}

func newWorld(t testing.TB, opts ...whatsapptest.Options) *world {
	t.Helper()
	o := whatsapptest.Options{RootSeed: testRoot}
	if len(opts) > 0 {
		o = opts[0]
		o.RootSeed = testRoot
	}
	srv, err := whatsapptest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return &world{
		Server: srv,
		shop:   srv.NewAccount("79990001122", "100200300", "Shop"),
		anna:   srv.NewContact("79995554433", "100200301", "Anna"),
	}
}

// testRoot is the root seed of all servers in these tests. whatsmeow's root is one
// variable of the process, so all servers share one root, which TestMain trusts
// before any client is made.
var testRoot = [32]byte{1}

// client is a real whatsmeow client that records its events.
type client struct {
	*whatsmeow.Client
	t       testing.TB
	path    string
	mu      sync.Mutex
	changed chan struct{}
	events  []any
	refuse  func(any) bool // reports which events fail
}

// newClient creates a client with a database of its own.
func (w *world) newClient(t testing.TB) *client {
	t.Helper()
	return w.openClient(t, filepath.Join(t.TempDir(), "whatsmeow.db"))
}

// openClient creates a client on an existing database, as after a restart of the
// program.
func (w *world) openClient(t testing.TB, path string) *client {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)"+
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	container := sqlstore.NewWithDB(db, "sqlite", nil)
	if err := container.Upgrade(t.Context()); err != nil {
		t.Fatal(err)
	}
	device, err := container.GetFirstDevice(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, path: path, changed: make(chan struct{}), Client: whatsmeow.NewClient(device, clientLog(t))}
	w.Configure(c.Client)
	c.SynchronousAck, c.EnableDecryptedEventBuffer, c.EmitAppStateEventsOnFullSync = true, true, true
	c.AddEventHandlerWithSuccessStatus(c.onEvent)
	t.Cleanup(func() {
		c.Disconnect()
		db.Close()
	})
	return c
}

func clientLog(t testing.TB) waLog.Logger {
	if os.Getenv("CHATCAST_TEST_LOG") == "" {
		return nil
	}
	return waLog.Stdout("client", "INFO", false)
}

func (c *client) onEvent(e any) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != nil && c.refuse(e) {
		return false
	}
	c.events = append(c.events, e)
	close(c.changed)
	c.changed = make(chan struct{})
	return true
}

// await returns the first event of a type that matches, past or future.
func await[T any](c *client, match func(T) bool) T {
	c.t.Helper()
	late := time.After(testwait.Long)
	for {
		c.mu.Lock()
		changed := c.changed
		for _, e := range c.events {
			if typed, ok := e.(T); ok && (match == nil || match(typed)) {
				c.mu.Unlock()
				return typed
			}
		}
		c.mu.Unlock()
		select {
		case <-changed:
		case <-late:
			var want T
			c.t.Fatalf("no %T came; there were: %s", want, c.history())
		}
	}
}

// all returns every event of a type so far.
func all[T any](c *client) (out []T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.events {
		if typed, ok := e.(T); ok {
			out = append(out, typed)
		}
	}
	return out
}

func (c *client) history() (s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.events {
		s += fmt.Sprintf("\n\t%T", e)
	}
	return s
}

// forget drops the events so far, so that await sees only new ones.
func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = nil
}

func (c *client) awaitText(text string) *events.Message {
	c.t.Helper()
	return await(c, func(e *events.Message) bool {
		return e.Message.GetConversation() == text || e.Message.GetExtendedTextMessage().GetText() == text
	})
}

// content returns the texts of messages from others, in order.
func (c *client) content() (texts []string) {
	for _, m := range all[*events.Message](c) {
		if text := m.Message.GetConversation(); text != "" && !m.Info.IsFromMe {
			texts = append(texts, text)
		}
	}
	return texts
}

// link pairs the client with the shop by QR code and waits until it is settled.
func (w *world) link(t testing.TB, c *client) *client {
	t.Helper()
	w.linkTo(t, c, w.shop)
	return c
}

func (w *world) linkTo(t testing.TB, c *client, a *whatsapptest.Account) {
	t.Helper()
	codes, err := c.GetQRChannel(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	first := <-codes
	if first.Event != whatsmeow.QRChannelEventCode {
		t.Fatalf("the first of the codes is %+v", first)
	}
	if _, err := a.ScanQR(testwait.Context(t), first.Code); err != nil {
		t.Fatal(err)
	}
	await[*events.Connected](c, nil)
	// The phone sends its keys right after linking. A logout or a drop before the
	// client has stored them would test something else.
	for _, name := range []string{"critical_block", "critical_unblock_low", "regular_high", "regular", "regular_low"} {
		await(c, func(e *events.AppStateSyncComplete) bool { return string(e.Name) == name })
	}
	if err := a.AwaitSettled(testwait.Context(t)); err != nil {
		t.Fatal(err)
	}
}

func (w *world) linked(t testing.TB) *client { return w.link(t, w.newClient(t)) }

// say sends a text.
func (c *client) say(to types.JID, text string) (whatsmeow.SendResponse, error) {
	return c.SendMessage(c.t.Context(), to, &waE2E.Message{Conversation: &text})
}

// sound checks at the end of a test that the server knew every request.
func (w *world) sound(t testing.TB) {
	t.Helper()
	if list := w.Unhandled(); len(list) > 0 {
		t.Errorf("the server did not know: %q", list)
	}
}

func messageID(id string) func(*events.Message) bool {
	return func(e *events.Message) bool { return e.Info.ID == id }
}

func receiptOf(id string) func(*events.Receipt) bool {
	return func(e *events.Receipt) bool { return slices.Contains(e.MessageIDs, id) }
}
