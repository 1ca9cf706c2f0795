package broadcasting

import (
	"strings"
	"sync"
)

// presenceView holds what the other nodes have reported of their sockets. It keeps the
// reports of each node apart, so that those of one node can be dropped together. Safe
// for concurrent use.
type presenceView struct {
	mu       sync.RWMutex
	channels map[key]*viewedChannel
	users    map[key]map[string]int // sockets by node
}

// viewedChannel holds the sockets and members that the other nodes have in a channel.
type viewedChannel struct {
	sockets map[string]int                // by node
	members map[string]map[string]*Member // by user id and node
}

// presenceChange is one report of a node.
type presenceChange struct {
	node    string
	kind    presenceKind
	key     key // of the channel, or of the user
	sockets int
	member  *Member // of memberAdded
	userID  string  // of memberRemoved
}

type presenceKind uint8

const (
	presenceSubscribed presenceKind = iota + 1
	presenceMemberAdded
	presenceMemberRemoved
	presenceSignedIn
	presenceNodeGone // withdraws everything that the node has reported
)

func newPresenceView() *presenceView {
	return &presenceView{channels: map[key]*viewedChannel{}, users: map[key]map[string]int{}}
}

// apply applies a report and returns what has changed for the other nodes taken
// together.
func (v *presenceView) apply(c presenceChange) (news []presenceChange) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch c.kind {
	case presenceSubscribed:
		return v.subscribed(c, nil)
	case presenceMemberAdded:
		return v.memberAdded(c)
	case presenceMemberRemoved:
		return v.memberRemoved(c, nil)
	case presenceSignedIn:
		return v.signedIn(c, nil)
	case presenceNodeGone:
		return v.nodeGone(c.node)
	}
	return nil
}

// subscribed needs mu.
func (v *presenceView) subscribed(c presenceChange, news []presenceChange) []presenceChange {
	ch := v.channels[c.key]
	if ch == nil {
		if c.sockets == 0 {
			return news
		}
		ch = v.channel(c.key)
	}
	if ch.sockets[c.node] == c.sockets {
		return news
	}
	if c.sockets == 0 {
		delete(ch.sockets, c.node)
	} else {
		ch.sockets[c.node] = c.sockets
	}
	v.forgetIfEmpty(c.key, ch)
	return append(news, c)
}

// channel finds or creates a channel; needs mu.
func (v *presenceView) channel(k key) *viewedChannel {
	ch := v.channels[k]
	if ch == nil {
		ch = &viewedChannel{sockets: map[string]int{}, members: map[string]map[string]*Member{}}
		v.channels[k] = ch
	}
	return ch
}

// forgetIfEmpty needs mu.
func (v *presenceView) forgetIfEmpty(k key, ch *viewedChannel) {
	if len(ch.sockets) == 0 && len(ch.members) == 0 {
		delete(v.channels, k)
	}
}

// memberAdded needs mu.
func (v *presenceView) memberAdded(c presenceChange) (news []presenceChange) {
	ch := v.channel(c.key)
	nodes := ch.members[c.member.ID]
	if nodes == nil {
		nodes = map[string]*Member{}
		ch.members[c.member.ID] = nodes
		news = append(news, c)
	}
	nodes[c.node] = c.member
	return news
}

// memberRemoved needs mu.
func (v *presenceView) memberRemoved(c presenceChange, news []presenceChange) []presenceChange {
	ch := v.channels[c.key]
	if ch == nil || ch.members[c.userID] == nil {
		return news
	}
	nodes := ch.members[c.userID]
	delete(nodes, c.node)
	if len(nodes) > 0 {
		return news
	}
	delete(ch.members, c.userID)
	v.forgetIfEmpty(c.key, ch)
	return append(news, c)
}

// signedIn needs mu.
func (v *presenceView) signedIn(c presenceChange, news []presenceChange) []presenceChange {
	nodes := v.users[c.key]
	before := len(nodes) > 0
	switch {
	case c.sockets > 0 && nodes == nil:
		v.users[c.key] = map[string]int{c.node: c.sockets}
	case c.sockets > 0:
		nodes[c.node] = c.sockets
	default:
		if delete(nodes, c.node); len(nodes) == 0 {
			delete(v.users, c.key)
		}
	}
	if now := len(v.users[c.key]) > 0; now != before {
		return append(news, c)
	}
	return news
}

// nodeGone needs mu.
func (v *presenceView) nodeGone(node string) (news []presenceChange) {
	for k, ch := range v.channels {
		for userID, nodes := range ch.members {
			if nodes[node] != nil {
				news = v.memberRemoved(presenceChange{node: node, kind: presenceMemberRemoved, key: k, userID: userID}, news)
			}
		}
		news = v.subscribed(presenceChange{node: node, kind: presenceSubscribed, key: k}, news)
	}
	for k, nodes := range v.users {
		if nodes[node] > 0 {
			news = v.signedIn(presenceChange{node: node, kind: presenceSignedIn, key: k}, news)
		}
	}
	return news
}

// sockets returns how many sockets are in a channel.
func (v *presenceView) sockets(k key) (n int) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if ch := v.channels[k]; ch != nil {
		for _, of := range ch.sockets {
			n += of
		}
	}
	return n
}

// members returns the members of a channel.
func (v *presenceView) members(k key) (list []*Member) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	ch := v.channels[k]
	if ch == nil {
		return nil
	}
	for _, nodes := range ch.members {
		for _, m := range nodes {
			list = append(list, m)
			break // the nodes may have different values; any will do
		}
	}
	return list
}

// online reports whether a node has a socket of the user.
func (v *presenceView) online(k key) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.users[k]) > 0
}

// list returns the channels whose names begin with prefix; an empty app is every app.
func (v *presenceView) list(app, prefix string) (list []Occupancy) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for k, ch := range v.channels {
		if len(ch.sockets) == 0 || app != "" && k.app != app || !strings.HasPrefix(k.name, prefix) {
			continue
		}
		o := Occupancy{App: k.app, Name: k.name, Presence: len(ch.members) > 0, Users: len(ch.members)}
		for _, n := range ch.sockets {
			o.Subscriptions += n
		}
		list = append(list, o)
	}
	return list
}
