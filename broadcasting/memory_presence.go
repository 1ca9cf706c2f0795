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
	view    *PresenceView
	wake    chan struct{} // holds one: "look into the inbox"

	speaking sync.RWMutex
	ended    bool // guarded by speaking; reports of this node are ignored

	mu    sync.Mutex
	inbox []PresenceReport // guarded by mu
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
			TellPresence(p.others, p.view.Apply(c))
		}
	}
}

// leave withdraws the node's reports and removes the node.
func (p *memoryPresence) leave() {
	p.speaking.Lock()
	p.give(PresenceReport{Kind: NodeGoneReport})
	p.ended = true
	p.speaking.Unlock()
	m := p.cluster
	m.mu.Lock()
	defer m.mu.Unlock()
	if list := without(*m.presences.Load(), p); len(list) > 0 {
		m.presences.Store(&list)
	}
}

// say gives a report to the other nodes, if there are any.
func (p *memoryPresence) say(c PresenceReport) {
	if len(*p.cluster.presences.Load()) <= 1 {
		return
	}
	p.speaking.RLock()
	defer p.speaking.RUnlock()
	if !p.ended {
		p.give(c)
	}
}

func (p *memoryPresence) give(c PresenceReport) {
	nodes := *p.cluster.presences.Load()
	c.Node = p.name
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
	p.say(PresenceReport{Kind: SubscribedReport, App: app, Name: channel, Sockets: sockets})
}

// MemberAdded implements Presence.
func (p *memoryPresence) MemberAdded(app, channel string, m *Member) {
	p.say(PresenceReport{Kind: MemberAddedReport, App: app, Name: channel, Member: m})
}

// MemberRemoved implements Presence.
func (p *memoryPresence) MemberRemoved(app, channel, userID string) {
	p.say(PresenceReport{Kind: MemberRemovedReport, App: app, Name: channel, UserID: userID})
}

// SignedIn implements Presence.
func (p *memoryPresence) SignedIn(app, userID string, sockets int) {
	p.say(PresenceReport{Kind: SignedInReport, App: app, Name: userID, Sockets: sockets})
}

// OthersIn implements Presence.
func (p *memoryPresence) OthersIn(app, channel string) (sockets int) {
	return p.view.OthersIn(app, channel)
}

// OtherMembers implements Presence.
func (p *memoryPresence) OtherMembers(app, channel string) []*Member {
	return p.view.OtherMembers(app, channel)
}

// OthersSignedIn implements Presence.
func (p *memoryPresence) OthersSignedIn(app, userID string) bool {
	return p.view.OthersSignedIn(app, userID)
}

// OtherChannels implements Presence.
func (p *memoryPresence) OtherChannels(app, prefix string) []Occupancy {
	return p.view.OtherChannels(app, prefix)
}

// Complete implements Presence; the nodes of one process never lose each other.
func (p *memoryPresence) Complete(context.Context) error { return nil }
