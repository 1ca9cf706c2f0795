package whatsapp

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waMsgTransport"
	"google.golang.org/protobuf/proto"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestNothingOvertakesAcrossConnections checks that a message that was being ingested when
// the socket dropped comes before the messages of the next connection.
func TestNothingOvertakesAcrossConnections(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.anna.SendText(w.shop, "hello")
	w.awaitText(t, "hello")
	begun, overtaken, slow := make(chan struct{}), make(chan struct{}, 100), true
	w.rules.before(func(batch crm.InboundBatch) error {
		if len(batch.Messages) == 0 {
			return nil
		}
		if batch.Messages[0].Message.Text == "0" && slow {
			slow = false
			close(begun)
			select {
			case <-overtaken:
			case <-time.After(3 * time.Second): // much longer than a reconnect takes
			}
			return nil
		}
		overtaken <- struct{}{}
		return nil
	})
	var want, ids []string
	for i := range 20 {
		want = append(want, fmt.Sprint(i))
		ids = append(ids, w.anna.SendText(w.shop, fmt.Sprint(i)))
	}
	<-begun
	w.shop.Drop()
	w.awaitText(t, "19")
	for _, id := range ids {
		if err := w.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, text := range w.texts()[1:] {
		if !slices.Contains(got, text) { // the rules ignore second copies
			got = append(got, text)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("kept %q", got)
	}
}

// TestKeysAwayWhileOpening checks that a message that could not be decrypted because the
// database with the keys was unavailable is not taken for an undecryptable one.
func TestKeysAwayWhileOpening(t *testing.T) {
	for name, patience := range map[string]time.Duration{"for a while": 20 * time.Second, "for long": 100 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *Options) {
				o.times = patient
				o.times.patience = patience
				o.DB.SetMaxOpenConns(1)
				if _, err := o.DB.Exec("PRAGMA busy_timeout(20)"); err != nil {
					t.Error(err)
				}
			})
			w.pair(t)
			w.anna.SendText(w.shop, "hello")
			w.awaitText(t, "hello")
			release := w.lockKeys(t)
			want := []string{"hello"}
			for i := range 20 {
				want = append(want, fmt.Sprint(i))
				w.anna.SendText(w.shop, fmt.Sprint(i))
			}
			time.Sleep(1500 * time.Millisecond) // the fault itself: the database is unavailable this long
			release()
			w.awaitText(t, "19")
			if got := w.texts(); !slices.Equal(got, want) {
				t.Errorf("kept %q", got)
			}
			w.rules.change(func() {
				for _, batch := range w.rules.batches {
					for _, m := range batch.Messages {
						if m.Type == content.TypeUnknown {
							t.Errorf("a message is kept as %s", *m.Subtype)
						}
					}
				}
			})
		})
	}
}

// lockKeys blocks all other writers of the database of keys until release is called.
func (w *world) lockKeys(t *testing.T) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.db+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
}

// TestBothWriteAtOnce checks that only one goroutine at a time advances a session's
// ratchet. Otherwise a counter is used twice and the phone silently discards a message.
func TestBothWriteAtOnce(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	if s, ok := w.m.serving(testLine).client().Store.Sessions.(sessions); !ok {
		t.Error("errors of the tables of keys are not waited for")
	} else if _, ok := s.SessionStore.(*lockedSessions); !ok {
		t.Errorf("the ratchets are turned by anybody: %T", s.SessionStore)
	}
	const n = 60
	var in, out []string
	for i := range n {
		in, out = append(in, fmt.Sprint("in ", i)), append(out, fmt.Sprint("out ", i))
		w.anna.SendText(w.shop, in[i])
		w.say(fmt.Sprint("3EB0F", i), out[i])
	}
	if _, err := w.anna.AwaitText(testwait.Context(t), out[n-1]); err != nil {
		t.Fatal(err)
	}
	w.awaitText(t, in[n-1])
	var got []string
	for _, r := range w.anna.Inbox() {
		got = append(got, r.Text())
	}
	if !slices.Equal(got, out) {
		t.Errorf("with the customer arrived %q", got)
	}
	if got := w.texts(); !slices.Equal(got, in) {
		t.Errorf("with us arrived %q", got)
	}
}

// TestBrokenProtobuf checks that a broken message is kept as undecryptable, and that its
// sender is asked for it again.
func TestBrokenProtobuf(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	id := w.anna.SendText(w.shop, "", whatsapptest.SendOpts{Plaintext: []byte("\xff\xff no protobuf")})
	w.anna.SendText(w.shop, "after it")
	w.awaitText(t, "after it")
	m := w.awaitMessage(t, "its place", func(m crm.InboundMessage) bool { return m.ID.String() == id })
	if m.Type != content.TypeUnknown || *m.Subtype != crm.SubtypeUndecryptable {
		t.Errorf("kept as %+v", m)
	}
	if err := w.shop.AwaitSettled(testwait.Context(t)); err != nil {
		t.Error(err)
	}
}

// TestReadable checks that random bytes are not taken for a message, whatever the padding.
func TestReadable(t *testing.T) {
	for pad := 1; pad <= 16; pad++ {
		plain := append([]byte("\xff\xff no protobuf"), bytes.Repeat([]byte{byte(pad)}, pad)...)
		if readable(plain) {
			t.Errorf("padded with %d bytes it is a message", pad)
		}
		good := append([]byte("\x0a\x02hi"), bytes.Repeat([]byte{byte(pad)}, pad)...)
		if !readable(good) {
			t.Errorf("padded with %d bytes a message is none", pad)
		}
	}
	v3, err := proto.Marshal(&waMsgTransport.MessageTransport{
		Payload: &waMsgTransport.MessageTransport_Payload{}, Protocol: &waMsgTransport.MessageTransport_Protocol{},
	})
	if err != nil || !readable(v3) || readable(nil) {
		t.Errorf("version 3: %v, %v", readable(v3), err)
	}
}

// TestReceiptWhoseHandlerPanics checks that a receipt comes again when its handler panics.
func TestReceiptWhoseHandlerPanics(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.anna.SendText(w.shop, "hello")
	w.awaitText(t, "hello")
	once := true
	w.rules.before(func(batch crm.InboundBatch) error {
		if len(batch.Statuses) > 0 && batch.Statuses[0].Type == "viewed" && once {
			once = false
			panic("once")
		}
		return nil
	})
	w.say("out-1", "good day")
	w.awaitStatus(t, "out-1", "delivered")
	w.anna.Read(w.shop, "out-1")
	w.awaitStatus(t, "out-1", "viewed")
}

// TestLongText checks that a long text arrives whole or clipped, and never empty.
func TestLongText(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	id := w.anna.SendText(w.shop, strings.Repeat("ü", 1<<19))
	m := w.awaitMessage(t, "the long text", func(m crm.InboundMessage) bool { return m.ID.String() == id })
	if m.Message.Text == "" || m.Type != crm.MessageText {
		t.Errorf("kept as %s with %d bytes", m.Type, len(m.Message.Text))
	}
}

// TestDatabaseAway checks that errors about the database's own state are waited for, and
// that errors about the data are not.
func TestDatabaseAway(t *testing.T) {
	for err, want := range map[error]bool{
		nil: false, errNoMessage: false, driver.ErrBadConn: true, sql.ErrTxDone: true, io.ErrUnexpectedEOF: true, &net.OpError{Op: "dial"}: true,
		sqliteError(5): true, sqliteError(5 | 2<<8): true, sqliteError(13): true, sqliteError(1): false, sqliteError(19 | 6<<8): false,
		postgresError("57P03"): true, postgresError("40001"): true, postgresError("25P02"): true, postgresError("22021"): false, postgresError("23505"): false, postgresError(""): false,
	} {
		if got := databaseUnavailable(err); got != want {
			t.Errorf("%v: %v", err, got)
		}
		if err != nil && databaseUnavailable(fmt.Errorf("failed to load session: %w", err)) != want {
			t.Errorf("%v, wrapped: not %v", err, want)
		}
	}
}

type (
	sqliteError   int
	postgresError string
)

func (f sqliteError) Error() string      { return fmt.Sprintf("sqlite %d", int(f)) }
func (f sqliteError) Code() int          { return int(f) }
func (f postgresError) Error() string    { return "postgres " + string(f) }
func (f postgresError) SQLState() string { return string(f) }

// TestShieldOfANewDevice checks that a device that its client has just paired has the same
// stores as a device that is read from the database.
func TestShieldOfANewDevice(t *testing.T) {
	w := newWorld(t)
	s := newSession(w.m, testLine, nil)
	if err := s.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.dropClient()
	dev := s.client().Store
	if _, shielded := dev.EventBuffer.(*buffer); shielded {
		t.Error("a device without stores is shielded")
	}
	for name := range 2 { // after the pairing, and a second time
		dev.Initialized = true
		if err := s.prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		b, shielded := dev.EventBuffer.(*buffer)
		if !shielded {
			t.Fatalf("%d: the buffer is %T", name, dev.EventBuffer)
		}
		if _, locked := b.EventBuffer.(*lockedSessions); !locked {
			t.Errorf("%d: behind the buffer is %T", name, b.EventBuffer)
		}
		if keys, _ := dev.Sessions.(sessions); keys.b != b {
			t.Errorf("%d: the sessions are %T", name, dev.Sessions)
		}
	}
}
