package broadcasting_test

import (
	"testing"

	"chatcast/broadcasting"
	"chatcast/broadcasting/clustertest"
)

// nodesOf returns n nodes of one Memory.
func nodesOf[T any](open func(*broadcasting.Memory) T) func(t *testing.T, n int) []T {
	return func(_ *testing.T, n int) (list []T) {
		m := broadcasting.NewMemory(broadcasting.MemoryOptions{})
		for range n {
			list = append(list, open(m))
		}
		return list
	}
}

func TestMemoryBroker(t *testing.T) {
	clustertest.Broker(t, nodesOf((*broadcasting.Memory).Broker))
}

func TestMemoryPresence(t *testing.T) {
	clustertest.Presence(t, nodesOf((*broadcasting.Memory).Presence))
}

func TestMemoryControl(t *testing.T) {
	clustertest.Control(t, nodesOf((*broadcasting.Memory).Control))
}
