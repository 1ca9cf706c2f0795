package redis_test

import (
	"log/slog"
	"testing"

	"chatcast/broadcasting/cluster"
	"chatcast/broadcasting/clustertest"
	"chatcast/broadcasting/redis"
	"chatcast/broadcasting/redis/redistest"
	"chatcast/channels/testwait"
)

func TestMain(m *testing.M) { testwait.Main(m) }

// open opens nodes on a server.
func open(t testing.TB, count int, o redis.Options) (nodes []*cluster.Node) {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for range count {
		n, err := redis.Open(t.Context(), o)
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

// seams opens nodes on the server at url, which has nothing of an earlier test.
func seams[T any](url func(t *testing.T) string, seam func(*cluster.Node) T) func(t *testing.T, n int) []T {
	return func(t *testing.T, n int) (list []T) {
		for _, node := range open(t, n, redis.Options{URL: url(t)}) {
			list = append(list, seam(node))
		}
		return list
	}
}

// contracts runs the tests of every implementation of the seams.
func contracts(t *testing.T, url func(t *testing.T) string) {
	t.Run("Broker", func(t *testing.T) { clustertest.Broker(t, seams(url, (*cluster.Node).Broker)) })
	t.Run("Presence", func(t *testing.T) { clustertest.Presence(t, seams(url, (*cluster.Node).Presence)) })
	t.Run("Control", func(t *testing.T) { clustertest.Control(t, seams(url, (*cluster.Node).Control)) })
}

func TestStandalone(t *testing.T) {
	s := redistest.Start(t)
	contracts(t, func(*testing.T) string { s.Do("FLUSHALL"); return s.URL() })
}

func TestRedisCluster(t *testing.T) {
	t.Parallel()
	servers := redistest.StartCluster(t)
	contracts(t, func(*testing.T) string {
		for _, s := range servers {
			s.Do("FLUSHALL")
		}
		return servers[0].URL() + "?addr=" + servers[1].Addr()
	})
}

func TestSentinels(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinels(t)
	contracts(t, func(*testing.T) string { s.Servers[s.Master()].Do("FLUSHALL"); return s.URL() })
}

func BenchmarkOtherNode(b *testing.B) {
	clustertest.Bench(b, open(b, 2, redis.Options{URL: redistest.Start(b).URL()}))
}
