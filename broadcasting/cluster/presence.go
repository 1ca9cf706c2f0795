package cluster

import (
	"context"
	"errors"
	"time"

	"chatcast/broadcasting"
)

// presence implements broadcasting.Presence. Its methods that answer from memory are
// those of the view.
type presence struct {
	node  *Node
	view  *broadcasting.PresenceView // of the other nodes
	ended bool                       // Run has ended; guarded by Node.mu
}

var _ broadcasting.Presence = (*presence)(nil)

// Attach implements broadcasting.Presence.
func (p *presence) Attach(others broadcasting.PresenceListener) { p.node.peers.Attach(others) }

// Run implements broadcasting.Presence.
func (p *presence) Run(ctx context.Context) error {
	n := p.node
	withdraw := context.AfterFunc(ctx, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		p.ended = true
	})
	defer withdraw()
	err := n.run(ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	p.ended = true
	return err
}

// report queues a report of this node, behind those before it. While the node is not
// connected it is only noted: everything is sent when it joins.
func (p *presence) report(r broadcasting.PresenceReport) {
	n := p.node
	n.mu.Lock()
	defer n.mu.Unlock()
	if p.ended {
		return
	}
	m := n.peers.Report(r)
	if n.up && len(n.queue) >= maxQueued {
		n.resend = true // with the others, when there is room
		return
	}
	if n.up {
		n.queue = append(n.queue, newOutgoing(wirePeer(m)))
		n.notify()
	}
}

// Subscribed implements broadcasting.Presence.
func (p *presence) Subscribed(app, channel string, sockets int) {
	p.report(broadcasting.PresenceReport{Kind: broadcasting.SubscribedReport, App: app, Name: channel, Sockets: sockets})
}

// MemberAdded implements broadcasting.Presence.
func (p *presence) MemberAdded(app, channel string, m *broadcasting.Member) {
	p.report(broadcasting.PresenceReport{Kind: broadcasting.MemberAddedReport, App: app, Name: channel, Member: m})
}

// MemberRemoved implements broadcasting.Presence.
func (p *presence) MemberRemoved(app, channel, userID string) {
	p.report(broadcasting.PresenceReport{Kind: broadcasting.MemberRemovedReport, App: app, Name: channel, UserID: userID})
}

// SignedIn implements broadcasting.Presence.
func (p *presence) SignedIn(app, userID string, sockets int) {
	p.report(broadcasting.PresenceReport{Kind: broadcasting.SignedInReport, App: app, Name: userID, Sockets: sockets})
}

// OthersIn implements broadcasting.Presence.
func (p *presence) OthersIn(app, channel string) (sockets int) { return p.view.OthersIn(app, channel) }

// OtherMembers implements broadcasting.Presence.
func (p *presence) OtherMembers(app, channel string) []*broadcasting.Member {
	return p.view.OtherMembers(app, channel)
}

// OthersSignedIn implements broadcasting.Presence.
func (p *presence) OthersSignedIn(app, userID string) bool { return p.view.OthersSignedIn(app, userID) }

// OtherChannels implements broadcasting.Presence.
func (p *presence) OtherChannels(app, prefix string) []broadcasting.Occupancy {
	return p.view.OtherChannels(app, prefix)
}

// completeTime is how long Complete waits for the state of a node that has just joined.
const completeTime = time.Second

// Complete implements broadcasting.Presence. It knows a node that died until the lease of
// that node is over.
func (p *presence) Complete(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	for {
		changed, err := p.complete()
		if err == nil || !errors.Is(err, broadcasting.ErrUnknownState) {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return err
		}
	}
}

// complete also returns what is closed when the answer may have changed.
func (p *presence) complete() (changed <-chan struct{}, err error) {
	n := p.node
	n.mu.Lock()
	changed, err = n.changed, n.hears()
	ended := n.ended
	n.mu.Unlock()
	if err != nil || ended {
		return changed, err
	}
	return changed, n.peers.Complete()
}
