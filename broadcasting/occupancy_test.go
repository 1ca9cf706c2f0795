package broadcasting_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"chatcast/broadcasting"
)

// occupied returns the listing as sorted text.
func occupied(t testing.TB, e *broadcasting.Engine, app, prefix string) []string {
	list := channelsOf(t, e, app, prefix)
	slices.SortFunc(list, func(a, b broadcasting.Occupancy) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Name, b.Name))
	})
	var lines []string
	for _, o := range list {
		line := fmt.Sprint(o.App, " ", o.Name, " ", o.Subscriptions)
		if o.Presence {
			line += fmt.Sprint(" of ", o.Users)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestChannels(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	if got := channelsOf(t, e, "1", ""); len(got) > 0 {
		t.Errorf("nobody is here, but in %v", got)
	}
	a, b := connect(t, e, "1", "a", words("")), connect(t, e, "1", "b", words("B:")) // two dialects
	other := connect(t, e, "2", "a", words(""))
	join(t, a, "news")
	join(t, b, "news")
	join(t, a, "sport")
	join(t, other, "news")
	for _, m := range []*mailbox{a, b} { // one user with two sockets
		if err := joinAs(t, m, "presence-room", "A", "{}"); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		app, prefix string
		want        []string
	}{
		{"1", "", []string{"1 news 2", "1 presence-room 2 of 1", "1 sport 1"}},
		{"2", "", []string{"2 news 1"}},
		{"3", "", nil},
		{"", "", []string{"1 news 2", "1 presence-room 2 of 1", "1 sport 1", "2 news 1"}},
		{"1", "presence-", []string{"1 presence-room 2 of 1"}},
		{"", "news", []string{"1 news 2", "2 news 1"}},
		{"1", "ews", nil},
	} {
		if got := occupied(t, e, c.app, c.prefix); !slices.Equal(got, c.want) {
			t.Errorf("app %q, prefix %q: %q, want %q", c.app, c.prefix, got, c.want)
		}
	}
	a.Unsubscribe("sport")
	b.Close()
	other.Close()
	if got, want := occupied(t, e, "", ""), []string{"1 news 1", "1 presence-room 1 of 1"}; !slices.Equal(got, want) {
		t.Errorf("after they left: %q, want %q", got, want)
	}
}

// TestChannelsWhileSocketsComeAndGo checks that a channel whose subscriber stays is in
// every listing, once, and that an empty channel is in none.
func TestChannelsWhileSocketsComeAndGo(t *testing.T) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	const steady = 50
	for i := range steady {
		join(t, connect(t, e, "1", "s"+strconv.Itoa(i), words("")), "steady-"+strconv.Itoa(i))
	}
	rooms := make([]broadcasting.SubscribeRequest, 7)
	for i := range rooms {
		rooms[i] = want(t, "moving-"+strconv.Itoa(i))
	}
	var movers sync.WaitGroup
	for n := range 4 {
		m := connect(t, e, "1", "m"+strconv.Itoa(n), words(""))
		movers.Go(func() {
			for i := range 2000 {
				room := rooms[i%len(rooms)]
				if err := m.Subscribe(context.Background(), room); err != nil {
					t.Error(err)
				}
				if err := e.Publish(t.Context(), broadcasting.Event{App: "1", Channel: room.Name.Full, Name: "n"}); err != nil {
					t.Error(err)
				}
				m.Unsubscribe(room.Name.Full)
			}
		})
	}
	left := make(chan struct{})
	go func() { movers.Wait(); close(left) }()
	for done := false; !done; {
		select {
		case <-left:
			done = true
		default:
		}
		seen := map[string]bool{}
		for _, o := range channelsOf(t, e, "1", "") {
			if seen[o.Name] || o.Subscriptions < 1 || o.Subscriptions > 4 {
				t.Fatalf("listed wrongly: %+v", o)
			}
			seen[o.Name] = true
		}
		for i := range steady {
			if !seen["steady-"+strconv.Itoa(i)] {
				t.Fatalf("steady-%d is missing", i)
			}
		}
	}
	if got := len(channelsOf(t, e, "1", "")); got != steady {
		t.Errorf("%d channels are left, want %d", got, steady)
	}
}

func BenchmarkChannels(b *testing.B) {
	e := broadcasting.NewEngine(broadcasting.Options{})
	for s := range 10 {
		m := connect(b, e, "1", strconv.Itoa(s), words(""))
		for i := range 1000 {
			join(b, m, fmt.Sprintf("private-v1.companies.%d.users.%d", s, i))
		}
	}
	for b.Loop() {
		if n := len(channelsOf(b, e, "", "")); n != 10_000 {
			b.Fatal(n)
		}
	}
}
