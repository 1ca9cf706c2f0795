package broadcasting_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"chatcast/broadcasting"
)

func TestPublish(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a, b, other := connect(t, e, "1", "a", words("")), connect(t, e, "1", "b", words("B:")), connect(t, e, "2", "a", words(""))
	join(t, a, "news")
	join(t, b, "news")
	join(t, other, "news")
	join(t, a, "sport")
	expect(t, a, "in news", "in sport")
	expect(t, b, "B:in news")
	expect(t, other, "in news")

	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "1"})
	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "2", Except: "a"})
	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "3", Except: "nobody"})
	publish(t, e, broadcasting.Event{App: "1", Channel: "sport", Name: "n", Data: "4", Except: "b"})
	publish(t, e, broadcasting.Event{App: "1", Channel: "empty", Name: "n"})
	expect(t, a, "news n 1", "news n 3", "sport n 4")
	expect(t, b, "B:news n 1", "B:news n 2", "B:news n 3")
	expect(t, other)

	if !a.Unsubscribe("news") || a.Unsubscribe("news") {
		t.Error("unsubscribe")
	}
	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "5"})
	expect(t, a)
	expect(t, b, "B:news n 5")
	b.Close()
	b.Close()
	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "6"})
	expect(t, b)
	if err := b.Subscribe(context.Background(), want(t, "news")); !errors.Is(err, broadcasting.ErrClosed) {
		t.Errorf("a closed socket subscribes: %v", err)
	}
	if st := e.Stats(); st.Channels != 2 || st.Sockets != 2 || st.Published != 7 || st.Delivered != 7 {
		t.Errorf("stats: %+v", st)
	}
}

func TestTwiceIsOnce(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a := connect(t, e, "1", "a", words(""))
	join(t, a, "news")
	join(t, a, "news")
	publish(t, e, broadcasting.Event{App: "1", Channel: "news", Name: "n", Data: "1"})
	expect(t, a, "in news", "in news", "news n 1")
	if a.Channels() != 1 {
		t.Errorf("in %d channels", a.Channels())
	}
	if _, err := e.Connect(broadcasting.Peer{App: "1", ID: "a", Dialect: words(""), Out: a}); !errors.Is(err, broadcasting.ErrTaken) {
		t.Errorf("a second socket of the same id: %v", err)
	}
}

func TestTooManyChannels(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	a := connect(t, e, "1", "a", words(""))
	for i := range 1000 {
		join(t, a, "c"+strconv.Itoa(i))
	}
	if err := a.Subscribe(context.Background(), want(t, "one-more")); !errors.Is(err, broadcasting.ErrTooMany) {
		t.Errorf("the 1001st: %v", err)
	}
	join(t, a, "c7") // again
	a.Unsubscribe("c7")
	join(t, a, "one-more")
	a.Close()
	if st := e.Stats(); st.Channels != 0 || st.Sockets != 0 {
		t.Errorf("left: %+v", st)
	}
}

func TestPresence(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	sockets := map[string]*mailbox{}
	for _, id := range []string{"a1", "a2", "b", "watcher"} {
		sockets[id] = connect(t, e, "1", id, words(""))
	}
	const ch = "presence-room"
	for _, step := range []struct {
		socket, user, info string // user "": leaves
		hears              map[string][]string
		subscriptions      int
		users              int
	}{
		{"watcher", "W", `{"n":0}`, map[string][]string{"watcher": {`in presence-room W={"n":0}`}}, 1, 1},
		{"a1", "A", `{"n":1}`, map[string][]string{
			"watcher": {`added presence-room A={"n":1}`},
			"a1":      {`in presence-room W={"n":0} A={"n":1}`},
		}, 2, 2},
		// A's second socket is not announced, and the first one's info stays.
		{"a2", "A", `{"n":2}`, map[string][]string{"a2": {`in presence-room W={"n":0} A={"n":1}`}}, 3, 2},
		// The same socket again, as another member: it keeps its first member.
		{"a2", "X", ``, map[string][]string{"a2": {`in presence-room W={"n":0} A={"n":1}`}}, 3, 2},
		{"b", "B", ``, map[string][]string{
			"watcher": {`added presence-room B=`}, "a1": {`added presence-room B=`}, "a2": {`added presence-room B=`},
			"b": {`in presence-room W={"n":0} A={"n":1} B=`},
		}, 4, 3},
		// A's first socket leaves: A stays, with the same info.
		{"a1", "", "", nil, 3, 3},
		{"a1", "A", `{"n":3}`, map[string][]string{"a1": {`in presence-room W={"n":0} A={"n":1} B=`}}, 4, 3},
		{"a1", "", "", nil, 3, 3},
		{"a2", "", "", map[string][]string{"watcher": {"removed presence-room A"}, "b": {"removed presence-room A"}}, 2, 2},
		// A is new again, with new info.
		{"a2", "A", `{"n":4}`, map[string][]string{
			"watcher": {`added presence-room A={"n":4}`}, "b": {`added presence-room A={"n":4}`},
			"a2": {`in presence-room W={"n":0} B= A={"n":4}`},
		}, 3, 3},
	} {
		m := sockets[step.socket]
		if step.user == "" {
			m.Unsubscribe(ch)
		} else if err := joinAs(t, m, ch, step.user, step.info); err != nil {
			t.Fatal(err)
		}
		for id, other := range sockets {
			if got := other.take(); !slices.Equal(got, step.hears[id]) {
				t.Errorf("%s as %q: %s got %q, want %q", step.socket, step.user, id, got, step.hears[id])
			}
		}
		subs, users, err := e.Count(context.Background(), "1", ch)
		if err != nil || subs != step.subscriptions || users != step.users {
			t.Errorf("%s as %q: counts %d %d %v", step.socket, step.user, subs, users, err)
		}
	}
	if m, in := sockets["a2"].Subscribed(ch); !in || m.ID != "A" {
		t.Errorf("a2 is %v, %v", m, in)
	}
	// A closed socket leaves like one that unsubscribes.
	sockets["b"].Close()
	expect(t, sockets["watcher"], "removed presence-room B")
}

func TestPresenceIsFull(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	for i := range 100 {
		if err := joinAs(t, connect(t, e, "1", strconv.Itoa(i), words("")), "presence-r", strconv.Itoa(i), ""); err != nil {
			t.Fatal(err)
		}
	}
	late := connect(t, e, "1", "late", words(""))
	if err := joinAs(t, late, "presence-r", "new", ""); !errors.Is(err, broadcasting.ErrFull) {
		t.Errorf("the 101st user: %v", err)
	}
	if err := joinAs(t, late, "presence-r", "7", ""); err != nil {
		t.Errorf("a known user's second socket: %v", err)
	}
	none := want(t, "presence-tiny")
	none.MaxMembers, none.Member = 0, &broadcasting.Member{ID: "x"}
	if err := late.Subscribe(context.Background(), none); !errors.Is(err, broadcasting.ErrFull) || e.Stats().Channels != 1 {
		t.Errorf("a channel for nobody: %v, %+v", err, e.Stats())
	}
}
