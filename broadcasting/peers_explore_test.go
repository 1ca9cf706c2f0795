package broadcasting_test

import (
	"fmt"
	"hash/maphash"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// explorer does everything that can happen in some steps, one step after the other. Worlds
// that are alike are looked at once, when the first way has come there: no other way leaves
// more steps. Of a world only a hash of 64 bits is kept: among ten million, two have the same
// one by chance once in 400,000 runs.
type explorer struct {
	rule *modelRule
	last bool // what is done now is the last step
	seed maphash.Seed
	seen [64]hashes // of worlds, and of points on their way to rest

	tried, worlds atomic.Int64
	stop          atomic.Bool // there is a fault

	mu sync.Mutex
	// guarded by mu
	fault string // the first way on which something is wrong in the end
	next  [][]action
}

// hashes is a set.
type hashes struct {
	mu  sync.Mutex
	has map[uint64]struct{}
}

// add reports whether h is new.
func (s *hashes) add(h uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.has)
	s.has[h] = struct{}{}
	return len(s.has) > before
}

// explore returns the explorer after so many steps, or after a fault.
func explore(rule *modelRule, steps int) *explorer {
	e := &explorer{rule: rule, seed: maphash.MakeSeed(), next: [][]action{nil}}
	for i := range e.seen {
		e.seen[i].has = map[uint64]struct{}{}
	}
	for step := 1; step <= steps && e.fault == ""; step++ {
		ways := e.next
		e.next, e.last = nil, step == steps
		var taken atomic.Int64
		var wg sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				key := newWorldKey()
				for i := taken.Add(1); i <= int64(len(ways)) && !e.stop.Load(); i = taken.Add(1) {
					e.goOn(key, ways[i-1])
				}
			})
		}
		wg.Wait()
	}
	return e
}

// replay returns the world after some steps.
func replay(rule *modelRule, way []action) *world {
	w := newWorld(rule)
	for _, a := range way {
		w.do(a)
	}
	return w
}

// goOn does everything that can happen next on a way. A world after the last step has to come to
// rest, and no more: it counts when it goes there in a way of its own.
func (e *explorer) goOn(key *worldKey, way []action) {
	from := replay(e.rule, way)
	var next [][]action
	for _, a := range from.can(key.read(from)) {
		e.tried.Add(1)
		if e.last && from.settles(a) {
			continue
		}
		w := from.clone()
		if w.do(a); !e.last {
			if key.read(w); !e.isNew(key.hash(e.seed), 100+w.touched) {
				continue
			}
			next = append(next, append(slices.Clone(way), a))
			e.worlds.Add(1)
		}
		if e.settle(key, w); len(w.wrong) > 0 {
			e.fail(append(slices.Clone(way), a), w.wrong)
			return
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.next = append(e.next, next...)
}

// settle brings a world to rest.
func (e *explorer) settle(key *worldKey, w *world) {
	var before uint64
	first := true
	w.settle(func(point int) progress {
		key.read(w)
		h := key.hash(e.seed)
		rest := !first && h == before
		isNew := e.isNew(h, point)
		if isNew && first && e.last {
			e.worlds.Add(1)
		}
		before, first = h, false
		switch {
		case !isNew || len(w.wrong) > 0:
			return known
		case rest:
			return atRest
		}
		return goesOn
	})
}

// isNew reports whether there was no such world before at this point of its way to rest, or
// before it.
func (e *explorer) isNew(h uint64, point int) bool {
	h ^= uint64(point) * 0x9e3779b97f4a7c15
	return e.seen[h%uint64(len(e.seen))].add(h)
}

func (e *explorer) fail(way []action, wrong []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fault == "" {
		e.fault = fmt.Sprintf("%v:\n\t%s", way, strings.Join(wrong, "\n\t"))
	}
	e.stop.Store(true)
}
