package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"chatcast/broadcasting"
	"chatcast/broadcasting/clustertest"
	"chatcast/broadcasting/redis/redistest"
	"chatcast/channels/testwait"
)

// TestMissedOrder tests that the sockets of a node that was cut off are disconnected when
// an order was given that takes access away, and only then.
func TestMissedOrder(t *testing.T) {
	s := redistest.Start(t)
	for kind, missed := range map[broadcasting.OrderKind]bool{broadcasting.OrderTerminate: true, broadcasting.OrderGrant: false} {
		t.Run(string(kind), func(t *testing.T) {
			s.Do("FLUSHALL")
			p, nodes := start(t, s, 2, quick)
			ask := func(time time.Duration) ([]broadcasting.Answer, error) {
				ctx, cancel := context.WithTimeout(t.Context(), time)
				defer cancel()
				return nodes[1].Control().Survey(ctx, broadcasting.Order{Kind: kind, UserID: "7"}, nil)
			}
			if answers, err := ask(testwait.Long); err != nil || len(answers) != 1 {
				t.Fatalf("%v, %v", answers, err)
			}
			p.Cut()
			nodes[0].Complete(t, false)
			if _, err := ask(quick.Beat); !errors.Is(err, broadcasting.ErrUnanswered) {
				t.Errorf("an order to a node that is cut off: %v", err)
			}
			p.Heal()
			nodes[0].Complete(t, true)
			if answers, err := ask(testwait.Long); err != nil || len(answers) != 1 {
				t.Errorf("afterwards: %v, %v", answers, err)
			}
			told := nodes[0].Has(t, "order "+string(kind))
			if (clustertest.Count(told, "cut off") > 0) != missed || clustertest.Count(told, "order "+string(kind)) != 2 {
				t.Errorf("told %q", told)
			}
		})
	}
}

// TestMissedOrderAndLostRedis tests that a missed order is known although Redis has lost
// its number: the nodes that heard it tell.
func TestMissedOrderAndLostRedis(t *testing.T) {
	s := redistest.Start(t)
	p, nodes := start(t, s, 3, quick)
	p.Cut()
	nodes[0].Complete(t, false)
	ctx, cancel := context.WithTimeout(t.Context(), quick.Beat)
	defer cancel()
	_, _ = nodes[1].Control().Survey(ctx, broadcasting.Order{Kind: broadcasting.OrderTerminate, UserID: "7"}, nil)
	nodes[2].Has(t, "order terminate")
	s.Kill()
	s.Launch()
	p.Heal()
	nodes[0].Has(t, "cut off")
	for i, n := range nodes[1:] {
		n.Complete(t, true)
		if told := n.Await(t, "anything", func([]string) bool { return true }); clustertest.Count(told, "cut off") > 0 {
			t.Errorf("node %d was told %q", i+1, told)
		}
	}
}

// TestUnsureOrder tests that the sockets of the other nodes are disconnected when it is not
// known whether an order has reached Redis.
func TestUnsureOrder(t *testing.T) {
	s := redistest.Start(t)
	p, nodes := start(t, s, 2, quick)
	p.Hang()
	if _, err := nodes[0].Control().Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderTerminate, UserID: "7"}, nil); !errors.Is(err, broadcasting.ErrUnanswered) {
		t.Fatalf("an order that does not reach Redis: %v", err)
	}
	p.Cut() // what hangs is lost
	p.Heal()
	nodes[1].Has(t, "cut off")
	if told := nodes[0].Await(t, "anything", func([]string) bool { return true }); clustertest.Count(told, "cut off") > 0 {
		t.Errorf("told %q", told)
	}
}

// sender speaks in the name of nodes.
type sender struct {
	t      *testing.T
	client rueidis.Client
}

const topic = "chatcast:0:{nodes}"

func newSender(t *testing.T, s *redistest.Server) *sender {
	t.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.Addr()}, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &sender{t, client}
}

// receive hears payloads until enough returns true.
func (s *sender) receive(enough func(payload string) bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), testwait.Long)
	defer cancel()
	over := false
	err := s.client.Receive(ctx, s.client.B().Subscribe().Channel(topic).Build(), func(m rueidis.PubSubMessage) {
		if over = over || enough(m.Message); over {
			cancel()
		}
	})
	if !over {
		s.t.Fatalf("what was waited for is not heard: %v", err)
	}
}

// hears waits for a payload that holds text.
func (s *sender) hears(text string) {
	s.t.Helper()
	s.receive(func(payload string) bool { return strings.Contains(payload, text) })
}

// numbers returns the number of the last payload of each of so many nodes.
func (s *sender) numbers(nodes int) map[string]int {
	s.t.Helper()
	last := map[string]int{}
	s.receive(func(payload string) bool {
		words := strings.Fields(payload)
		last[words[0]], _ = strconv.Atoi(words[1])
		return len(last) == nodes
	})
	return last
}

// say sends a payload as if it was the ahead-th that comes from each of two nodes. Each
// node ignores what comes in its own name.
func (s *sender) say(ahead int, numbers, body string) {
	s.t.Helper()
	for id, n := range s.numbers(2) {
		payload := fmt.Sprintf("%s %d %s\n[%s]", id, max(n+ahead, 1), numbers, body)
		if err := s.client.Do(s.t.Context(), s.client.B().Publish().Channel(topic).Message(payload).Build()).Error(); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestLostMessages tests what nodes do when something was lost on the way.
func TestLostMessages(t *testing.T) {
	s := redistest.Start(t)
	_, nodes := start(t, s, 2, quick)
	nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u"})
	nodes[1].Has(t, "presence-a + u ")
	other := newSender(t, s)
	other.hears(`{"k":"probe","no":0,"n":1}`) // so a node that has missed the report finds it
	const removed = `{"k":"report","n":2,"r":[{"k":3,"a":"1","n":"presence-a","u":"u"}]}`

	other.say(-1000, "0 0", removed) // it was held up
	nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "v"})
	if told := nodes[1].Has(t, "presence-a + v "); clustertest.Count(told, "presence-a - u") > 0 {
		t.Errorf("what comes late counts: %q", told)
	}

	other.say(3, "0 0", removed) // something before it was lost
	clustertest.Until(t, "a gap is counted", func() bool { return nodes[1].Stats().Gaps > 0 })
	nodes[1].Complete(t, true)
	nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "w"})
	if told := nodes[1].Has(t, "presence-a + w "); clustertest.Count(told, "presence-a - u") > 0 {
		t.Errorf("what comes before the state counts: %q", told)
	}
	if stats := nodes[1].Stats(); stats.Gaps == 0 || stats.CutOffs > 0 {
		t.Errorf("the counters are %+v", stats)
	}

	// Node 0 has heard an order that node 1 has not; there was one before another.
	other.say(1, "0 0", `{"k":"probe","no":7000000000000000}`)
	clustertest.Until(t, "the sockets are disconnected", func() bool { return nodes[1].Stats().CutOffs == 1 })
	other.say(1, "7000000000000001 7000000000000002", `{"k":"order","id":1,"o":{"kind":"apps_changed"}}`)
	clustertest.Until(t, "the sockets are disconnected", func() bool { return nodes[1].Stats().CutOffs == 2 })
}
