package broadcasting

// Lost notes that this node may miss what the others say: their states are unknown until
// they say them again.
func (p *Peers) Lost() {
	p.mu.Lock()
	for _, other := range p.nodes {
		other.lost()
	}
	clear(p.wanted) // all hear it when this node joins
	p.mu.Unlock()
	p.changed()
}

// lost forgets what has come of the node's state, until it is sent again.
func (o *peer) lost() {
	o.known, o.incoming = false, nil
	clear(o.later)
}

// Joined notes which other nodes there are when this one has joined. Those that are not
// there have gone, unless the list is young, as after a loss of the leases: then they may
// come back. A node that is there under another name says what it has, and then its earlier
// name goes.
func (p *Peers) Joined(names []string, young bool) {
	p.order.Lock()
	defer p.order.Unlock()
	p.listed(names, func(other *peer) bool { return !young })
}

// Listed notes which other nodes there are at a beat. Those that have not been there for as
// long as a lease lasts have gone, and the message of it was lost.
func (p *Peers) Listed(names []string) {
	p.order.Lock()
	defer p.order.Unlock()
	p.mu.Lock()
	p.beats++
	for name := range p.gone {
		if p.gone[name]++; p.gone[name] > goneBeats {
			delete(p.gone, name)
		}
	}
	p.mu.Unlock()
	p.listed(names, func(other *peer) bool {
		other.absent++
		return other.absent > p.Patience
	})
}

// listed notes which other nodes there are, and drops those that are not when over returns
// true; it needs order.
func (p *Peers) listed(names []string, over func(other *peer) bool) {
	there := make(map[string]bool, len(names))
	p.mu.Lock()
	for _, name := range names {
		base, _ := parseName(name)
		there[base] = true
		p.peer(name)
	}
	var lost []string
	for name, other := range p.nodes {
		if base, _ := parseName(name); there[base] {
			other.absent = 0
		} else if over(other) {
			lost = append(lost, name)
		}
	}
	p.mu.Unlock()
	for _, name := range lost {
		p.forget(name)
	}
	p.changed()
}

// peer finds or notes another node. It returns nil for this one, and for a name that has
// gone or has a later one. It needs mu.
func (p *Peers) peer(name string) *peer {
	if _, over := p.gone[name]; over || name == "" || sameNode(name, p.name) {
		return nil
	}
	if other := p.nodes[name]; other != nil {
		return other
	}
	for other := range p.nodes {
		if supersedes(other, name) {
			return nil
		}
	}
	other := &peer{asked: p.beats}
	p.nodes[name] = other
	return other
}

// earlier returns the earlier names of a node; it needs mu.
func (p *Peers) earlier(name string) (names []string) {
	for other := range p.nodes {
		if supersedes(name, other) {
			names = append(names, other)
		}
	}
	return names
}
