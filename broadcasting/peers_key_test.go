package broadcasting_test

import (
	"bytes"
	"hash/maphash"
	"slices"
	"time"

	"chatcast/broadcasting"
)

// worldKey describes everything that decides how a world goes on, and what is found wrong.
type worldKey struct {
	w *world
	n *modelNode // that is read
	broadcasting.PeersKey
}

func newWorldKey() *worldKey {
	k := &worldKey{}
	k.Name, k.Count, k.Oldest, k.MaySay, k.MayCome = k.name, k.count, k.oldest, k.maySay, k.mayCome
	return k
}

// read reads a world. It returns which users differ from those before them.
func (k *worldKey) read(w *world) (differs [modelUsers]bool) {
	k.w, k.Fixed = w, k.Fixed[:0]
	for u := range k.Users {
		k.Users[u] = k.Users[u][:0]
	}
	for i := range w.nodes {
		k.node(&w.nodes[i])
	}
	for _, e := range w.entries {
		k.name(e.name)
		k.Fixed = append(k.Fixed, byte(max(e.expires.Sub(w.clock()), -time.Second)/time.Second))
	}
	for u := range k.Users {
		differs[u] = !slices.ContainsFunc(k.Users[:u], func(before []byte) bool { return bytes.Equal(before, k.Users[u]) })
	}
	return differs
}

// hash returns the hash of what was read. Users who have changed places make the same world.
func (k *worldKey) hash(seed maphash.Seed) uint64 {
	users := k.Users
	slices.SortFunc(users[:], bytes.Compare)
	for _, of := range users {
		k.Fixed = append(k.Fixed, of...)
	}
	return maphash.Bytes(seed, k.Fixed)
}

func (k *worldKey) node(n *modelNode) {
	k.n = n
	bits := byte(0)
	for i, b := range [...]bool{n.dead, n.paused, n.connected, n.slowToHear, n.buried, n.late, n.lost} {
		if b {
			bits |= 1 << i
		}
	}
	if n.dead {
		k.Fixed = append(k.Fixed, 1)
		return
	}
	k.Fixed = append(k.Fixed, bits)
	var of [modelUsers]byte
	for u := range of {
		if n.users[u] {
			of[u] = 1
		}
		if n.told[u] {
			of[u] |= 2
		}
	}
	k.Note(of)
	k.Lease(&n.lease, k.w.now, k.w.clock())
	k.Peers(n.peers)
	for _, m := range n.inbox {
		if !n.matters(m) {
			continue
		}
		k.Fixed = append(k.Fixed, ';', m.Kind[0])
		if m.Kind == broadcasting.PeerDead { // true whoever says it
			k.name(m.Node)
			continue
		}
		k.name(m.From)
		switch m.Kind {
		case broadcasting.PeerState, broadcasting.PeerReport, broadcasting.PeerProbe: // others have no number
			k.Fixed = append(k.Fixed, byte(k.count(m.From)-m.Number))
			k.Reports(m.Reports)
		}
	}
	k.Fixed = append(k.Fixed, '.')
}

// name notes a name in relation to the present process of its node, and the last name of its own.
func (k *worldKey) name(name string) {
	if name == "" { // all
		k.Fixed = append(k.Fixed, 0, 0, 0)
		return
	}
	n := &k.w.nodes[name[0]-'a']
	process, joined := numbers(name)
	last := n.names
	if process != n.process {
		last = k.lastOf(name[0], process)
	}
	k.Fixed = append(k.Fixed, name[0], byte(process-n.process), byte(joined-last))
}

// lastOf returns the number of the last name of a former process.
func (k *worldKey) lastOf(node byte, process int) int {
	for _, former := range slices.Backward(k.w.names) {
		if of, joined := numbers(former.name); former.name[0] == node && of == process {
			return joined
		}
	}
	return 0
}

// numbers returns the numbers in a name.
func numbers(name string) (process, joined int) {
	i := 1
	for ; name[i] != '.'; i++ {
		process = 10*process + int(name[i]-'0')
	}
	for i++; i < len(name); i++ {
		joined = 10*joined + int(name[i]-'0')
	}
	return process, joined
}

// count returns how many reports were made under a name.
func (k *worldKey) count(name string) uint64 {
	if n := &k.w.nodes[name[0]-'a']; n.name == name {
		return n.peers.Number()
	}
	for _, former := range slices.Backward(k.w.names) {
		if former.name == name {
			return former.number
		}
	}
	return 0
}

// oldest returns the least number of reports that the node that is read may still hear of a
// name, before the next one.
func (k *worldKey) oldest(name string) uint64 {
	least := k.count(name)
	for _, m := range k.n.inbox {
		switch {
		case m.From != name:
		case m.Kind == broadcasting.PeerState:
			least = min(least, m.Number)
		case m.Kind == broadcasting.PeerReport:
			least = min(least, m.Number-1)
		}
	}
	return least
}

// maySay reports whether the node that is read may still hear what somebody says under a name.
func (k *worldKey) maySay(name string) bool {
	if n := &k.w.nodes[name[0]-'a']; n.name == name && !n.dead {
		return true
	}
	return slices.ContainsFunc(k.n.inbox, func(m broadcasting.PeerMessage) bool { return m.From == name })
}

// mayCome reports whether a node may still hear of a name that has gone. What is in its inbox
// counts for nothing.
func (k *worldKey) mayCome(name string) bool {
	n := &k.w.nodes[name[0]-'a']
	return n.name == name && !n.dead || k.w.entry(name) != nil
}
