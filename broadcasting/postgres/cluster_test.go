package postgres_test

import (
	"log/slog"
	"testing"

	"chatcast/broadcasting/cluster"
	"chatcast/broadcasting/clustertest"
	"chatcast/broadcasting/postgres"
	"chatcast/models/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// open opens nodes on a database of their own.
func open(t testing.TB, count int, o postgres.Options) (nodes []*cluster.Node) {
	t.Helper()
	if o.URL == "" {
		o.URL = testdb.PostgresURL(t)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for range count {
		n, err := postgres.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := n.Close(); err != nil {
				t.Errorf("close the node: %v", err)
			}
		})
		nodes = append(nodes, n)
	}
	return nodes
}

func seams[T any](seam func(*cluster.Node) T) func(t *testing.T, n int) []T {
	return func(t *testing.T, n int) (list []T) {
		for _, node := range open(t, n, postgres.Options{}) {
			list = append(list, seam(node))
		}
		return list
	}
}

func TestBroker(t *testing.T) {
	clustertest.Broker(t, seams((*cluster.Node).Broker))
}

func TestPresence(t *testing.T) {
	clustertest.Presence(t, seams((*cluster.Node).Presence))
}

func TestControl(t *testing.T) {
	clustertest.Control(t, seams((*cluster.Node).Control))
}

func BenchmarkOtherNode(b *testing.B) { clustertest.Bench(b, open(b, 2, postgres.Options{})) }
