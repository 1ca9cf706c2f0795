package broadcasting_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
)

// A socket belongs to one user. Nobody else can be granted anything on it, from any
// node, and what the owner may do stays as it was.
func TestSocketHasOneOwner(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, a, b *broadcasting.Engine, _ func()) {
		m := connect(t, b, "1", "m", words(""))
		grant(t, b, "1", "m", "private-l", "7")
		for name, e := range map[string]*broadcasting.Engine{"here": b, "elsewhere": a} {
			other := broadcasting.Owner{UserID: "8"}
			if found, err := e.Grant(t.Context(), "1", "m", other, "private-l", ""); !found || !errors.Is(err, broadcasting.ErrOtherOwner) {
				t.Errorf("%s: Grant: %v, %v", name, found, err)
			}
			if found, err := e.Identify(t.Context(), "1", "m", other); !found || !errors.Is(err, broadcasting.ErrOtherOwner) {
				t.Errorf("%s: Identify: %v, %v", name, found, err)
			}
			if !grant(t, e, "1", "m", "private-m", "7") || !identify(t, e, "1", "m", "7") {
				t.Errorf("%s: the owner is refused", name)
			}
		}
		if m.User() != "7" || !m.Identified("7") || m.Identified("8") {
			t.Errorf("the socket is %q's", m.User())
		}
		join(t, m, "private-l")
		m.take()
		unsubscribe(t, a, "8", "private-l") // never theirs
		m.gets(t)
		unsubscribe(t, a, "7", "private-l") // nobody else keeps it in
		m.gets(t, "revoked private-l")
		if err := m.Subscribe(t.Context(), want(t, "private-l")); !errors.Is(err, broadcasting.ErrRevoked) {
			t.Errorf("%v", err)
		}
	})
}

// A channel that needs a grant cannot be entered without one, nor with other data than
// was granted.
func TestSubscriptionNeedsGrant(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	m := connect(t, e, "1", "m", words(""))
	enter := func(data string) error {
		w := want(t, "private-l")
		w.NeedsGrant, w.Data = true, data
		return m.Subscribe(t.Context(), w)
	}
	refused := func(when, data string) {
		t.Helper()
		if err := enter(data); !errors.Is(err, broadcasting.ErrNotGranted) {
			t.Errorf("%s: %v", when, err)
		}
	}
	refused("without a grant", "")
	grant(t, e, "1", "m", "private-m", "7")
	refused("with the grant of another channel", "")
	if _, err := e.Grant(t.Context(), "1", "m", broadcasting.Owner{UserID: "7"}, "private-l", "signed"); err != nil {
		t.Fatal(err)
	}
	refused("with nothing", "")
	refused("with other data", "forged")
	if err := enter("signed"); err != nil {
		t.Error(err)
	}
	refused("in already, with other data", "forged")
	if err := enter("signed"); err != nil {
		t.Error(err)
	}
}

// A socket ends with the session that vouched for it, whichever node it is on.
func TestEndSession(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, a, b *broadcasting.Engine, _ func()) {
		vouch := func(id, user string, session int64) {
			t.Helper()
			if found, err := a.Grant(t.Context(), "1", id, broadcasting.Owner{UserID: user, Session: session}, "private-l", ""); !found || err != nil {
				t.Fatal(found, err)
			}
		}
		m, same, other, later, stranger := connect(t, b, "1", "m", words("")), connect(t, a, "1", "same", words("")),
			connect(t, b, "1", "other", words("")), connect(t, b, "1", "later", words("")), connect(t, b, "1", "stranger", words(""))
		late := connect(t, b, "1", "late", words(""))
		vouch("m", "7", 1)
		vouch("same", "7", 1)
		vouch("other", "7", 2)
		vouch("later", "7", 1)
		vouch("later", "7", 2) // signed in anew
		vouch("late", "7", 2)
		vouch("late", "7", 1) // a request that began before the other session
		vouch("stranger", "8", 1)
		if err := a.EndSession(t.Context(), "7", 1); err != nil {
			t.Fatal(err)
		}
		for name, s := range map[string]*mailbox{"m": m, "same": same} {
			if s.disconnected != broadcasting.AccessEnded {
				t.Errorf("%s stays", name)
			}
		}
		for name, s := range map[string]*mailbox{"of another session": other, "vouched for by another": later, "asked for by a late request": late, "another user's": stranger} {
			if s.disconnected != 0 {
				t.Errorf("%s ends", name)
			}
		}
		if err := a.EndEarlierSessions(t.Context(), "7", 2); err != nil {
			t.Fatal(err)
		}
		if other.disconnected != 0 || later.disconnected != 0 || stranger.disconnected != 0 {
			t.Error("the end of the sessions before 2 ends others")
		}
		if err := a.EndEarlierSessions(t.Context(), "7", 3); err != nil {
			t.Fatal(err)
		}
		for name, s := range map[string]*mailbox{"elsewhere": other, "elsewhere, vouched for twice": later, "elsewhere, asked for late": late} {
			if s.disconnected != broadcasting.AccessEnded {
				t.Errorf("%s: stays after the end of the sessions before 3", name)
			}
		}
		if stranger.disconnected != 0 {
			t.Error("a stranger ends")
		}
	})
}

// A socket ends some minutes after its session, unless that was extended by then.
func TestSessionExpires(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, a, b *broadcasting.Engine, _ func()) {
		begin := time.Now()
		owner := broadcasting.Owner{UserID: "7", Session: 1, Until: begin.Add(time.Hour)}
		vouch := func(e *broadcasting.Engine, id string, o broadcasting.Owner) {
			t.Helper()
			if found, err := e.Identify(t.Context(), "1", id, o); !found || err != nil {
				t.Fatal(found, err)
			}
		}
		var mu sync.Mutex
		ended := map[string]time.Duration{} // guarded by mu
		open := func(e *broadcasting.Engine, id string) *broadcasting.Conn {
			c, err := e.Connect(broadcasting.Peer{App: "1", ID: id, Dialect: words(""), Out: new(drop), Disconnect: func(broadcasting.DisconnectCause) {
				mu.Lock()
				defer mu.Unlock()
				ended[id] = time.Since(begin)
			}})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		open(b, "refreshed")
		open(b, "other")
		open(b, "endless")
		closed := open(b, "closed")
		vouch(a, "refreshed", owner)
		vouch(a, "other", broadcasting.Owner{UserID: "7", Session: 2, Until: begin.Add(2 * time.Hour)})
		vouch(a, "endless", broadcasting.Owner{UserID: "7", Session: 3})
		vouch(a, "closed", owner)
		closed.Close()
		time.Sleep(time.Hour + time.Minute) // within the grace
		extended := owner
		extended.Until = begin.Add(3 * time.Hour)
		if err := a.ExtendSession(t.Context(), extended); err != nil {
			t.Fatal(err)
		}
		vouch(a, "refreshed", owner)                                // a request from before the refresh, which comes late
		if err := a.ExtendSession(t.Context(), owner); err != nil { // the same
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		want := map[string]time.Duration{"refreshed": 3*time.Hour + 5*time.Minute, "other": 2*time.Hour + 5*time.Minute}
		if len(ended) != len(want) || ended["refreshed"] != want["refreshed"] || ended["other"] != want["other"] {
			t.Errorf("ended %v, want %v", ended, want)
		}
	})
}
