package broadcasting_test

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"chatcast/broadcasting"
)

// The model runs the rule of the product, broadcasting.Peers and broadcasting.Lease, on a
// few nodes with messages and a clock of its own. It stands in for what the plugs add: a
// place with an entry of each node, and a way for the messages.

const (
	modelNodes = 3
	modelUsers = 3
	modelLease = 3 * time.Second
	modelBeat  = time.Second
)

// modelRule is what a test may break on purpose.
type modelRule struct {
	mayBury func(l *broadcasting.Lease, now time.Time) bool
	expects func(l *broadcasting.Lease, now, clock time.Time) bool
	over    func(expires, now time.Time) bool
	name    func(base string, n int) string
	hear    func(w *world, m broadcasting.PeerMessage) broadcasting.PeerMessage
	listed  func(w *world, names []string) []string
	order   [modelNodes]int // in which the nodes beat
	wants   string          // faults without this text do not count
}

// theRule is the rule of the product.
func theRule() *modelRule {
	return &modelRule{
		mayBury: (*broadcasting.Lease).MayBury,
		expects: (*broadcasting.Lease).Expects,
		over:    func(expires, now time.Time) bool { return expires.Before(now) },
		name:    func(base string, n int) string { return base + "." + strconv.Itoa(n) },
		hear:    func(_ *world, m broadcasting.PeerMessage) broadcasting.PeerMessage { return m },
		listed:  func(_ *world, names []string) []string { return names },
		order:   [...]int{0, 1, 2},
	}
}

// world is a state of the model.
type world struct {
	rule    *modelRule
	now     time.Time
	jumped  time.Duration // by which the shared clock is before the time
	nodes   [modelNodes]modelNode
	touched int      // so many nodes, the first ones, have had a step of their own
	entries []entry  // by name
	names   []said   // that there ever were
	post    []posted // messages on their way
	wrong   []string
}

// entry is the lease of a name.
type entry struct {
	name    string
	expires time.Time
}

// said is how many reports were made under a name that is no longer the present one of its node.
type said struct {
	name   string
	number uint64
}

// posted is a message to one node.
type posted struct {
	to *modelNode
	m  broadcasting.PeerMessage
}

// modelNode is a process. It is told of the members of others as an engine is.
type modelNode struct {
	w     *world
	index int
	peers *broadcasting.Peers
	lease broadcasting.Lease

	process                             int // counts the processes of this node
	names                               int
	name                                string
	dead, paused, connected, slowToHear bool
	buried                              bool                       // it was taken for dead
	late                                bool                       // it may be told of what is long over
	lost                                bool                       // messages to it were lost
	inbox                               []broadcasting.PeerMessage // while it is paused or slow to hear

	users [modelUsers]bool // who is here
	told  [modelUsers]bool // who was told to be elsewhere
}

func newWorld(rule *modelRule) *world {
	w := &world{rule: rule, now: time.Unix(1_000_000, 0)}
	for i := range w.nodes {
		n := &w.nodes[i]
		n.index = i
		w.start(n)
	}
	for i := range w.nodes {
		joined, renewed := w.now.Add(-modelLease), w.now.Add(-modelBeat)
		w.nodes[i].lease.Joined(joined, joined)
		w.nodes[i].lease.Renewed(renewed, renewed)
	}
	return w
}

// clone returns a copy of a world in which no message is on its way.
func (w *world) clone() *world {
	c := *w
	c.entries, c.names, c.post, c.wrong = slices.Clone(w.entries), slices.Clip(w.names), nil, slices.Clone(w.wrong)
	for i := range c.nodes {
		n := &c.nodes[i]
		n.w, n.inbox = &c, slices.Clip(n.inbox)
		n.peers = n.peers.Clone(n)
	}
	return &c
}

// clock returns the time by the clock of the entries.
func (w *world) clock() time.Time { return w.now.Add(w.jumped) }

// start starts a process on a node.
func (w *world) start(n *modelNode) {
	w.renames(n)
	*n = modelNode{w: w, index: n.index, process: n.process + 1}
	n.peers = broadcasting.NewPeers(broadcasting.PeersOptions{Patience: int(modelLease / modelBeat)})
	n.peers.Attach(n)
	n.lease = broadcasting.Lease{Time: modelLease, Beat: modelBeat}
	w.join(n)
}

// join gives a node an entry under a new name, in the place of the one that it had.
func (w *world) join(n *modelNode) {
	w.remove(n.name)
	w.renames(n)
	n.names++
	n.name = w.rule.name(string(rune('a'+n.index))+strconv.Itoa(n.process), n.names)
	n.connected, n.buried, n.inbox = true, false, nil
	hello := n.peers.Join(n.name)
	w.entries = append(w.entries, entry{n.name, w.clock().Add(modelLease)})
	slices.SortFunc(w.entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	n.lease.Joined(w.now, w.clock())
	n.peers.Joined(w.rule.listed(w, w.others(n)), false)
	w.send(n, hello...)
}

// renames notes that a node is about to have another name.
func (w *world) renames(n *modelNode) {
	if n.name != "" {
		w.names = append(w.names, said{n.name, n.peers.Number()})
	}
}

func (w *world) others(n *modelNode) []string {
	names := make([]string, 0, 2*modelNodes)
	for _, e := range w.entries {
		if e.name != n.name {
			names = append(names, e.name)
		}
	}
	return names
}

// entry returns the entry of a name, or nil.
func (w *world) entry(name string) *entry {
	for i := range w.entries {
		if w.entries[i].name == name {
			return &w.entries[i]
		}
	}
	return nil
}

func (w *world) remove(name string) {
	w.entries = slices.DeleteFunc(w.entries, func(e entry) bool { return e.name == name })
}

// beat renews the entry of a node and buries those that are over, as a plug does every
// second.
func (w *world) beat(n *modelNode) {
	mine := w.entry(n.name)
	if mine == nil || !n.connected {
		if n.connected {
			n.peers.Lost()
		}
		w.join(n)
		return
	}
	list := []broadcasting.PeerMessage{n.peers.Probe()}
	mine.expires = w.clock().Add(modelLease)
	if w.rule.mayBury(&n.lease, w.now) && w.rule.expects(&n.lease, w.now, w.clock()) {
		for _, name := range w.others(n) {
			if w.rule.over(w.entry(name).expires, w.clock()) {
				w.remove(name)
				w.buried(name)
				list = append(list, broadcasting.PeerMessage{Kind: broadcasting.PeerDead, From: n.name, Node: name})
			}
		}
	}
	n.lease.Renewed(w.now, w.clock())
	n.peers.Listed(w.rule.listed(w, w.others(n)))
	w.send(n, list...)
	for _, m := range list[1:] { // the sender hears itself, too
		n.peers.Heard(m)
	}
}

// buried notes that a name was taken for dead: rightly, if its node did not renew its entry.
func (w *world) buried(name string) {
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.name != name || n.dead {
			continue
		}
		if n.connected && !n.paused {
			n.fault("it is taken for dead")
		} else {
			n.buried = true
		}
	}
}

// beatAll lets a beat pass.
func (w *world) beatAll() {
	w.now = w.now.Add(modelBeat)
	for _, i := range w.rule.order {
		if n := &w.nodes[i]; !n.dead && !n.paused {
			w.beat(n)
		}
	}
}
