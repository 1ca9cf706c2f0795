package broadcasting

// Unsubscribe takes the socket out of a channel. It returns false when the socket was
// not in.
func (c *Conn) Unsubscribe(channel string) bool {
	c.mu.Lock()
	s := c.subs[channel]
	if s != nil {
		c.leave(channel, s)
	}
	c.mu.Unlock()
	c.tell()
	return s != nil
}

// leave needs mu.
func (c *Conn) leave(name string, s *subscription) {
	delete(c.subs, name)
	ch, e := s.ch, c.engine
	if s.resumed != nil {
		e.replays.leave(s.resumed)
	}
	ch.mu.Lock()
	empty := ch.remove(s)
	e.presence.Subscribed(ch.key.app, name, ch.subscribers())
	if s.member != nil {
		e.memberLeft(ch, s.member.ID)
	}
	if c.peer.CountsEnabled != nil {
		ch.counting = c.peer.CountsEnabled()
	}
	e.counted(ch, true)
	if empty && e.subscriptions(ch) == 0 {
		e.record(ch, ChannelEvent{Kind: Vacated})
	}
	ch.mu.Unlock()
	if empty {
		e.hub.remove(ch)
	}
	if s.user != "" {
		c.notices = append(c.notices, notice{channel: name, user: s.user, left: true})
	}
}

// memberLeft takes a socket of the user out of the roster; needs ch.mu.
func (e *Engine) memberLeft(ch *channel, userID string) {
	last, lastHere := ch.roster.leave(userID)
	if last {
		ch.tellMembers(func(d Dialect) []byte { return d.MemberRemoved(ch.key.name, userID) })
		e.record(ch, ChannelEvent{Kind: MemberRemoved, UserID: userID})
	}
	if lastHere {
		e.presence.MemberRemoved(ch.key.app, ch.key.name, userID)
	}
}
