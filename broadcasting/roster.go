package broadcasting

import (
	"errors"
	"slices"
)

// ErrFull is what Subscribe returns when a presence channel has no room for one
// more user.
var ErrFull = errors.New("broadcasting: the presence channel is full")

// roster is who is in a presence channel: users, however many sockets each has, on
// this node and elsewhere. Guarded by the channel's mu.
type roster struct {
	members   []*Member           // in the order in which they came, as far as this node saw it
	sockets   map[string]int      // of this node, by user
	elsewhere map[string]struct{} // users with sockets on other nodes
}

// newRoster returns the roster of a channel in which others are already.
func newRoster(others []*Member) *roster {
	r := &roster{sockets: map[string]int{}}
	for _, m := range others {
		r.addElsewhere(m)
	}
	return r
}

// join adds a socket of m's user and returns the member that counts: the user's
// first socket says who they are until their last has gone. first says that the
// user was nowhere before, firstHere that they were not on this node.
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

// leave takes a socket away. last says that the user is nowhere any more, lastHere
// that they are no more on this node.
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

// addElsewhere notes that m is on another node, and says whether that is news.
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

// removeElsewhere notes that the user is on no other node, and says whether they
// are nowhere now.
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

// has says whether the user is anywhere.
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
