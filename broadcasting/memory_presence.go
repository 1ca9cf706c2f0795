package broadcasting

import (
	"context"
	"strconv"
	"sync"
)

// memoryPresence is the Presence of one node of a Memory. Reports of other nodes arrive
// in an inbox that Run empties: a report is made under a lock of the node that makes
// it, and must not wait for a lock of the node that hears it.
type memoryPresence struct {
	// static
	cluster *Memory
	name    string
	others  PresenceListener
	view    *presenceView
	wake    chan struct{} // holds one: "look into the inbox"

	speaking sync.RWMutex
	ended    bool // guarded by speaking; reports of this node are ignored

	mu    sync.Mutex
	inbox []presenceChange // guarded by mu
}

var _ Presence = (*memoryPresence)(nil)

// Attach implements Presence.
func (p *memoryPresence) Attach(others PresenceListener) {
	p.others = others
	m := p.cluster
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nodes++
	p.name = strconv.Itoa(m.nodes)
	list := append(without(*m.presences.Load(), p), p)
	m.presences.Store(&list)
}

// Run implements Presence.
func (p *memoryPresence) Run(ctx context.Context) error {
	defer p.leave()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.wake:
		}
		p.mu.Lock()
		list := p.inbox
		p.inbox = nil
		p.mu.Unlock()
		for _, c := range list {
			p.tell(p.view.apply(c))
		}
	}
}

// leave withdraws the node's reports and removes the node.
func (p *memoryPresence) leave() {
	p.speaking.Lock()
	p.give(presenceChange{kind: presenceNodeGone})
	p.ended = true
	p.speaking.Unlock()
	m := p.cluster
	m.mu.Lock()
	defer m.mu.Unlock()
	if list := without(*m.presences.Load(), p); len(list) > 0 {
		m.presences.Store(&list)
	}
}

// tell tells the listener what has changed.
func (p *memoryPresence) tell(news []presenceChange) {
	for _, c := range news {
		switch c.kind {
		case presenceSubscribed:
			p.others.OthersSubscribed(c.key.app, c.key.name)
		case presenceMemberAdded:
			p.others.OtherMemberAdded(c.key.app, c.key.name, c.member)
		case presenceMemberRemoved:
			p.others.OtherMemberRemoved(c.key.app, c.key.name, c.userID)
		case presenceSignedIn:
			p.others.OtherSignedIn(c.key.app, c.key.name, c.sockets > 0)
		}
	}
}

// say gives a report to the other nodes, if there are any.
func (p *memoryPresence) say(c presenceChange) {
	if len(*p.cluster.presences.Load()) <= 1 {
		return
	}
	p.speaking.RLock()
	defer p.speaking.RUnlock()
	if !p.ended {
		p.give(c)
	}
}

func (p *memoryPresence) give(c presenceChange) {
	nodes := *p.cluster.presences.Load()
	c.node = p.name
	for _, node := range nodes {
		if node == p {
			continue
		}
		node.mu.Lock()
		node.inbox = append(node.inbox, c)
		node.mu.Unlock()
		select {
		case node.wake <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// Subscribed implements Presence.
func (p *memoryPresence) Subscribed(app, channel string, sockets int) {
	p.say(presenceChange{kind: presenceSubscribed, key: key{app, channel}, sockets: sockets})
}

// MemberAdded implements Presence.
func (p *memoryPresence) MemberAdded(app, channel string, m *Member) {
	p.say(presenceChange{kind: presenceMemberAdded, key: key{app, channel}, member: m})
}

// MemberRemoved implements Presence.
func (p *memoryPresence) MemberRemoved(app, channel, userID string) {
	p.say(presenceChange{kind: presenceMemberRemoved, key: key{app, channel}, userID: userID})
}

// SignedIn implements Presence.
func (p *memoryPresence) SignedIn(app, userID string, sockets int) {
	p.say(presenceChange{kind: presenceSignedIn, key: key{app, userID}, sockets: sockets})
}

// OthersIn implements Presence.
func (p *memoryPresence) OthersIn(app, channel string) (sockets int) {
	return p.view.sockets(key{app, channel})
}

// OtherMembers implements Presence.
func (p *memoryPresence) OtherMembers(app, channel string) []*Member {
	return p.view.members(key{app, channel})
}

// OthersSignedIn implements Presence.
func (p *memoryPresence) OthersSignedIn(app, userID string) bool {
	return p.view.online(key{app, userID})
}

// OtherChannels implements Presence.
func (p *memoryPresence) OtherChannels(app, prefix string) []Occupancy {
	return p.view.list(app, prefix)
}

// Complete implements Presence; the nodes of one process never lose each other.
func (p *memoryPresence) Complete(context.Context) error { return nil }
