package whatsapp

import (
	"errors"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// sound fails the test when the stand-in got requests that it does not know.
func (w *world) sound(t *testing.T) {
	t.Helper()
	if u := w.Unhandled(); len(u) > 0 {
		t.Errorf("the stand-in was asked for what it does not know: %q", u)
	}
}

func TestPairByQRAndTalk(t *testing.T) {
	w := newWorld(t)
	if st, err := w.m.Status(t.Context(), testLine); err != nil || st.Via != "bridge" || !st.Connected {
		t.Errorf("a line that nobody paired is %+v, %v; want a bridge", st, err)
	}
	w.pair(t)
	st, err := w.m.Status(t.Context(), testLine)
	if err != nil || !st.Connected || st.Via != "whatsapp" || st.Phone == nil || *st.Phone != "79990001122" {
		t.Errorf("the status is %+v, %v", st, err)
	}

	id := w.anna.SendText(w.shop, "hello")
	m := w.awaitText(t, "hello")
	if m.ID.String() != id || m.Chat.ID.String() != "79995554433@c.us" || m.Chat.LID == nil || *m.Chat.LID != "100200301@lid" ||
		m.FromUser.Name != "Anna" || m.FromMe {
		t.Errorf("came as %+v", m)
	}
	if err := w.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
		t.Error(err)
	}

	w.say("3EB0AA", "good day")
	got, err := w.anna.AwaitText(testwait.Context(t), "good day")
	if err != nil || got.ID != "3EB0AA" {
		t.Fatalf("arrived as %+v, %v", got, err)
	}
	if o := w.awaitOutcome(t, 1); o.Status != crm.OutSent {
		t.Errorf("the outcome is %+v", o)
	}
	w.awaitStatus(t, "3EB0AA", "delivered")
	w.anna.Read(w.shop, "3EB0AA")
	w.awaitStatus(t, "3EB0AA", "viewed")
	w.sound(t)
}

func TestPairByCode(t *testing.T) {
	w := newWorld(t)
	p := w.code(t, "79990001122")
	if p.Code == nil || p.QR != nil || p.ExpiresAt <= time.Now().Unix() {
		t.Fatalf("the pairing is %+v", p)
	}
	again, err := w.m.Pair(t.Context(), testLine, "79990001122")
	if err != nil || again.Code == nil || *again.Code != *p.Code {
		t.Errorf("asked again, it shows %+v, %v", again, err)
	}
	if _, err := w.shop.EnterCode(testwait.Context(t), *p.Code); err != nil {
		t.Fatal(err)
	}
	w.awaitState(t, crm.StateConnected)
	w.anna.SendText(w.shop, "hello")
	w.awaitText(t, "hello")
	var conflict *crm.Error
	if _, err := w.m.Pair(t.Context(), testLine, ""); !errors.As(err, &conflict) || conflict.Code != crm.CodeConflict {
		t.Errorf("a paired line pairs again: %v", err)
	}
	w.sound(t)
}

func TestQRThenCode(t *testing.T) {
	w := newWorld(t)
	if p := w.code(t, ""); p.QR == nil {
		t.Fatalf("the pairing is %+v", p)
	}
	p := w.code(t, "79990001122")
	if p.Code == nil {
		t.Fatalf("the pairing by phone is %+v", p)
	}
	if _, err := w.shop.EnterCode(testwait.Context(t), *p.Code); err != nil {
		t.Fatal(err)
	}
	w.awaitState(t, crm.StateConnected)
}

func TestNobodyScans(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.times = patient
		o.times.firstQR, o.times.laterQR = 50*time.Millisecond, 20*time.Millisecond
	})
	eventually(t, "Run does not start", func() bool { // on a slow machine all codes may be over before one is returned
		_, err := w.m.Pair(testwait.Context(t), testLine, "")
		return err != errNotRunning
	})
	row := w.awaitState(t, crm.StateDisconnected)
	if row.Detail != detailNotScanned || row.Paired {
		t.Errorf("the line is %+v", row)
	}
	w.rules.mu.Lock()
	codes := map[string]bool{}
	for _, c := range w.rules.codes {
		codes[*c.QR] = true
	}
	w.rules.mu.Unlock()
	if len(codes) != 6 {
		t.Errorf("%d codes were shown, want 6", len(codes))
	}
	w.stop()
	w.start(t)
	w.pair(t) // a later scan succeeds
}

func TestDroppedSocket(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	for _, text := range []string{"one", "two", "three"} {
		w.shop.Drop()
		w.anna.SendText(w.shop, text)
		w.awaitText(t, text)
	}
	w.awaitState(t, crm.StateConnected)
	w.shop.CutOnDelivery(0, true)
	id := w.anna.SendText(w.shop, "cut in the middle")
	w.awaitText(t, "cut in the middle")
	if err := w.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
		t.Error(err)
	}
	w.shop.StreamError("503")
	w.anna.SendText(w.shop, "after a restart of WhatsApp's")
	w.awaitText(t, "after a restart of WhatsApp's")
	w.sound(t)
}

func TestUnreachableThenThere(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.Unavailable(true)
	w.shop.Drop()
	w.awaitState(t, crm.StateDisconnected)
	w.Unavailable(false)
	w.awaitState(t, crm.StateConnected)
}

func TestRestart(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.stop()
	if row, _ := w.rules.SessionOf(t.Context(), testLine); row.LeaseOwner != "" {
		t.Error("the lease was not given back")
	}
	w.anna.SendText(w.shop, "while you were away")
	w.start(t)
	w.awaitText(t, "while you were away")
	w.awaitState(t, crm.StateConnected)
	w.say("3EB0BB", "here again")
	if _, err := w.anna.AwaitText(testwait.Context(t), "here again"); err != nil {
		t.Error(err)
	}
	if n := w.shop.Devices(); n != 1 {
		t.Errorf("%d devices are linked", n)
	}
}

func TestReplacedStaysAway(t *testing.T) {
	w := newWorld(t, quick)
	w.pair(t)
	w.shop.Replace()
	w.awaitState(t, crm.StateReplaced)
	w.awaitServed(t, false)
	w.m.tend(t.Context(), true) // a heartbeat changes nothing
	if w.m.serving(testLine) != nil {
		t.Error("it came back by itself")
	}
	w.anna.SendText(w.shop, "anybody there?")
	if p, err := w.m.Pair(t.Context(), testLine, ""); err != nil || p.QR != nil {
		t.Fatalf("connecting again shows %+v, %v", p, err)
	}
	w.awaitState(t, crm.StateConnected)
	w.awaitText(t, "anybody there?")
}

// TestEndedBehindAMessage checks that a line that WhatsApp ended does not connect again,
// even when the reason waits behind a message that is still handled.
func TestEndedBehindAMessage(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(*whatsapptest.Account)
		state  string
		detail string
	}{
		"replaced": {(*whatsapptest.Account).Replace, crm.StateReplaced, detailReplaced},
		"unlinked": {(*whatsapptest.Account).Unlink, crm.StateLoggedOut, detailLoggedOut},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.pair(t)
			began, finish := make(chan struct{}, 1), make(chan struct{})
			w.rules.before(func(batch crm.InboundBatch) error {
				if len(batch.Messages) > 0 {
					notify(began)
					<-finish
				}
				return nil
			})
			w.anna.SendText(w.shop, "Do you have tea?")
			<-began
			cli, before := w.m.serving(testLine).client(), len(w.states())
			c.end(w.shop)
			eventually(t, "the line is connected", func() bool { return !cli.IsConnected() })
			close(finish)
			if row := w.awaitState(t, c.state); row.Detail != c.detail {
				t.Errorf("the line is %+v", row)
			}
			w.awaitServed(t, false)
			for _, st := range w.states()[before:] { // the account's name may come while it is connected still
				if st.State != c.state && st.State != crm.StateConnected {
					t.Errorf("the line was %s: %s", st.State, st.Detail)
				}
			}
		})
	}
}

func TestUnlinkedOnThePhone(t *testing.T) {
	for name, unavailable := range map[string]bool{"online": false, "while away": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.pair(t)
			if unavailable {
				w.stop()
			}
			w.shop.Unlink()
			if unavailable {
				w.start(t)
			}
			row := w.awaitState(t, crm.StateLoggedOut)
			if row.Device != "" || row.Detail != detailLoggedOut {
				t.Errorf("the line is %+v", row)
			}
			w.awaitServed(t, false)
			if all, err := w.m.container.inner.GetAllDevices(t.Context()); err != nil || len(all) > 0 {
				t.Errorf("%d devices have keys still, %v", len(all), err)
			}
			w.pair(t)
		})
	}
}

func TestLogout(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.times.unlink = 300 * time.Millisecond })
	if err := w.m.Logout(t.Context(), testLine); err == nil {
		t.Error("a bridge logged out")
	}
	w.pair(t)
	if err := w.m.Logout(testwait.Context(t), testLine); err != nil {
		t.Fatal(err)
	}
	row := w.awaitState(t, crm.StateLoggedOut)
	if row.Device != "" || row.Detail != detailLeft || w.shop.Devices() != 0 || w.m.serving(testLine) != nil {
		t.Errorf("%+v, %d devices", row, w.shop.Devices())
	}
	w.pair(t)

	// The logout also works when WhatsApp cannot be informed.
	w.Unavailable(true)
	w.shop.Drop()
	w.awaitState(t, crm.StateDisconnected)
	if err := w.m.Logout(testwait.Context(t), testLine); err != nil {
		t.Fatal(err)
	}
	if row := w.awaitState(t, crm.StateLoggedOut); row.Detail != detailListed || w.shop.Devices() != 1 {
		t.Errorf("%+v, %d devices", row, w.shop.Devices())
	}
	if all, err := w.m.container.inner.GetAllDevices(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("%d devices have keys still, %v", len(all), err)
	}
}

func TestBan(t *testing.T) {
	w := newWorld(t, quick)
	w.pair(t)
	w.shop.Ban(101, time.Hour)
	row := w.awaitState(t, crm.StateBanned)
	if row.BannedUntil == nil || *row.BannedUntil < time.Now().Add(59*time.Minute).Unix() || row.Device == "" {
		t.Errorf("the line is %+v", row)
	}
	w.awaitServed(t, false)
	if toServe(row, time.Now()) || !toServe(row, time.Now().Add(61*time.Minute)) {
		t.Error("a ban must end when its time is over, and not before")
	}
	w.shop.Pardon()
	if _, err := w.m.Pair(testwait.Context(t), testLine, ""); err != nil {
		t.Fatal(err)
	}
	w.awaitState(t, crm.StateConnected)
}

func TestOutdated(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.shop.Outdated()
	row := w.awaitState(t, crm.StateOutdated)
	w.awaitServed(t, false)
	if toServe(row, time.Now()) || !toServe(row, time.Now().Add(2*time.Hour)) {
		t.Error("an outdated line is tried each hour")
	}
}

func TestStrangeRefusalIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.shop.Refuse(418)
	if row := w.awaitState(t, crm.StateDisconnected); row.Device == "" {
		t.Errorf("the line is %+v", row)
	}
	w.shop.Pardon()
	w.awaitState(t, crm.StateConnected)
}

func TestKeysThatAreGone(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.stop()
	w.db = t.TempDir() + "/other.db"
	w.start(t)
	if row := w.awaitState(t, crm.StateLoggedOut); row.Detail != detailNoDevice {
		t.Errorf("the line is %+v", row)
	}
}

func TestLineOfAnotherProcess(t *testing.T) {
	w := newWorld(t, quick)
	w.pair(t)
	w.rules.change(func() { w.rules.session(testLine).LeaseOwner = "another" })
	w.awaitServed(t, false)
	eventually(t, "it is connected without the lease", func() bool { return !w.shop.Online() })
	if _, err := w.m.Pair(t.Context(), testLine, ""); err == nil {
		t.Error("it pairs without the lease")
	}
	w.rules.change(func() { w.rules.session(testLine).LeaseOwner = "" }) // the other process died
	w.awaitServed(t, true)
	w.anna.SendText(w.shop, "taken over")
	w.awaitText(t, "taken over")
}

// TestLeaseOfTheDead checks that the only process on a database does not wait for the
// lease of a dead process.
func TestLeaseOfTheDead(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.stop()
	w.rules.change(func() {
		row := w.rules.session(testLine)
		row.LeaseOwner, row.Leased = "killed", true
	})
	w.start(t, func(o *Options) { o.Alone = true })
	w.awaitServed(t, true)
}

func TestTyping(t *testing.T) {
	w := newWorld(t)
	if err := w.m.Typing(t.Context(), testLine, "79995554433@c.us", crm.TypingText); err != nil {
		t.Errorf("of a bridge: %v", err)
	}
	w.pair(t)
	if err := w.m.Typing(t.Context(), testLine, "79995554433@c.us", crm.TypingText); err != nil {
		t.Error(err)
	}
	if err := w.anna.AwaitTyping(testwait.Context(t), string(types.ChatPresenceComposing)); err != nil {
		t.Error(err)
	}
}

// quick makes heartbeats frequent.
func quick(o *Options) {
	o.times = patient
	o.times.lease = 300 * time.Millisecond
}
