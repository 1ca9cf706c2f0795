package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"chatcast/broadcasting"
	"chatcast/broadcasting/clustertest"
	"chatcast/broadcasting/postgres"
	"chatcast/channels/testwait"
	"chatcast/models/testdb"
)

// holding runs statements in a transaction that stays open until release is called.
func holding(t *testing.T, n *node, sql ...string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), n.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append([]string{"BEGIN"}, sql...) {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	release = sync.OnceFunc(func() { _ = conn.Close(context.Background()) })
	t.Cleanup(release)
	return release
}

// waiting returns how many sessions wait for a lock.
func waiting(t *testing.T, n *node) (sessions int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), n.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	err = conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&sessions)
	if err != nil {
		t.Fatal(err)
	}
	return sessions
}

// TestHeldUpSender tests that a node that is held up in the middle of a transaction keeps the
// others waiting only for a moment.
func TestHeldUpSender(t *testing.T) {
	p, nodes := nodesBehind(t, 2, postgres.Options{})
	release := holding(t, nodes[0], "SELECT pg_advisory_xact_lock(109299962740993)") // that of kept events
	kept := broadcasting.Event{App: "1", Channel: "cache-a", Data: "x"}
	sent := make(chan error, 1)
	go func() { sent <- nodes[0].Broker().Publish(t.Context(), kept) }()
	clustertest.Until(t, "the node waits", func() bool { return waiting(t, nodes[0]) == 1 })
	p.Hang()
	release()
	ctx, cancel := context.WithTimeout(t.Context(), testwait.Long)
	defer cancel()
	if err := nodes[1].Broker().Publish(ctx, kept); err != nil {
		t.Errorf("another node: %v", err)
	}
	p.Heal()
	if err := <-sent; err == nil {
		t.Error("what a node was held up in is sent")
	}
}

// TestLockedNode tests that a dead node whose row is locked keeps nobody from renewing a lease.
func TestLockedNode(t *testing.T) {
	p, nodes := nodesBehind(t, 3, quick)
	nodes[0].Presence().SignedIn("1", "u", 1)
	nodes[1].Has(t, "u online true")
	p.Cut()
	nodes[0].Complete(t, false)
	release := holding(t, nodes[1], "SELECT 1 FROM bus_nodes ORDER BY started_at LIMIT 1 FOR UPDATE")
	before := nodes[1].Stats().Received
	clustertest.Until(t, "the lease is renewed while a row is locked", func() bool { return nodes[1].Stats().Received > before+30 })
	if s := nodes[1].Stats(); s.Buried > 0 || s.Joins > 0 || !s.Up {
		t.Errorf("meanwhile: %+v", s)
	}
	release()
	nodes[1].Has(t, "u online false")
}

// TestReadsKeepNoLeaseWaiting tests that a node on which many wait for the last events of cache
// channels sends and stays in the cluster.
func TestReadsKeepNoLeaseWaiting(t *testing.T) {
	_, nodes := nodesBehind(t, 2, postgres.Options{})
	release := holding(t, nodes[0], "LOCK TABLE bus_last")
	ctx, stop := context.WithCancel(t.Context())
	var reads sync.WaitGroup
	for range 32 {
		reads.Go(func() {
			for ctx.Err() == nil {
				_, _ = nodes[0].Broker().Last(ctx, "1", "cache-a")
			}
		})
	}
	clustertest.Until(t, "the reads wait", func() bool { return waiting(t, nodes[0]) == 4 })
	before := nodes[1].Stats().Received
	if err := nodes[0].Broker().Publish(t.Context(), broadcasting.Event{App: "1", Channel: "news", Data: "x"}); err != nil {
		t.Errorf("publish meanwhile: %v", err)
	}
	nodes[1].Has(t, "news x 0")
	clustertest.Until(t, "both renew their leases", func() bool { return nodes[1].Stats().Received >= before+6 })
	stop()
	release()
	reads.Wait()
	if s := nodes[0].Stats(); s.Joins > 0 {
		t.Errorf("meanwhile: %+v", s)
	}
}

// TestClockStep tests that nobody is buried because the clock of the database was put forward.
func TestClockStep(t *testing.T) {
	o := quick
	o.URL = testdb.PostgresURL(t)
	first := &node{nil, o.URL}
	for _, sql := range []string{
		"CREATE TABLE clock_step (step interval)", "INSERT INTO clock_step VALUES ('0')",
		"CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT pg_catalog.clock_timestamp() + step FROM public.clock_step'",
		"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$",
	} {
		exec(t, first, sql)
	}
	var nodes []*clustertest.Node
	for _, n := range open(t, 4, o) {
		nodes = append(nodes, clustertest.Start(t, n))
	}
	received := func(more uint64) {
		t.Helper()
		want := nodes[0].Stats().Received + more
		clustertest.Until(t, "leases are renewed", func() bool { return nodes[0].Stats().Received >= want })
	}
	received(40) // so that each may bury
	exec(t, first, "UPDATE public.clock_step SET step = '1 hour'")
	received(20)
	for i, n := range nodes {
		if s := n.Stats(); s.Buried > 0 || s.Joins > 0 {
			t.Errorf("node %d: %+v", i, s)
		}
	}
}
