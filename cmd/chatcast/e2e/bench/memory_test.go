package bench

import (
	"strconv"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// memory is what a program takes after a collection, in bytes.
type memory struct{ heap, stacks, resident, goroutines int64 }

func (m memory) inUse() int64 { return m.heap + m.stacks }

// memoryOf asks a program at its internal address.
func memoryOf(b *testing.B, internal string) memory {
	b.Helper()
	for range 2 { // the first collection runs finalizers, the second frees their objects
		e2e.Get(b, "http://"+internal+"/debug/pprof/heap?gc=1")
	}
	_, text := e2e.Get(b, "http://"+internal+"/metrics")
	value := func(name string) int64 {
		_, rest, _ := strings.Cut(text, "\n"+name+" ")
		number, _, _ := strings.Cut(rest, "\n")
		f, err := strconv.ParseFloat(number, 64)
		if err != nil {
			b.Fatalf("%s: %v", name, err)
		}
		return int64(f)
	}
	return memory{
		heap: value("go_memstats_heap_alloc_bytes"), stacks: value("go_memstats_stack_inuse_bytes"),
		resident: value("process_resident_memory_bytes"), goroutines: value("go_goroutines"),
	}
}
