package redis_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
	"chatcast/broadcasting/clustertest"
	"chatcast/broadcasting/redis"
	"chatcast/broadcasting/redis/redistest"
	"chatcast/channels/testwait"
)

// quick has the rules of a cluster in less time.
var quick = redis.Options{Lease: 1800 * time.Millisecond, Beat: 300 * time.Millisecond}

// start starts nodes: the first one reaches the server by way of a proxy.
func start(t *testing.T, s *redistest.Server, count int, o redis.Options) (p *testwait.Proxy, nodes []*clustertest.Node) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p = testwait.NewProxy(t, l, "tcp", s.Addr())
	for i := range count {
		o.URL = s.URL()
		if i == 0 {
			o.URL = "redis://" + l.Addr().String()
		}
		nodes = append(nodes, clustertest.Start(t, open(t, 1, o)[0]))
	}
	for _, n := range nodes {
		n.Complete(t, true)
		n.Broker().Interest("1", "news", true)
		n.Broker().Interest("1", "cache-a", true)
	}
	return p, nodes
}

// publish publishes an event that is kept.
func publish(t *testing.T, n *clustertest.Node, data string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testwait.Long)
	defer cancel()
	return n.Broker().Publish(ctx, broadcasting.Event{App: "1", Channel: "cache-a", Data: data})
}

// works waits until events and members get from each node to each other.
func works(t *testing.T, nodes []*clustertest.Node, round string) {
	t.Helper()
	for i, n := range nodes {
		n.Complete(t, true)
		data := fmt.Sprintf("%s-%d", round, i)
		clustertest.Until(t, "an event is published", func() bool {
			return n.Broker().Publish(t.Context(), broadcasting.Event{App: "1", Channel: "news", Data: data}) == nil
		})
		n.Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: data})
		for k, other := range nodes {
			other.Has(t, "news "+data+" 0")
			if k != i {
				other.Has(t, "presence-a + "+data+" ")
			}
		}
		n.Presence().MemberRemoved("1", "presence-a", data)
		for k, other := range nodes {
			if k != i {
				other.Has(t, "presence-a - "+data)
			}
		}
	}
}

// TestDeadNode tests that the members of a node that no longer answers leave, once, that
// the node notices, and that they come back with it.
func TestDeadNode(t *testing.T) {
	s := redistest.Start(t)
	for name, outage := range map[string]func(*testwait.Proxy){"cut": (*testwait.Proxy).Cut, "hanging": (*testwait.Proxy).Hang} {
		t.Run(name, func(t *testing.T) {
			s.Do("FLUSHALL")
			p, nodes := start(t, s, 3, quick)
			nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u", Info: json.RawMessage(`{"a":1}`)})
			nodes[1].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "v"})
			nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "v"})
			nodes[0].Presence().SignedIn("1", "s", 1)
			for _, n := range nodes[1:] {
				n.Has(t, "s online true")
			}
			outage(p)
			began := time.Now()
			for _, n := range nodes[1:] {
				told := n.Has(t, "s online false")
				if lived := time.Since(began); lived > testwait.Scaled(quick.Lease+4*quick.Beat) {
					t.Errorf("a dead node lives for %s", lived)
				}
				if clustertest.Count(told, "presence-a - u") != 1 || clustertest.Count(told, "s online false") != 1 {
					t.Errorf("told %q", told)
				}
			}
			if got := nodes[2].Presence().OtherMembers("1", "presence-a"); len(got) != 1 || got[0].ID != "v" {
				t.Errorf("left are %v", got)
			}
			nodes[0].Complete(t, false)
			if err := publish(t, nodes[0], "x"); !errors.Is(err, cluster.ErrAway) {
				t.Errorf("a node that is cut off publishes: %v", err)
			}
			p.Heal()
			nodes[0].Complete(t, true)
			told := nodes[2].Await(t, "the member", func(told []string) bool { return clustertest.Count(told, `presence-a + u {"a":1}`) == 2 })
			if clustertest.Count(told, "presence-a - v")+clustertest.Count(told, "cut off") > 0 || nodes[0].Stats().CutOffs > 0 {
				t.Errorf("told %q", told)
			}
		})
	}
}

// TestKilledClients tests that nodes whose connections are ended hear again and know what
// happened meanwhile, and that nobody else notices.
func TestKilledClients(t *testing.T) {
	s := redistest.Start(t)
	_, nodes := start(t, s, 2, quick)
	nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u"})
	nodes[1].Has(t, "presence-a + u ")
	for round := range 3 {
		for _, of := range []string{"pubsub", "normal"} {
			s.Do("CLIENT", "KILL", "TYPE", of)
			works(t, nodes, fmt.Sprint(of, round))
		}
	}
	told := nodes[1].Has(t, "presence-a + u ")
	if clustertest.Count(told, "presence-a + u ") > 1 || clustertest.Count(told, "presence-a - u")+clustertest.Count(told, "cut off") > 0 {
		t.Errorf("told %q", told)
	}
	if joins := nodes[0].Stats().Joins; joins < 3 {
		t.Errorf("the node has joined %d times", joins)
	}
}

// TestRestart tests that nodes survive the end of Redis, that what cannot be published is an
// error, that nobody loses a member, and that versions go on although Redis has lost all.
func TestRestart(t *testing.T) {
	s := redistest.Start(t)
	_, nodes := start(t, s, 2, quick)
	nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u"})
	nodes[1].Has(t, "presence-a + u ")
	if err := publish(t, nodes[0], "x"); err != nil {
		t.Fatal(err)
	}
	before, err := nodes[1].Broker().Last(t.Context(), "1", "cache-a")
	if err != nil || before.Version == 0 {
		t.Fatalf("%+v, %v", before, err)
	}
	if answers, err := nodes[0].Control().Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderTerminate, UserID: "7"}, nil); err != nil || len(answers) != 1 {
		t.Fatalf("%v, %v", answers, err)
	}
	s.Kill()
	for i, n := range nodes {
		if err := publish(t, n, "lost"); !errors.Is(err, cluster.ErrAway) {
			t.Errorf("node %d publishes without Redis: %v", i, err)
		}
		n.Complete(t, false)
		if _, err := n.Control().Survey(t.Context(), broadcasting.Order{Kind: broadcasting.OrderTerminate, UserID: "7"}, nil); !errors.Is(err, broadcasting.ErrUnanswered) {
			t.Errorf("node %d gives an order without Redis: %v", i, err)
		}
	}
	nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "v"})
	s.Launch()
	works(t, nodes, "after")
	if err := publish(t, nodes[1], "y"); err != nil {
		t.Fatal(err)
	}
	after, err := nodes[0].Broker().Last(t.Context(), "1", "cache-a")
	if err != nil || after.Version <= before.Version {
		t.Errorf("versions go from %d to %d, %v", before.Version, after.Version, err)
	}
	told := nodes[1].Has(t, "presence-a + v ")
	if clustertest.Count(told, "presence-a - u")+clustertest.Count(told, "cut off") > 0 || clustertest.Count(told, "presence-a + u ") != 1 {
		t.Errorf("told %q", told)
	}
}

// TestPausedRedis tests that a server that hangs is noticed, and that the nodes come back
// without losing a member.
func TestPausedRedis(t *testing.T) {
	s := redistest.Start(t)
	_, nodes := start(t, s, 2, quick)
	nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u"})
	nodes[1].Has(t, "presence-a + u ")
	s.Pause()
	for i, n := range nodes {
		n.Complete(t, false)
		if err := publish(t, n, "lost"); !errors.Is(err, cluster.ErrAway) {
			t.Errorf("node %d publishes to a server that hangs: %v", i, err)
		}
	}
	s.Resume()
	works(t, nodes, "after")
	for i, n := range nodes {
		if told := n.Has(t, "news after-0 0"); clustertest.Count(told, "presence-a - u")+clustertest.Count(told, "cut off") > 0 {
			t.Errorf("node %d was told %q", i, told)
		}
	}
}

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

// numbers returns the number of the last payload of each of so many nodes.
func (s *sender) numbers(nodes int) map[string]int {
	s.t.Helper()
	last := map[string]int{}
	ctx, cancel := context.WithTimeout(s.t.Context(), testwait.Long)
	defer cancel()
	err := s.client.Receive(ctx, s.client.B().Subscribe().Channel(topic).Build(), func(m rueidis.PubSubMessage) {
		words := strings.Fields(m.Message)
		n, _ := strconv.Atoi(words[1])
		if last[words[0]] = n; len(last) == nodes {
			cancel()
		}
	})
	if len(last) != nodes {
		s.t.Fatalf("heard are %v, %v", last, err)
	}
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
	const removed = `{"k":"report","r":[{"k":3,"a":"1","n":"presence-a","u":"u"}]}`

	other.say(-1000, "0 0", removed) // it was held up
	nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "v"})
	if told := nodes[1].Has(t, "presence-a + v "); clustertest.Count(told, "presence-a - u") > 0 {
		t.Errorf("what comes late counts: %q", told)
	}

	other.say(3, "0 0", removed) // something before it was lost
	nodes[1].Await(t, "the member is back", func(told []string) bool {
		return clustertest.Count(told, "presence-a - u") == 1 && clustertest.Count(told, "presence-a + u ") == 2
	})
	if stats := nodes[1].Stats(); stats.Gaps == 0 || stats.CutOffs > 0 {
		t.Errorf("the counters are %+v", stats)
	}

	// Node 0 has heard an order that node 1 has not; there was one before another.
	other.say(1, "0 0", `{"k":"probe","no":7000000000000000}`)
	clustertest.Until(t, "the sockets are disconnected", func() bool { return nodes[1].Stats().CutOffs == 1 })
	other.say(1, "7000000000000001 7000000000000002", `{"k":"order","id":1,"o":{"kind":"apps_changed"}}`)
	clustertest.Until(t, "the sockets are disconnected", func() bool { return nodes[1].Stats().CutOffs == 2 })
}

// TestSentinelFailover tests that nodes follow the Sentinels to another master, when the
// first one dies and when it only steps down.
func TestSentinelFailover(t *testing.T) {
	s := redistest.StartSentinels(t)
	o := quick
	o.URL = s.URL()
	var nodes []*clustertest.Node
	for _, n := range open(t, 2, o) {
		nodes = append(nodes, clustertest.Start(t, n))
		n.Broker().Interest("1", "news", true)
	}
	nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u"})
	nodes[1].Has(t, "presence-a + u ")
	works(t, nodes, "before")
	first := s.Master()
	s.Servers[first].Kill()
	clustertest.Until(t, "the replica becomes the master", func() bool { return s.Master() != first })
	works(t, nodes, "killed")
	s.Servers[first].Launch()
	s.Servers[s.Master()].Until("slave0:", "INFO", "replication")
	second := s.Master()
	clustertest.Until(t, "the master steps down", func() bool {
		s.Sentinels[0].Do("SENTINEL", "FAILOVER", redistest.MasterSet) // it refuses until it knows the replica
		return s.Master() != second
	})
	works(t, nodes, "stepped-down")
	told := nodes[1].Has(t, "presence-a + u ")
	if clustertest.Count(told, "presence-a - u") > 0 {
		t.Errorf("told %q", told)
	}
}

// TestClusterNodeRestart tests that nodes survive the end of a node of a Redis Cluster.
func TestClusterNodeRestart(t *testing.T) {
	servers := redistest.StartCluster(t)
	o := quick
	o.URL = servers[0].URL() + "?addr=" + servers[1].Addr() + "&addr=" + servers[2].Addr()
	var nodes []*clustertest.Node
	for _, n := range open(t, 2, o) {
		nodes = append(nodes, clustertest.Start(t, n))
		n.Broker().Interest("1", "news", true)
	}
	works(t, nodes, "before")
	for i, s := range servers {
		s.Kill()
		s.Launch()
		for _, s := range servers {
			s.Until("cluster_state:ok", "CLUSTER", "INFO")
		}
		works(t, nodes, fmt.Sprint("restarted", i))
	}
}

// TestVersionsNeverGoBack tests it for a Redis that has lost the versions.
func TestVersionsNeverGoBack(t *testing.T) {
	s := redistest.Start(t)
	_, nodes := start(t, s, 1, redis.Options{})
	last := uint64(0)
	for range 3 {
		if err := publish(t, nodes[0], "x"); err != nil {
			t.Fatal(err)
		}
		got, err := nodes[0].Broker().Last(t.Context(), "1", "cache-a")
		if err != nil || got.Version <= last {
			t.Errorf("version %d after %d, %v", got.Version, last, err)
		}
		last = got.Version
		s.Do("FLUSHALL")
	}
}

// TestCacheLimits tests that kept events expire, and that the oldest make room.
func TestCacheLimits(t *testing.T) {
	s := redistest.Start(t)
	_, nodes := start(t, s, 1, redis.Options{Beat: 20 * time.Millisecond})
	n := nodes[0]
	has := func(channel string) bool {
		last, err := n.Broker().Last(t.Context(), "1", channel)
		if err != nil {
			t.Fatal(err)
		}
		return last.Version > 0
	}
	put := func(channel string, bytes int) {
		if err := n.Broker().Publish(t.Context(), broadcasting.Event{App: "1", Channel: channel, Data: strings.Repeat("x", bytes)}); err != nil {
			t.Fatal(err)
		}
	}
	n.SetCacheLimits(time.Hour, 4_000)
	put("cache-a", 10)
	put("cache-a", 5_000)
	if has("cache-a") {
		t.Error("an event beyond the limit is kept, or the one before it is still the last")
	}
	for i := range 4 {
		put(fmt.Sprintf("cache-%d", i), 1_000)
	}
	clustertest.Until(t, "the oldest event makes room", func() bool { return !has("cache-0") })
	if !has("cache-3") || !has("cache-2") {
		t.Error("a newer event is gone")
	}
	n.SetCacheLimits(time.Millisecond, 4_000)
	put("cache-3", 1)
	clustertest.Until(t, "an event expires", func() bool { return !has("cache-3") })
}
