package broadcasting

import "maps"

// Heard takes a message of a node and returns the answers to it. A wish to know what this node
// has is noted for Wanted. That a node is dead is true whoever says it: its entry was removed in
// one step with saying so.
func (p *Peers) Heard(m PeerMessage) (answers []PeerMessage) {
	p.order.Lock()
	defer p.order.Unlock()
	switch m.Kind {
	case PeerDead:
		p.forget(m.Node)
		p.changed()
		return nil
	case PeerBye:
		if !p.IsGone(m.From) {
			p.forget(m.From)
			p.changed()
		}
		return nil
	}
	p.mu.Lock()
	from := p.peer(m.From)
	if from == nil || m.To != "" && m.To != p.name {
		p.mu.Unlock()
		return nil
	}
	before := from.complete()
	from.said = max(from.said, m.Number)
	var news []PresenceReport
	var over []string
	switch m.Kind {
	case PeerHello, PeerAsk:
		p.wanted[m.From] = true
	case PeerState:
		news, over = p.heardState(from, m)
	case PeerReport:
		news = p.heardReport(from, m)
	case PeerProbe:
		if !from.complete() && p.beats-from.asked >= p.askAfter() {
			answers = p.ask(from, m.From)
		}
	case PeerGap:
		from.lost()
		answers = p.ask(from, m.From)
	case PeerBye, PeerDead: // handled above
	}
	changed := from.complete() != before
	p.mu.Unlock()
	p.tell(news)
	for _, name := range over {
		p.forget(name)
	}
	if changed {
		p.changed()
	}
	return answers
}

// askAfter is for how many beats one waits for the state of a node: not quite a lease.
func (p *Peers) askAfter() int { return max(p.Patience-1, 1) }

// ask asks a node for its state; it needs mu.
func (p *Peers) ask(other *peer, name string) []PeerMessage {
	other.asked = p.beats
	return []PeerMessage{{Kind: PeerAsk, From: p.name, To: name}}
}

// heardState collects the parts of a state, and makes it what its sender has; it needs mu.
// One that is older than what is known was overtaken. The earlier names of the sender are over:
// they are withdrawn in the same step, so nobody is told of its sockets under both.
func (p *Peers) heardState(from *peer, m PeerMessage) (news []PresenceReport, over []string) {
	from.asked = p.beats
	if m.Part == 0 {
		from.incoming = nil
	}
	if m.Part != len(from.incoming) || m.Part > 0 && m.Number != from.incoming[0].Number {
		from.incoming = nil // a part is missing, and the next probe asks again
		return nil, nil
	}
	from.incoming = append(from.incoming, m)
	if !m.Done {
		return nil, nil
	}
	var all []PresenceReport
	for _, part := range from.incoming {
		all = append(all, part.Reports...)
	}
	from.incoming = nil
	if m.Number < from.number {
		return nil, nil
	}
	over = p.earlier(m.From)
	news = p.view.Replace(m.From, all, over...)
	from.known, from.number = true, m.Number
	maps.DeleteFunc(from.later, func(number uint64, _ []PresenceReport) bool { return number <= m.Number })
	return append(news, p.applyNext(from, m.From)...), over
}

// heardReport applies a report that is the next one, and keeps one that has come too
// early; it needs mu.
func (p *Peers) heardReport(from *peer, m PeerMessage) (news []PresenceReport) {
	if m.Number <= from.number || len(from.later) >= mostLater {
		return nil
	}
	if from.later == nil {
		from.later = map[uint64][]PresenceReport{}
	}
	from.later[m.Number] = m.Reports
	return p.applyNext(from, m.From)
}

// applyNext applies the reports that are next; it needs mu.
func (p *Peers) applyNext(from *peer, name string) (news []PresenceReport) {
	for from.known {
		next, ok := from.later[from.number+1]
		if !ok {
			break
		}
		from.number++
		delete(from.later, from.number)
		for _, r := range next {
			r.Node = name
			news = append(news, p.view.Apply(r)...)
		}
	}
	return news
}

// forget drops a node, with everything that it has reported under this name and earlier
// ones; it needs order.
func (p *Peers) forget(name string) {
	p.mu.Lock()
	over := []string{name}
	if sameNode(name, p.name) {
		over = nil // this node finds at its next beat that it was taken for dead
	} else {
		over = append(over, p.earlier(name)...)
	}
	for _, name := range over {
		p.gone[name] = 0
		delete(p.nodes, name)
		delete(p.wanted, name)
	}
	p.mu.Unlock()
	for _, name := range over {
		if p.Gone != nil {
			p.Gone(name)
		}
		p.tell(p.view.Apply(PresenceReport{Node: name, Kind: NodeGoneReport}))
	}
}

func (p *Peers) tell(news []PresenceReport) {
	if p.listener != nil {
		TellPresence(p.listener, news)
	}
}
