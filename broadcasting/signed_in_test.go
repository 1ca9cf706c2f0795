package broadcasting_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"

	"chatcast/broadcasting"
)

func signIn(t *testing.T, m *mailbox, user string, watchlist ...string) {
	t.Helper()
	if err := m.SignIn(broadcasting.Identity{UserID: user, Data: user + "!", Watchlist: watchlist}); err != nil {
		t.Fatalf("sign in as %s: %v", user, err)
	}
}

func TestSignIn(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a := connect(t, e, "1", "a", words(""))
	if a.SignedIn() != "" || a.User() != "" {
		t.Error("signed in before")
	}
	signIn(t, a, "A")
	expect(t, a, "signed in A!")
	signIn(t, a, "A") // again
	expect(t, a, "signed in A!")
	if err := a.SignIn(broadcasting.Identity{UserID: "B"}); !errors.Is(err, broadcasting.ErrOtherUser) {
		t.Errorf("as another user: %v", err)
	}
	expect(t, a)
	if a.SignedIn() != "A" || a.User() != "A" || e.Stats().Users != 0 {
		t.Errorf("signed in as %q, user %q, %+v", a.SignedIn(), a.User(), e.Stats())
	}
	a.Close()
	if err := a.SignIn(broadcasting.Identity{UserID: "A"}); !errors.Is(err, broadcasting.ErrClosed) {
		t.Errorf("a closed socket signs in: %v", err)
	}
}

func TestWatchlist(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	sockets := map[string]*mailbox{}
	socket := func(id string) *mailbox {
		if sockets[id] == nil {
			sockets[id] = connect(t, e, "1", id, words(""))
		}
		return sockets[id]
	}
	w, w2 := socket("w"), connect(t, e, "1", "w2", words("B:"))
	stranger := connect(t, e, "2", "s", words(""))
	signIn(t, stranger, "A") // another app's A
	signIn(t, socket("b"), "B")
	signIn(t, w, "W", "A", "B", "W", "nobody")
	expect(t, w, "signed in W!", "online B W") // itself, because it asked
	signIn(t, w2, "W", "A")
	expect(t, w2, "B:signed in W!")

	signIn(t, socket("a1"), "A")
	expect(t, w, "online A")
	expect(t, w2, "B:online A")
	expect(t, socket("a1"), "signed in A!")
	signIn(t, socket("a2"), "A") // the watcher is not told
	socket("a1").Close()
	expect(t, w)
	socket("a2").Close()
	socket("a2").Close()
	expect(t, w, "offline A")
	expect(t, w2, "B:offline A")
	expect(t, stranger, "signed in A!")

	// A new watchlist replaces the old one.
	signIn(t, w, "W", "C")
	expect(t, w, "signed in W!")
	signIn(t, connect(t, e, "1", "a3", words("")), "A")
	signIn(t, connect(t, e, "1", "c", words("")), "C")
	expect(t, w, "online C")
	expect(t, w2, "B:online A")
	w2.Close()
	socket("b").Close()
	expect(t, w2)
	expect(t, w)
}

// A socket that watches its own user hears of other sockets' end only when none is
// left.
func TestWatchOneself(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a, b := connect(t, e, "1", "a", words("")), connect(t, e, "1", "b", words(""))
	signIn(t, a, "A", "A")
	expect(t, a, "signed in A!", "online A")
	signIn(t, b, "A", "A")
	b.Close()
	expect(t, a)
	a.Close()
	expect(t, a)
}

func TestTerminate(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	closed := map[string]string{}
	made := func(app, id, user string) *broadcasting.Conn {
		c, err := e.Connect(broadcasting.Peer{
			App: app, ID: id, Dialect: words(""), Out: new(drop),
			Disconnect: func(c broadcasting.DisconnectCause) {
				closed[app+id] += map[broadcasting.DisconnectCause]string{broadcasting.AccessEnded: "access ended", broadcasting.Terminated: "terminated"}[c]
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			if err := c.SignIn(broadcasting.Identity{UserID: user}); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	made("1", "a", "7")
	gone := made("1", "b", "7")
	made("1", "c", "8")
	made("1", "d", "")
	made("2", "a", "7")
	grant(t, e, "1", "d", "private-x", "7") // a user of the CRM, not of the app
	plain := connect(t, e, "1", "plain", words(""))
	signIn(t, plain, "7")
	if n := terminate(t, e, "1", "nobody"); n != 0 {
		t.Errorf("nobody had %d sockets", n)
	}
	gone.Close()
	if n := terminate(t, e, "1", "7"); n != 2 || len(closed) != 1 || closed["1a"] != "terminated" || plain.disconnected == 0 {
		t.Errorf("%d: %v, %v", n, closed, plain.disconnected)
	}
	// A user of the CRM is not a user of the app.
	disconnect(t, e, "7")
	if closed["1d"] != "access ended" || closed["2a"] != "" || len(closed) != 2 {
		t.Errorf("%v", closed)
	}
}

// Identify makes Disconnect close a socket.
func TestIdentify(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a := connect(t, e, "1", "a", words(""))
	if identify(t, e, "2", "a", "7") || identify(t, e, "1", "b", "7") || !identify(t, e, "1", "a", "7") || !identify(t, e, "1", "a", "7") {
		t.Error("who is here?")
	}
	if a.User() != "7" || a.SignedIn() != "" || e.Stats().Users != 1 {
		t.Errorf("%q %q %+v", a.User(), a.SignedIn(), e.Stats())
	}
	disconnect(t, e, "7")
	if a.disconnected == 0 {
		t.Error("still here")
	}
	a.Close()
	if identify(t, e, "1", "a", "7") || e.Stats().Users != 0 {
		t.Error("a closed socket is still known")
	}
}

// However users come and go, each watcher is told online and offline in turn, and its
// last state is right.
func TestWatchlistInTurn(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	w := connect(t, e, "1", "w", words(""))
	users := []string{"0", "1", "2"}
	signIn(t, w, "W", users...)
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 200 {
				m := connect(t, e, "1", strconv.Itoa(g)+"-"+strconv.Itoa(i), words(""))
				signIn(t, m, users[g%3], "W", "1")
				terminate(t, e, "1", "nobody")
				m.Close()
			}
		})
	}
	wg.Wait()
	online := map[string]bool{}
	for _, frame := range w.take()[1:] {
		f := strings.Fields(frame)
		if online[f[1]] == (f[0] == "online") {
			t.Fatalf("%q twice", frame)
		}
		online[f[1]] = f[0] == "online"
	}
	for _, user := range users {
		if online[user] {
			t.Errorf("%s stays online", user)
		}
	}
}
