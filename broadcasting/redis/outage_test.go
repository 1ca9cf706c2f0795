package redis_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

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
	for _, n := range nodes { // an event is for those who hear it now
		n.Complete(t, true)
	}
	for i, n := range nodes {
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
	if clustertest.Count(told, "presence-a - u") > 0 || clustertest.Count(told, "presence-a + u ") != 1 {
		t.Errorf("told %q", told)
	}
	for _, n := range nodes {
		n.Has(t, "cut off") // an order was given meanwhile
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

// TestSentinelFailover tests that nodes follow the Sentinels to another master, when the
// first one dies and when it only steps down.
func TestSentinelFailover(t *testing.T) {
	t.Parallel() // it waits most of the time
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
	t.Parallel() // it waits most of the time
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
