package whatsapp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// TestLinesDoNotWaitForEachOther checks that while WhatsApp does not answer one line's
// pairing, this line and others can be logged out and paired.
func TestLinesDoNotWaitForEachOther(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.times = patient
		o.times.code = 2 * testwait.Long // longer than this test waits for anything
	})
	eventually(t, "Run does not start", func() bool {
		w.m.mu.Lock()
		defer w.m.mu.Unlock()
		return w.m.ctx != nil
	})
	w.Freeze(true)
	answer := make(chan error, 1)
	go func() {
		_, err := w.m.Pair(testwait.Context(t), testLine, "")
		answer <- err
	}()
	w.awaitState(t, crm.StatePairing)

	soon := testwait.Context(t)
	other := crm.Line{LicenseID: 1230, Messenger: Type}
	if err := w.m.Logout(soon, other); err != nil && soon.Err() != nil {
		t.Errorf("another line: %v", err)
	}
	if err := w.m.Logout(soon, testLine); err != nil {
		t.Errorf("the line itself: %v", err)
	}
	select {
	case err := <-answer:
		if !errors.Is(err, errPairingOver) {
			t.Errorf("who waited for a code hears %v", err)
		}
	case <-soon.Done():
		t.Fatal("who waits for a code is not told that there will be none")
	}
}

// TestCutBeforeTheGreeting checks that a connection that is cut before WhatsApp's greeting
// is opened again at once, and not only after whatsmeow's timeout.
func TestCutBeforeTheGreeting(t *testing.T) {
	var cuts, dials atomic.Int32 // dials still to be cut, and dials so far
	w := newWorld(t, func(o *Options) { o.Endpoint = rudeRelay(t, o.Endpoint, &cuts, &dials) })
	w.pair(t)
	before := dials.Load()
	cuts.Store(2)
	began := time.Now()
	w.shop.Drop()
	eventually(t, "the line is not opened again", func() bool { return dials.Load() > before+2 && w.shop.Online() })
	// Real time, because whatsmeow itself would wait 20 s for each cut.
	if took := time.Since(began); took >= 40*time.Second {
		t.Errorf("it took %v", took)
	}
}

// slowRules are rules with a slow database.
type slowRules struct {
	*recorder
	listed chan struct{} // receives when the lines have been read
	give   chan struct{} // Sessions waits for it before it returns
	never  func(crm.LineState) bool
}

func (r *slowRules) Sessions(ctx context.Context, messenger string) ([]crm.LineSession, error) {
	rows, err := r.recorder.Sessions(ctx, messenger)
	select {
	case r.listed <- struct{}{}:
		<-r.give
	default:
	}
	return rows, err
}

func (r *slowRules) SetLineState(ctx context.Context, on crm.Line, st crm.LineState) error {
	if r.never != nil && r.never(st) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
	return r.recorder.SetLineState(ctx, on, st)
}

// TestPairedWhileTheLinesAreRead checks that a line that is created and paired while the
// lines are being read is not taken for a removed line.
func TestPairedWhileTheLinesAreRead(t *testing.T) {
	w := newWorld(t, quick)
	w.stop()
	rules := &slowRules{recorder: w.rules, listed: make(chan struct{}), give: make(chan struct{})}
	w.serve = rules
	w.start(t, quick)
	t.Cleanup(func() { close(rules.give) })
	<-rules.listed
	w.pair(t)
	served := w.m.serving(testLine)
	rules.give <- struct{}{}
	<-rules.listed // the next heartbeat: the previous one is over
	rules.give <- struct{}{}
	w.anna.SendText(w.shop, "are you there?")
	w.awaitText(t, "are you there?")
	if w.m.serving(testLine) != served {
		t.Error("the line was let go")
	}
}

// TestScannedAndKilled checks that a pairing is not forgotten once the phone has scanned
// the code, however slow the database is and whether or not WhatsApp is reached again.
func TestScannedAndKilled(t *testing.T) {
	w := newWorld(t)
	w.stop()
	w.serve = &slowRules{recorder: w.rules, never: func(st crm.LineState) bool { return st.State == crm.StateConnecting && st.Phone != nil }}
	w.start(t)
	p := w.code(t, "")
	w.Unavailable(true)
	if _, err := w.shop.ScanQR(testwait.Context(t), *p.QR); err != nil {
		t.Fatal(err)
	}
	if row := w.awaitState(t, crm.StateDisconnected); row.Device == "" {
		t.Error("nobody knows the device")
	}
	w.stop()
	w.Unavailable(false)
	w.start(t)
	w.awaitState(t, crm.StateConnected)
}

// held is a log handler that blocks the caller that logs text, until it is released.
type held struct {
	slog.Handler
	text     string
	logged   chan struct{} // closed when text was logged
	released chan struct{}
	failed   chan struct{} // one for each pairing that whatsmeow gave up
}

func (h *held) Enabled(context.Context, slog.Level) bool { return true }
func (h *held) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h *held) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, h.text) {
		close(h.logged)
		<-h.released
	}
	if strings.Contains(r.Message, "Failed to pair device") {
		h.failed <- struct{}{}
	}
	return nil
}

// TestLostBeforeThePairingIsTold has WhatsApp end the connection of a pairing, and then be
// unreachable, before whatsmeow emits PairSuccess. When the connection ends while whatsmeow
// is still writing its answer, it gives the pairing up, and another one begins.
func TestLostBeforeThePairingIsTold(t *testing.T) {
	log := &held{text: "Successfully paired", logged: make(chan struct{}), released: make(chan struct{}), failed: make(chan struct{}, 10)}
	w := newWorld(t, func(o *Options) { o.Log = slog.New(log) })
	for ctx, paired := testwait.Context(t), false; !paired; {
		p := w.code(t, "")
		w.Unavailable(true)
		if _, err := w.shop.ScanQR(ctx, *p.QR); err != nil {
			t.Fatal(err)
		}
		select {
		case <-log.logged:
			paired = true
		case <-log.failed:
			w.Unavailable(false)
			w.awaitServed(t, false)
		case <-ctx.Done():
			t.Fatal("the pairing does not end")
		}
	}
	if row := w.awaitState(t, crm.StateDisconnected); row.Device == "" {
		t.Errorf("the pairing is forgotten: %+v", row)
	}
	close(log.released)
	w.Unavailable(false)
	w.awaitState(t, crm.StateConnected)
}

// TestLostBeforeTheKeysAreStored ends the connection after the phone has signed and before
// whatsmeow has stored the keys. Then there is no device, and no session to lose.
func TestLostBeforeTheKeysAreStored(t *testing.T) {
	w := newWorld(t)
	w.code(t, "")
	s := w.m.serving(testLine)
	s.mu.Lock()
	life := s.life
	s.mu.Unlock()
	if !s.accepted(life, types.NewADJID("79990001122", 0, 9)) {
		t.Fatal("the pairing is refused")
	}
	if s.accepted(life, types.NewADJID("79990001133", 0, 9)) {
		t.Error("a second account is accepted")
	}
	s.end(ending{kind: endLost})
	<-s.done
	if row := w.awaitState(t, crm.StateDisconnected); row.Device != "" || row.Detail != detailNotStored+" Nothing was paired." {
		t.Errorf("the line is %+v", row)
	}
	if s.accepted(life, types.NewADJID("79990001122", 0, 9)) {
		t.Error("a client that was given up is paired")
	}
	w.pair(t)
}

// TestKeysThatCannotBeStored has the phone sign while the database refuses the keys. The
// line must be unpaired, and it must be possible to pair it again.
func TestKeysThatCannotBeStored(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.DB.SetMaxOpenConns(1)
		if _, err := o.DB.Exec("PRAGMA busy_timeout(20)"); err != nil {
			t.Error(err)
		}
	})
	p := w.code(t, "")
	release := w.lockKeys(t)
	if _, err := w.shop.ScanQR(testwait.Context(t), *p.QR); err == nil {
		t.Error("the phone was told that it is linked")
	}
	if row := w.awaitState(t, crm.StateDisconnected); row.Device != "" {
		t.Errorf("the line is %+v", row)
	}
	release()
	w.awaitServed(t, false)
	w.pair(t)
}

// rudeRelay forwards connections to a stand-in, and cuts the next cuts connections before
// the stand-in's greeting.
func rudeRelay(t *testing.T, to string, cuts, dials *atomic.Int32) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			dials.Add(1)
			rude := cuts.Add(-1) >= 0
			all.Go(func() {
				defer from.Close()
				there, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer there.Close()
				all.Go(func() {
					defer there.Close()
					_, _ = io.Copy(there, from) // until one side is closed
				})
				if rude {
					upgrade := make([]byte, 4096) // the response to the upgrade only: the server speaks second
					n, _ := there.Read(upgrade)
					_, _ = from.Write(upgrade[:n])
					return
				}
				_, _ = io.Copy(from, there)
			})
		}
	})
	return l.Addr().String()
}

// TestVersionPageThatHangs checks that a line does not wait for the page with WhatsApp's
// version.
func TestVersionPageThatHangs(t *testing.T) {
	asked := make(chan struct{}, 10)
	w := newWorld(t, func(o *Options) {
		o.times = patient
		o.times.version = 2 * testwait.Long // longer than this test waits for anything
		stand, err := url.Parse("http://" + o.Endpoint)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(stand)
		front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				asked <- struct{}{}
				<-r.Context().Done()
				return
			}
			proxy.ServeHTTP(rw, r)
		}))
		t.Cleanup(func() {
			front.CloseClientConnections()
			front.Close()
		})
		o.Endpoint = front.Listener.Addr().String()
	})
	w.pair(t)
	if len(asked) != 1 {
		t.Errorf("the page was asked %d times", len(asked))
	}
}
