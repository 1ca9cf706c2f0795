package broadcasting_test

import (
	"slices"

	"chatcast/broadcasting"
)

// send sends messages to all other nodes and delivers what is on its way.
func (w *world) send(from *modelNode, list ...broadcasting.PeerMessage) {
	w.say(from, list)
	w.deliver()
}

// say puts messages on their way. As in the product, nobody looks at one for another node.
func (w *world) say(from *modelNode, list []broadcasting.PeerMessage) {
	for _, m := range list {
		for i := range w.nodes {
			if n := &w.nodes[i]; n != from && n.peers != nil && (m.To == "" || m.To == n.name) {
				w.post = append(w.post, posted{n, m})
			}
		}
	}
}

// sayWanted has the nodes say what others want to know, now that little else is on its way.
func (w *world) sayWanted() {
	for i := range w.nodes {
		if n := &w.nodes[i]; n.peers != nil && n.maySay() {
			w.say(n, n.peers.Wanted())
		}
	}
}

// maySay reports whether a node sends anything: it is connected, and its lease is not over.
func (n *modelNode) maySay() bool {
	return !n.dead && !n.paused && n.connected && !n.lease.Over(n.w.now)
}

func (w *world) deliver() {
	for next := 0; ; next++ {
		if next == len(w.post) {
			next, w.post = 0, w.post[:0]
			if w.sayWanted(); len(w.post) == 0 {
				return
			}
		}
		p := w.post[next]
		switch n := p.to; {
		case n.dead || !n.connected:
		case n.paused || n.slowToHear:
			n.keep(p.m)
		default:
			w.say(n, n.peers.Heard(w.rule.hear(w, p.m)))
		}
	}
}

// keep puts a message into the inbox of a node that does not hear now. The same probe again,
// with nothing but probes between, changes nothing when it is heard: it is left out.
func (n *modelNode) keep(m broadcasting.PeerMessage) {
	n.inbox = slices.DeleteFunc(slices.Clone(n.inbox), func(m broadcasting.PeerMessage) bool { return !n.matters(m) })
	for _, before := range slices.Backward(n.inbox) {
		if m.Kind != broadcasting.PeerProbe || before.Kind != m.Kind {
			break
		}
		if before.From == m.From && before.Number == m.Number {
			return
		}
	}
	n.inbox = append(n.inbox, m)
}

// matters reports whether a message changes anything when it is heard: its sender has not gone.
func (n *modelNode) matters(m broadcasting.PeerMessage) bool {
	return m.Kind == broadcasting.PeerDead || !n.peers.IsGone(m.From)
}

// receive gives a node messages that were held up.
func (w *world) receive(n *modelNode, list []broadcasting.PeerMessage) {
	n.inbox = nil
	for _, m := range list {
		w.post = append(w.post, posted{n, m})
	}
	w.deliver()
}
