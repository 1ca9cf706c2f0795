package broadcasting

import (
	"errors"
	"slices"
)

// ErrFull is returned by Subscribe when a presence channel has no room for another
// user.
var ErrFull = errors.New("broadcasting: the presence channel is full")

// roster holds the users in a presence channel, on this node and elsewhere, however
// many sockets each has. Guarded by the channel's mu.
type roster struct {
	members   []*Member           // in the order in which they came, as far as this node saw it
	sockets   map[string]int      // of this node, by user
	elsewhere map[string]struct{} // users with sockets on other nodes
}

// newRoster returns the roster of a channel that already has the members others.
func newRoster(others []*Member) *roster {
	r := &roster{sockets: map[string]int{}}
	for _, m := range others {
		r.addElsewhere(m)
	}
	return r
}

// join adds a socket of m's user and returns the user's member, which is that of the
// user's first socket until the last one has gone. first reports that the user was
// nowhere before, firstHere that the user was not on this node.
func (r *roster) join(m Member, limit int) (member *Member, first, firstHere bool, err error) {
	firstHere = r.sockets[m.ID] == 0
	if r.has(m.ID) {
		member = r.members[r.index(m.ID)]
	} else {
		if len(r.members) >= limit {
			return nil, false, false, ErrFull
		}
		member, first = &m, true
		r.members = append(r.members, member)
	}
	r.sockets[m.ID]++
	return member, first, firstHere, nil
}

// leave removes a socket. last reports that the user is nowhere any more, lastHere that
// the user is no longer on this node.
func (r *roster) leave(userID string) (last, lastHere bool) {
	if r.sockets[userID]--; r.sockets[userID] > 0 {
		return false, false
	}
	delete(r.sockets, userID)
	if _, ok := r.elsewhere[userID]; ok {
		return false, true
	}
	r.remove(userID)
	return true, true
}

// addElsewhere notes that m is on another node, and reports whether the user was
// nowhere before.
func (r *roster) addElsewhere(m *Member) (first bool) {
	first = !r.has(m.ID)
	if r.elsewhere == nil {
		r.elsewhere = map[string]struct{}{}
	}
	r.elsewhere[m.ID] = struct{}{}
	if first {
		r.members = append(r.members, m)
	}
	return first
}

// removeElsewhere notes that the user is on no other node, and reports whether the user
// is nowhere now.
func (r *roster) removeElsewhere(userID string) (last bool) {
	if _, ok := r.elsewhere[userID]; !ok {
		return false
	}
	delete(r.elsewhere, userID)
	if r.sockets[userID] > 0 {
		return false
	}
	r.remove(userID)
	return true
}

// has reports whether the user is anywhere.
func (r *roster) has(userID string) bool {
	_, elsewhere := r.elsewhere[userID]
	return elsewhere || r.sockets[userID] > 0
}

func (r *roster) remove(userID string) {
	i := r.index(userID)
	r.members = slices.Delete(r.members, i, i+1)
}

func (r *roster) index(userID string) int {
	return slices.IndexFunc(r.members, func(m *Member) bool { return m.ID == userID })
}
