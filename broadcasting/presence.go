package broadcasting

import "errors"

// ErrFull is what Subscribe returns when a presence channel has no room for one
// more user.
var ErrFull = errors.New("broadcasting: the presence channel is full")

// presence is who is in a presence channel: users, however many sockets each has.
// Guarded by the channel's mu.
type presence struct {
	members []*Member // in the order in which they came
	sockets map[string]int
}

// join adds a socket of m's user. The member that counts is returned: the user's
// first socket says who they are until their last has gone.
func (p *presence) join(m Member, limit int) (member *Member, first bool, err error) {
	if p.sockets[m.ID] > 0 {
		p.sockets[m.ID]++
		for _, known := range p.members {
			if known.ID == m.ID {
				return known, false, nil
			}
		}
	}
	if len(p.members) >= limit {
		return nil, false, ErrFull
	}
	if p.sockets == nil {
		p.sockets = map[string]int{}
	}
	p.sockets[m.ID] = 1
	member = &m
	p.members = append(p.members, member)
	return member, true, nil
}

// leave takes a socket away and says whether it was the user's last.
func (p *presence) leave(userID string) (last bool) {
	if p.sockets[userID]--; p.sockets[userID] > 0 {
		return false
	}
	delete(p.sockets, userID)
	for i, m := range p.members {
		if m.ID == userID {
			p.members = append(p.members[:i], p.members[i+1:]...)
			break
		}
	}
	return true
}
