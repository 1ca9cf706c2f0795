package broadcasting_test

import (
	"fmt"
	"strings"

	"chatcast/broadcasting"
)

// OthersSubscribed implements broadcasting.PresenceListener.
func (n *modelNode) OthersSubscribed(string, string) {}

// OtherSignedIn implements broadcasting.PresenceListener.
func (n *modelNode) OtherSignedIn(string, string, bool) {}

// OtherMemberAdded implements broadcasting.PresenceListener.
func (n *modelNode) OtherMemberAdded(_, _ string, m *broadcasting.Member) {
	u := int(m.ID[0] - '0')
	if n.told[u] {
		n.fault("a doubled member_added of user %d", u)
	}
	n.told[u] = true
	n.countTwice()
}

// OtherMemberRemoved implements broadcasting.PresenceListener. It finds users who are told
// to leave while they were there all the time.
func (n *modelNode) OtherMemberRemoved(_, _, userID string) {
	u := int(userID[0] - '0')
	if !n.told[u] {
		n.fault("a doubled member_removed of user %d", u)
	}
	for i := range n.w.nodes {
		if other := &n.w.nodes[i]; other != n && other.reachable() && other.users[u] && !n.late && !n.lost && n.peers.Complete() == nil {
			n.fault("a member_removed of user %d, who is on node %c", u, 'a'+other.index)
		}
	}
	n.told[u] = false
	n.countTwice()
}

// countTwice finds nodes whose sockets are in the view under two names while the node is told.
func (n *modelNode) countTwice() {
	var seen [modelNodes + 'a']string // by the letter of the node
	n.peers.Holds(func(name string, _ *broadcasting.Member) {
		before := seen[name[0]]
		if seen[name[0]] = name; before != "" && before != name && sameProcess(before, name) {
			n.fault("the sockets of %s are counted twice", name)
		}
	})
}

func sameProcess(a, b string) bool {
	process, _, _ := strings.Cut(a, ".")
	return strings.HasPrefix(b, process+".")
}

// reachable reports whether the others can know what the node has: it has nothing to say that
// waits until it has a lease again.
func (n *modelNode) reachable() bool {
	return !n.dead && !n.paused && n.connected && !n.buried && !n.peers.Wanting()
}

func (n *modelNode) fault(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); strings.Contains(text, n.w.rule.wants) {
		n.w.wrong = append(n.w.wrong, fmt.Sprintf("node %c: %s", 'a'+n.index, text))
	}
}

// What the way of a world to rest has come to.
type progress uint8

const (
	goesOn progress = iota
	atRest          // more beats change nothing
	known           // something is wrong, or another world has come to this state at this point
)

// settle heals everything but paused and dead nodes, waits for the bound, and checks what
// the nodes know. Then the paused ones go on, and it checks again.
func (w *world) settle(look func(point int) progress) {
	w.releaseAll(false)
	bound := int(modelLease/modelBeat) + 1
	wait := bound
	if !w.steady() {
		wait *= 2
	}
	if w.wait(wait, 2*bound, look) == known {
		return
	}
	w.check("")
	w.releaseAll(true)
	if w.wait(2*bound, 0, look) == known { // who went on waits for a lease, too
		return
	}
	w.check(" after all went on")
}

// wait lets some beats pass. Points are counted to their end, from first.
func (w *world) wait(beats, first int, look func(point int) progress) progress {
	for ; beats > 0; beats-- {
		if p := look(first + beats); p != goesOn {
			return p
		}
		w.beatAll()
	}
	return goesOn
}

// releaseAll has all nodes hear, and the paused ones go on or stay.
func (w *world) releaseAll(goOn bool) {
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.paused && goOn && !n.dead {
			w.do(action{kind: actResume, node: uint8(i)})
		}
		if n.slowToHear && !n.paused && !n.dead {
			w.do(action{kind: actRelease, node: uint8(i)})
		}
	}
}

// steady reports whether every node that runs may bury others, and has heard all. One that
// has just joined waits for a lease before it buries, and one that may have missed a death
// before it believes the list.
func (w *world) steady() bool {
	for i := range w.nodes {
		n := &w.nodes[i]
		if !n.dead && !n.paused && (n.lost || !n.lease.MayBury(w.now)) {
			return false
		}
	}
	return true
}

// check compares what each node knows with what the living nodes have.
func (w *world) check(when string) {
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.dead || n.paused {
			continue
		}
		if err := n.peers.Complete(); err != nil {
			n.fault("it does not know everything%s: %v", when, err)
		}
		var has [modelUsers]bool
		n.peers.Holds(func(_ string, m *broadcasting.Member) { has[m.ID[0]-'0'] = true })
		for u, told := range n.told {
			there := false
			for j := range w.nodes {
				other := &w.nodes[j]
				there = there || other != n && !other.dead && !other.paused && other.users[u]
			}
			switch {
			case told != has[u]:
				n.fault("user %d was told %v and is known %v%s", u, told, has[u], when)
			case told && !there:
				n.fault("a ghost of user %d%s", u, when)
			case !told && there:
				n.fault("user %d is missing%s", u, when)
			}
		}
	}
}
