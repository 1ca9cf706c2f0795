package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
	"chatcast/broadcasting/clustertest"
	"chatcast/broadcasting/postgres"
	"chatcast/channels/testwait"
	"chatcast/models/testdb"
)

// quick has the rules of a cluster in less time.
var quick = postgres.Options{Lease: 1800 * time.Millisecond, Beat: 300 * time.Millisecond}

// node is a running node on a database.
type node struct {
	*clustertest.Node
	url string // past the proxy
}

// nodesBehind starts nodes: the first one is connected by way of a proxy.
func nodesBehind(t *testing.T, count int, o postgres.Options) (p *testdb.Proxy, nodes []*node) {
	t.Helper()
	url := testdb.PostgresURL(t)
	p = testdb.Between(t, url)
	for i := range count {
		o.URL = url
		if i == 0 {
			o.URL = p.URL
		}
		nodes = append(nodes, &node{clustertest.Start(t, open(t, 1, o)[0]), url})
	}
	for i, n := range nodes {
		if err := n.Presence().Complete(t.Context()); err != nil {
			t.Fatalf("node %d: %v", i, err)
		}
	}
	return p, nodes
}

// TestDeadNode tests that the members of a node that no longer answers leave, once, that
// the node notices, and that they come back with it.
func TestDeadNode(t *testing.T) {
	for name, outage := range map[string]func(*testdb.Proxy){"cut": func(p *testdb.Proxy) { p.Cut() }, "hanging": func(p *testdb.Proxy) { p.Hang() }} {
		t.Run(name, func(t *testing.T) {
			p, nodes := nodesBehind(t, 3, quick)
			nodes[0].Presence().Subscribed("1", "presence-a", 1)
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
			if err := nodes[0].Broker().Publish(t.Context(), broadcasting.Event{App: "1", Channel: "news"}); !errors.Is(err, cluster.ErrAway) {
				t.Errorf("a node that is cut off publishes: %v", err)
			}
			listeners(t, nodes[1], 2)
			p.Heal()
			nodes[0].Complete(t, true)
			told := nodes[2].Await(t, "the member", func(told []string) bool { return clustertest.Count(told, `presence-a + u {"a":1}`) == 2 })
			if clustertest.Count(told, "presence-a - v")+clustertest.Count(told, "cut off") > 0 || nodes[0].Stats().CutOffs > 0 {
				t.Errorf("told %q", told)
			}
		})
	}
}

// listeners waits until as many backends listen.
func listeners(t *testing.T, n *node, want int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), n.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	clustertest.Until(t, "the listener of a dead node ends", func() bool {
		var have int
		err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'chatcast bus'").Scan(&have)
		return err == nil && have == want
	})
}

// TestLostConnection tests that a node whose listening connection was ended hears again,
// knows what happened meanwhile, and that nobody notices.
func TestLostConnection(t *testing.T) {
	_, nodes := nodesBehind(t, 2, quick)
	nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u"})
	nodes[1].Has(t, "presence-a + u ")
	for round := range 5 {
		var joins []int
		for _, n := range nodes {
			joins = append(joins, int(n.Stats().Joins))
		}
		exec(t, nodes[0], "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'chatcast bus'")
		id := fmt.Sprint(round)
		nodes[1].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: id})
		nodes[0].Has(t, "presence-a + "+id+" ")
		nodes[1].Presence().MemberRemoved("1", "presence-a", id)
		nodes[0].Has(t, "presence-a - "+id)
		for i, n := range nodes { // which may have noticed nothing yet
			testwait.Count(t, "joins", joins[i]+1, func() int { return int(n.Stats().Joins) })
			n.Complete(t, true)
		}
	}
	for i, n := range nodes {
		told := n.Has(t, map[int]string{0: "presence-a - 4", 1: "presence-a + u "}[i])
		if clustertest.Count(told, "presence-a + u ") > 1 || clustertest.Count(told, "presence-a - u") > 0 || clustertest.Count(told, "cut off") > 0 {
			t.Errorf("node %d was told %q", i, told)
		}
	}
}

func exec(t *testing.T, n *node, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), n.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// TestMissedOrder tests that the sockets of a node that was cut off are disconnected when
// an order was given that takes access away, and only then.
func TestMissedOrder(t *testing.T) {
	for kind, missed := range map[broadcasting.OrderKind]bool{
		broadcasting.OrderUnsubscribe: true, broadcasting.OrderEndSession: true, broadcasting.OrderTerminate: true, broadcasting.OrderGrant: false,
	} {
		t.Run(string(kind), func(t *testing.T) {
			p, nodes := nodesBehind(t, 2, quick)
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
			if cut := nodes[0].Stats().CutOffs; (cut > 0) != missed {
				t.Errorf("it was cut off %d times", cut)
			}
			if answers, err := ask(testwait.Long); err != nil || len(answers) != 1 {
				t.Errorf("afterwards: %v, %v", answers, err)
			}
			if told := nodes[0].Has(t, "order "+string(kind)); (clustertest.Count(told, "cut off") > 0) != missed || clustertest.Count(told, "order "+string(kind)) != 2 {
				t.Errorf("told %q", told)
			}
		})
	}
}

// TestBigEvents tests events that are larger than a notification, among small ones.
func TestBigEvents(t *testing.T) {
	_, nodes := nodesBehind(t, 2, postgres.Options{})
	sizes := []int{1, 7_700, 7_799, 7_800, 7_801, 8_000, 16_000, 100_000, 1 << 20, 3}
	for i, size := range sizes {
		data := strings.Repeat("ü€𝄞\"<", size/10+1) + fmt.Sprint(i)
		channel := map[bool]string{true: "cache-a", false: "news"}[i%2 == 0]
		if err := nodes[0].Broker().Publish(t.Context(), broadcasting.Event{App: "1", Channel: channel, Data: data}); err != nil {
			t.Fatal(err)
		}
		for _, n := range nodes {
			told := n.Await(t, fmt.Sprintf("event of %d bytes", size), func(told []string) bool { return len(told) > i })
			if !strings.HasPrefix(told[i], channel+" "+data+" ") {
				t.Fatalf("an event of %d bytes has changed", size)
			}
		}
	}
}

// TestRestart tests that nodes survive the end of the database, that what cannot be
// published is an error, that nobody loses a member, and that versions go on.
func TestRestart(t *testing.T) {
	_, nodes := nodesBehind(t, 2, postgres.Options{})
	kept := broadcasting.Event{App: "1", Channel: "cache-a", Data: "x"}
	publish := func(n *node) error {
		ctx, cancel := context.WithTimeout(t.Context(), testwait.Long)
		defer cancel()
		return n.Broker().Publish(ctx, kept)
	}
	nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u"})
	nodes[1].Has(t, "presence-a + u ")
	if err := publish(nodes[0]); err != nil {
		t.Fatal(err)
	}
	before, err := nodes[1].Broker().Last(t.Context(), "1", "cache-a")
	if err != nil || before.Version == 0 {
		t.Fatalf("%+v, %v", before, err)
	}
	testdb.RestartPostgres(t, func() {
		for i, n := range nodes {
			if err := publish(n); err == nil {
				t.Errorf("node %d publishes without a database", i)
			}
			if err := n.Presence().Complete(t.Context()); err == nil {
				t.Errorf("node %d says that it hears the others", i)
			}
		}
		nodes[0].Presence().MemberAdded("1", "presence-a", &broadcasting.Member{ID: "v"})
	})
	for _, n := range nodes {
		n.Complete(t, true)
	}
	if err := publish(nodes[1]); err != nil {
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
}

// TestVersionsNeverGoBack tests it for a database that has lost the state of the sequence.
func TestVersionsNeverGoBack(t *testing.T) {
	_, nodes := nodesBehind(t, 1, postgres.Options{})
	var last uint64
	for _, sql := range []string{"SELECT 1", "ALTER SEQUENCE bus_version RESTART", "TRUNCATE bus_last", "DELETE FROM bus_last"} {
		exec(t, nodes[0], sql)
		if err := nodes[0].Broker().Publish(t.Context(), broadcasting.Event{App: "1", Channel: "cache-a", Data: "x"}); err != nil {
			t.Fatal(err)
		}
		got, err := nodes[0].Broker().Last(t.Context(), "1", "cache-a")
		if err != nil || got.Version <= last {
			t.Errorf("after %s: version %d after %d, %v", sql, got.Version, last, err)
		}
		last = got.Version
	}
}

// TestCacheLimits tests that kept events expire, and that the oldest make room.
func TestCacheLimits(t *testing.T) {
	_, nodes := nodesBehind(t, 1, postgres.Options{Beat: 20 * time.Millisecond})
	n := nodes[0]
	has := func(channel string) bool {
		last, err := n.Broker().Last(t.Context(), "1", channel)
		if err != nil {
			t.Fatal(err)
		}
		return last.Version > 0
	}
	publish := func(channel string, bytes int) {
		if err := n.Broker().Publish(t.Context(), broadcasting.Event{App: "1", Channel: channel, Data: strings.Repeat("x", bytes)}); err != nil {
			t.Fatal(err)
		}
	}
	n.SetCacheLimits(time.Hour, 4_000)
	publish("cache-a", 10)
	publish("cache-a", 5_000)
	if has("cache-a") {
		t.Error("an event beyond the limit is kept, or the one before it is still the last")
	}
	for i := range 4 {
		publish(fmt.Sprintf("cache-%d", i), 1_000)
	}
	clustertest.Until(t, "the oldest event makes room", func() bool { return !has("cache-0") })
	if !has("cache-3") || !has("cache-2") {
		t.Error("a newer event is gone")
	}
	n.SetCacheLimits(time.Millisecond, 4_000)
	publish("cache-3", 1)
	clustertest.Until(t, "an event expires", func() bool { return !has("cache-3") })
}
