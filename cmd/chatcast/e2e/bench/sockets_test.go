package bench

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// BenchmarkIdleSockets measures what the program takes for one of 10,000 idle sockets of each
// protocol, all of which get the events of one line: each kind in a program of its own.
func BenchmarkIdleSockets(b *testing.B) {
	const sockets = 10_000
	binary := e2e.BuildBinary(b)
	for _, kind := range kinds {
		b.Run(kind.name, func(b *testing.B) {
			if b.N == 1 {
				return // the trial run: the figure does not depend on b.N
			}
			owner, internal := startOwner(b, binary)
			key := lineKey(owner)
			var staying sync.WaitGroup
			b.Cleanup(staying.Wait)
			open := func(n int) {
				for range n {
					r := kind.open(b, owner, key)
					b.Cleanup(func() { _ = r.Close() })
					staying.Go(r.stay)
				}
			}
			open(100) // the caches of the program
			before := settled(b, internal)
			open(sockets)
			after := settled(b, internal)
			per := func(before, after int64) float64 { return float64(after-before) / sockets }
			heap, stacks, resident := per(before.heap, after.heap), per(before.stacks, after.stacks), per(before.resident, after.resident)
			b.ReportMetric(heap, "heap-B/socket")
			b.ReportMetric(stacks, "stack-B/socket")
			b.ReportMetric(resident, "resident-B/socket")
			b.ReportMetric(per(before.goroutines, after.goroutines), "goroutines/socket")
			summary = append(summary, fmt.Sprintf("%-52s %.0f bytes of heap, %.0f of stacks, %.0f resident (%d sockets)",
				"an idle socket of "+kind.name, heap, stacks, resident, sockets))
		})
	}
}

// startOwner starts the program with an internal address, and signs the owner in.
func startOwner(b *testing.B, binary string) (owner *e2e.Client, internal string) {
	internal = freeAddress(b)
	cfg := e2e.Config(b)
	p := e2e.Launch(b, binary, "", []string{"CHATCAST_BOOTSTRAP_USER_PASSWORD=" + e2e.OwnerPassword},
		"--server.address=127.0.0.1:0", "--server.internal_address="+internal, "--server.drain_time=0s", "--socketio.namespaces_per_key=0",
		"--database.url="+cfg.Database.URL, "--files.dir="+cfg.Files.Dir)
	owner = &e2e.Client{T: b, Base: p.Base}
	var pair struct{ AccessToken string }
	owner.Must("POST", "/v1/tokens", map[string]any{"email": e2e.OwnerEmail, "password": e2e.OwnerPassword}, &pair)
	owner.Token = pair.AccessToken
	return owner, internal
}

// settled returns the memory of a program when it has given back what it does not need: when
// what is resident has not shrunk for three seconds.
func settled(b *testing.B, internal string) (m memory) {
	b.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var least int64
	for end, same := time.Now().Add(testwait.Long), 0; same < 3 && time.Now().Before(end); <-tick.C {
		m = memoryOf(b, internal)
		if same++; least == 0 || m.resident < least-least/200 {
			least, same = m.resident, 0
		}
	}
	return m
}
