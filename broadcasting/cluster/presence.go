package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chatcast/broadcasting"
)

// presence implements broadcasting.Presence. Its methods that answer from memory are
// those of the view.
type presence struct {
	node   *Node
	others broadcasting.PresenceListener
	view   *broadcasting.PresenceView // of the other nodes
	mine   *broadcasting.PresenceView // of this node, under the name self; changed under Node.mu
	ended  bool                       // Run has ended; guarded by Node.mu
}

var _ broadcasting.Presence = (*presence)(nil)

// Attach implements broadcasting.Presence.
func (p *presence) Attach(others broadcasting.PresenceListener) { p.others = others }

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
	r.Node = self
	p.mine.Apply(r)
	if n.up && len(n.queue) >= maxQueued {
		n.resend = true // with the others, when there is room
		return
	}
	if n.up {
		n.queue = append(n.queue, newOutgoing(Message{Kind: KindReport, Reports: []Report{wireReport(r)}}))
		n.notify()
	}
}

// heard applies what another node reports.
func (p *presence) heard(from string, m Message) {
	reports := engineReports(from, m.Reports)
	n := p.node
	n.mu.Lock()
	of := n.peer(from) // notes it, so that it is forgotten when it has no lease
	if of == nil {
		n.mu.Unlock()
		return
	}
	if m.Kind == KindReport {
		n.mu.Unlock()
		for _, r := range reports {
			p.tell(p.view.Apply(r))
		}
		return
	}
	of.asked = time.Now()
	if m.First {
		of.incoming, of.whole = nil, true
	}
	if !of.whole { // its beginning was lost
		n.mu.Unlock()
		return
	}
	of.incoming = append(of.incoming, reports...)
	all := of.incoming
	var before []string // its earlier names
	if m.Done {
		of.incoming, of.whole = nil, false
		for id := range n.nodes {
			if id != from && baseOf(id) == baseOf(from) {
				before = append(before, id)
			}
		}
	}
	n.mu.Unlock()
	if !m.Done {
		return
	}
	p.tell(p.view.Replace(from, all, before...))
	for _, id := range before {
		n.forget(id)
	}
	n.mu.Lock()
	of.known = true
	n.tellChanged()
	n.mu.Unlock()
}

func (p *presence) tell(news []broadcasting.PresenceReport) {
	if p.others != nil {
		broadcasting.TellPresence(p.others, news)
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
		if err == nil || !errors.Is(err, errUnknownState) {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return err
		}
	}
}

var errUnknownState = errors.New("a node of the cluster has not said what it has")

// complete also returns what is closed when the answer may have changed.
func (p *presence) complete() (changed <-chan struct{}, err error) {
	n := p.node
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.hears(); err != nil || n.ended {
		return n.changed, err
	}
	for id, other := range n.nodes {
		if !other.known {
			return n.changed, fmt.Errorf("%w: %s", errUnknownState, id)
		}
	}
	return n.changed, nil
}
