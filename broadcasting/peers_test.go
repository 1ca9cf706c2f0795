package broadcasting_test

import (
	"flag"
	"hash/maphash"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting"
)

// modelSteps is small for the race detector; make chaos takes six.
var modelSteps = flag.Int("model.steps", 4, "how many things happen in the model of presence")

// Whatever happens to three nodes and three users: within a lease and a round every node
// knows who is there, and nobody was told that somebody left who stayed.
//
// What happens is every sequence of so many actions of actionKind, each on every node, and of
// every user, that can follow those before, and rest after each of them. Sequences that differ
// only in the names of nodes and users count as one. Time passes in actions only, in whole
// beats; what is sent arrives at once unless an action keeps it from that. The nodes beat in the
// order in which they first have an action of their own, which is every order of them where
// these actions can be exchanged; in the first steps also in every other order.
func TestPeersModel(t *testing.T) {
	t.Parallel()
	began := time.Now()
	for _, order := range [][modelNodes]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		rule, steps := theRule(), *modelSteps
		if order != rule.order {
			steps -= 2
		}
		rule.order = order
		e := explore(rule, steps)
		if e.fault != "" {
			t.Fatalf("something is wrong after %s", e.fault)
		}
		t.Logf("%d steps: %d were done, to %d different worlds, after %v", steps, e.tried.Load(), e.worlds.Load(), time.Since(began).Round(time.Millisecond))
	}
}

// Worlds that the model takes for the same go on in the same way: otherwise it would overlook
// what only one of them comes to.
func TestPeersModelOfTheSameWorld(t *testing.T) {
	t.Parallel()
	seed, key := maphash.MakeSeed(), newWorldKey()
	hash := func(w *world) uint64 {
		key.read(w)
		return key.hash(seed) + uint64(w.touched)
	}
	comesTo := func(way []action) (list []uint64) {
		from := replay(theRule(), way)
		for _, a := range from.can(key.read(from)) {
			w := from.clone()
			w.do(a)
			list = append(list, hash(w))
		}
		slices.Sort(list)
		return list
	}
	first := map[uint64][]action{}
	next, same := [][]action{nil}, 0
	for range *modelSteps - 2 {
		ways := next
		next = nil
		for _, way := range ways {
			from := replay(theRule(), way)
			for _, a := range from.can(key.read(from)) {
				w := from.clone()
				w.do(a)
				longer := append(slices.Clone(way), a)
				before, ok := first[hash(w)]
				if !ok {
					first[hash(w)] = longer
					next = append(next, longer)
					continue
				}
				same++
				if !slices.Equal(comesTo(before), comesTo(longer)) {
					t.Fatalf("the model takes these for the same:\n\t%v\n\t%v", before, longer)
				}
			}
		}
	}
	if same == 0 {
		t.Error("no two ways come to the same world")
	}
	t.Logf("%d worlds, %d times one that was known", len(first), same)
}

// The model finds what is wrong with rules that are broken on purpose.
func TestPeersModelOfBrokenRules(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		finds  string
		breaks func(r *modelRule)
	}{
		"a lease is never over": {"a ghost", func(r *modelRule) {
			r.over = func(time.Time, time.Time) bool { return false }
		}},
		"a lease is over before its time": {"taken for dead", func(r *modelRule) {
			r.over = func(expires, now time.Time) bool { return expires.Before(now.Add(modelLease)) }
		}},
		"a node that was held up buries at once": {"a member_removed", func(r *modelRule) {
			r.mayBury = func(*broadcasting.Lease, time.Time) bool { return true }
		}},
		"nobody looks at the clock": {"taken for dead", func(r *modelRule) {
			r.expects = func(*broadcasting.Lease, time.Time, time.Time) bool { return true }
		}},
		"a node that comes back keeps its name": {"is missing", func(r *modelRule) {
			r.name = func(base string, _ int) string { return base + ".1" }
		}},
		"the list of nodes does not count, only the message of a death": {"a ghost", func(r *modelRule) {
			r.listed = func(w *world, names []string) []string {
				for _, former := range w.names {
					names = append(names, former.name)
				}
				return names
			}
		}},
		"a probe does not say how many reports there were": {"is missing", func(r *modelRule) {
			r.hear = func(_ *world, m broadcasting.PeerMessage) broadcasting.PeerMessage {
				if m.Kind == broadcasting.PeerProbe {
					m.Number = 0
				}
				return m
			}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule := theRule()
			rule.wants = test.finds
			test.breaks(rule)
			e := explore(rule, 4)
			if e.fault == "" {
				t.Errorf("in %d worlds the model does not find %s", e.worlds.Load(), test.finds)
			}
			t.Log(e.fault)
		})
	}
}

// A message of a process that died arrives after the next one has said what it has: it
// counts for nothing, because it bears the name of the former one.
func TestPeersModelOfFormerProcess(t *testing.T) {
	way := []action{{actHold, 1, 0}, {actToggle, 0, 0}, {actDie, 0, 0}, {actStart, 0, 0}, {actMix, 1, 0}}
	rule := theRule()
	for _, wants := range []string{"", "a ghost"} {
		w := replay(rule, way)
		w.settle(toTheEnd)
		if !strings.Contains(strings.Join(w.wrong, ""), wants) || wants == "" && len(w.wrong) > 0 {
			t.Errorf("the model finds %q, want %q", w.wrong, wants)
		}
		rule.hear = func(w *world, m broadcasting.PeerMessage) broadcasting.PeerMessage {
			m.From = w.nodes[m.From[0]-'a'].name
			return m
		}
	}
}

func toTheEnd(int) progress { return goesOn }

// What is heard of a name that nobody else knows, and that is over, does not stay.
func TestPeersModelOfNameThatIsOver(t *testing.T) {
	w := replay(theRule(), []action{{actHold, 1, 0}, {actCut, 0, 0}, {actToggle, 0, 0}, {kind: actLease}})
	said := slices.DeleteFunc(slices.Clone(w.nodes[1].inbox), func(m broadcasting.PeerMessage) bool { return m.From != w.nodes[0].name })
	for _, a := range []action{{actDie, 0, 0}, {kind: actLease}, {actDie, 1, 0}, {actStart, 1, 0}} {
		w.do(a)
	}
	w.receive(&w.nodes[1], said)
	if !w.nodes[1].told[0] {
		t.Fatalf("the node heard %v, and was told of nobody", said)
	}
	if w.settle(toTheEnd); len(w.wrong) > 0 {
		t.Errorf("the model finds %q", w.wrong)
	}
}
