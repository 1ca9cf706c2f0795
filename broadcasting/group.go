package broadcasting

// group holds the subscribers that speak one dialect as a plain list, so that a fan-out
// only walks it.
type group struct {
	dialect Dialect
	subs    []*subscription
	out     []Queue // out[i] belongs to subs[i]
}

// add needs mu.
func (ch *channel) add(s *subscription) {
	i := 0
	empty := -1 // a group that nobody is in any more: there may be many dialects one after the other
	for i < len(ch.groups) && ch.groups[i].dialect != s.dialect {
		if len(ch.groups[i].subs) == 0 {
			empty = i
		}
		i++
	}
	switch {
	case i == len(ch.groups) && empty >= 0:
		i = empty
		ch.groups[i].dialect = s.dialect
	case i == len(ch.groups):
		ch.groups = append(ch.groups, group{dialect: s.dialect})
	}
	g := &ch.groups[i]
	s.group, s.at = i, len(g.subs)
	g.subs = append(g.subs, s)
	g.out = append(g.out, s.conn.peer.Out)
}

// speak changes the dialect of a subscriber between two frames. What it has missed and was
// not told yet comes in the new dialect. It needs mu.
func (ch *channel) speak(s *subscription, d Dialect) {
	if s.dialect == d {
		return
	}
	out := ch.groups[s.group].out[s.at]
	ch.takeOut(s)
	s.dialect = d
	ch.add(s)
	ch.groups[s.group].out[s.at] = out
	if s.resumed != nil && !s.resumed.live {
		s.resumed.release()
		s.resumed.over = true
	}
}

// remove needs mu. It reports whether s was the last subscriber.
func (ch *channel) remove(s *subscription) (empty bool) {
	ch.takeOut(s)
	return ch.closeIfEmpty()
}

// takeOut takes a subscriber out of its group; needs mu.
func (ch *channel) takeOut(s *subscription) {
	g := &ch.groups[s.group]
	last := len(g.subs) - 1
	g.subs[s.at], g.out[s.at] = g.subs[last], g.out[last]
	g.subs[s.at].at = s.at
	g.subs[last], g.out[last] = nil, nil
	g.subs, g.out = g.subs[:last], g.out[:last]
}
