package broadcasting_test

import (
	"context"
	"slices"
	"testing"

	"chatcast/broadcasting"
)

func TestMembers(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	members := func(app, channel string) []string {
		t.Helper()
		ids, err := e.Members(context.Background(), app, channel)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	const room = "presence-room"
	if ids := members("1", room); len(ids) != 0 {
		t.Errorf("nobody is here, but %q are", ids)
	}
	sockets := map[string]*mailbox{}
	for _, s := range []struct{ socket, user string }{{"1", "B"}, {"2", "A"}, {"3", "B"}, {"4", "C"}} {
		sockets[s.socket] = connect(t, e, "1", s.socket, words(""))
		if err := joinAs(t, sockets[s.socket], room, s.user, "{}"); err != nil {
			t.Fatal(err)
		}
	}
	join(t, sockets["1"], "news")
	got := members("1", room)
	if !slices.Equal(got, []string{"B", "A", "C"}) {
		t.Errorf("members %q", got)
	}
	sockets["1"].Unsubscribe(room) // B has another socket
	sockets["2"].Close()
	if now := members("1", room); !slices.Equal(now, []string{"B", "C"}) {
		t.Errorf("members %q", now)
	}
	if !slices.Equal(got, []string{"B", "A", "C"}) {
		t.Errorf("the list that was given out has become %q", got)
	}
	for _, other := range [][2]string{{"2", room}, {"1", "news"}, {"1", "presence-other"}} {
		if ids := members(other[0], other[1]); len(ids) != 0 {
			t.Errorf("%v has %q", other, ids)
		}
	}
}
