package broadcasting

import (
	"maps"
	"slices"
	"time"
)

// Clone returns a copy of p that tells l. Both share what their node itself has: one of them has
// to be Split from it before it reports.
func (p *Peers) Clone(l PresenceListener) *Peers {
	c := &Peers{
		PeersOptions: p.PeersOptions, listener: l, view: p.view.clone(), mine: p.mine, name: p.name, number: p.number,
		nodes: make(map[string]*peer, len(p.nodes)), gone: maps.Clone(p.gone), wanted: maps.Clone(p.wanted), beats: p.beats,
	}
	copies := make([]peer, 0, len(p.nodes))
	for name, o := range p.nodes {
		copies = append(copies, *o)
		other := &copies[len(copies)-1]
		other.incoming, other.later = slices.Clone(o.incoming), maps.Clone(o.later)
		c.nodes[name] = other
	}
	return c
}

// Split gives p a copy of what its node has.
func (p *Peers) Split() { p.mine = p.mine.clone() }

func (v *PresenceView) clone() *PresenceView {
	c := &PresenceView{channels: make(map[key]*viewedChannel, len(v.channels)), users: map[key]map[string]int{}}
	for k, ch := range v.channels {
		members := make(map[string]map[string]*Member, len(ch.members))
		for id, nodes := range ch.members {
			members[id] = maps.Clone(nodes)
		}
		c.channels[k] = &viewedChannel{sockets: maps.Clone(ch.sockets), members: members}
	}
	for k, nodes := range v.users {
		c.users[k] = maps.Clone(nodes)
	}
	return c
}

// Number returns how many reports this node has made.
func (p *Peers) Number() uint64 { return p.number }

// Holds calls f with each name that has a member in the view.
func (p *Peers) Holds(f func(name string, m *Member)) {
	for _, ch := range p.view.channels {
		for _, nodes := range ch.members {
			for name, m := range nodes {
				f(name, m)
			}
		}
	}
}

// PeersKey collects what decides how a cluster goes on. Users whose ids are "0", "1" and so
// on are told apart only by what is noted of them.
type PeersKey struct {
	Fixed   []byte
	Users   [3][]byte
	Name    func(name string)        // notes a name
	Count   func(name string) uint64 // how many reports the node of a name has made
	Oldest  func(name string) uint64 // the least number that the node that is read may still hear of a name
	MaySay  func(name string) bool   // whether the node that is read may still hear what somebody says under a name
	MayCome func(name string) bool   // whether it may still hear of a name that has gone
}

// Note notes a byte of each user.
func (k *PeersKey) Note(of [3]byte) {
	for i := range k.Users {
		k.Users[i] = append(k.Users[i], of[i])
	}
}

func (k *PeersKey) bit(b bool) {
	k.Fixed = append(k.Fixed, 0)
	if b {
		k.Fixed[len(k.Fixed)-1] = 1
	}
}

// Reports notes reports of users, in no order.
func (k *PeersKey) Reports(list []PresenceReport) {
	var of [3]byte
	for _, r := range list {
		if r.Member != nil {
			of[r.Member.ID[0]-'0'] |= 1
		} else {
			of[r.UserID[0]-'0'] |= 2
		}
	}
	k.Note(of)
}

// Peers notes everything that decides how p goes on. Counts of reports are in relation to
// those that the nodes themselves have, and names count no more than they may be heard.
func (k *PeersKey) Peers(p *Peers) {
	var room [8]string
	for _, name := range sortedKeys(room[:0], p.nodes) {
		o := p.nodes[name]
		has := k.Count(name)
		k.Fixed = append(k.Fixed, '|')
		k.Name(name)
		k.Fixed = append(k.Fixed, byte(o.absent))
		if !k.MaySay(name) {
			k.bit(o.complete())
		} else {
			k.bit(o.known)
			k.Fixed = append(k.Fixed, byte(min(p.beats-o.asked, p.askAfter())))
			oldest := k.Oldest(name)
			if o.known || o.number > oldest {
				k.Fixed = append(k.Fixed, 'n', byte(has-o.number))
			}
			if o.known && o.said > o.number || !o.known && o.said > oldest {
				k.Fixed = append(k.Fixed, 's', byte(has-o.said))
			}
			for _, m := range o.incoming {
				k.Fixed = append(k.Fixed, 'p', byte(m.Part), byte(has-m.Number))
				k.Reports(m.Reports)
			}
			for _, number := range slices.Sorted(maps.Keys(o.later)) {
				k.Fixed = append(k.Fixed, 'l', byte(has-number))
				k.Reports(o.later[number])
			}
		}
		var of [3]byte
		for _, ch := range p.view.channels {
			for id, nodes := range ch.members {
				if nodes[name] != nil {
					of[id[0]-'0'] = 1
				}
			}
		}
		k.Note(of)
	}
	for _, name := range sortedKeys(room[:0], p.gone) {
		if !sameNode(name, p.name) && k.MayCome(name) {
			k.Fixed = append(k.Fixed, '-')
			k.Name(name)
		}
	}
	for _, name := range sortedKeys(room[:0], p.wanted) {
		k.Fixed = append(k.Fixed, '?')
		k.Name(name)
	}
}

func sortedKeys[V any](list []string, m map[string]V) []string {
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Lease notes everything that decides how l goes on.
func (k *PeersKey) Lease(l *Lease, now, clock time.Time) {
	seconds := func(d time.Duration) byte { return byte(d / time.Second) }
	k.Fixed = append(k.Fixed, seconds(clock.Sub(l.Clock(now))), seconds(min(now.Sub(l.renewed), l.Time+l.Beat)), seconds(min(now.Sub(l.steady), l.Time)))
}

// Groups returns how many groups the subscribers of a channel have been put into.
func Groups(e *Engine, app, channel string) int {
	ch := e.hub.find(key{app, channel})
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return len(ch.groups)
}
