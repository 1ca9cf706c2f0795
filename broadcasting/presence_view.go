package broadcasting

import (
	"strings"
	"sync"
)

// PresenceView holds what nodes have reported of their sockets. It keeps the reports of
// each node apart, so that those of one node can be dropped together. It is what an
// implementation of Presence answers from. It is safe for concurrent use.
type PresenceView struct {
	mu       sync.RWMutex
	channels map[key]*viewedChannel
	users    map[key]map[string]int // sockets by node
}

// viewedChannel holds the sockets and members that the other nodes have in a channel.
type viewedChannel struct {
	sockets map[string]int                // by node
	members map[string]map[string]*Member // by user id and node
}

// PresenceReport is one report of a node.
type PresenceReport struct {
	Node    string
	Kind    PresenceKind
	App     string
	Name    string // of the channel; of SignedInReport: the user's id
	Sockets int
	Member  *Member // of MemberAddedReport
	UserID  string  // of MemberRemovedReport
}

// of returns the key of the channel or user.
func (r PresenceReport) of() key { return key{r.App, r.Name} }

// PresenceKind is the kind of a PresenceReport.
type PresenceKind uint8

// Kinds of reports, named after the methods of Presence.
const (
	SubscribedReport PresenceKind = iota + 1
	MemberAddedReport
	MemberRemovedReport
	SignedInReport
	NodeGoneReport // withdraws everything that the node has reported
)

// NewPresenceView returns an empty view.
func NewPresenceView() *PresenceView {
	return &PresenceView{channels: map[key]*viewedChannel{}, users: map[key]map[string]int{}}
}

// Apply applies a report and returns what has changed for all nodes taken together.
func (v *PresenceView) Apply(c PresenceReport) (news []PresenceReport) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.apply(c)
}

// apply needs mu.
func (v *PresenceView) apply(c PresenceReport) (news []PresenceReport) {
	switch c.Kind {
	case SubscribedReport:
		return v.subscribed(c, nil)
	case MemberAddedReport:
		return v.memberAdded(c)
	case MemberRemovedReport:
		return v.memberRemoved(c, nil)
	case SignedInReport:
		return v.signedIn(c, nil)
	case NodeGoneReport:
		return v.nodeGone(c.Node)
	}
	return nil
}

// subscribed needs mu.
func (v *PresenceView) subscribed(c PresenceReport, news []PresenceReport) []PresenceReport {
	ch := v.channels[c.of()]
	if ch == nil {
		if c.Sockets == 0 {
			return news
		}
		ch = v.channel(c.of())
	}
	if ch.sockets[c.Node] == c.Sockets {
		return news
	}
	if c.Sockets == 0 {
		delete(ch.sockets, c.Node)
	} else {
		ch.sockets[c.Node] = c.Sockets
	}
	v.forgetIfEmpty(c.of(), ch)
	return append(news, c)
}

// channel finds or creates a channel; needs mu.
func (v *PresenceView) channel(k key) *viewedChannel {
	ch := v.channels[k]
	if ch == nil {
		ch = &viewedChannel{sockets: map[string]int{}, members: map[string]map[string]*Member{}}
		v.channels[k] = ch
	}
	return ch
}

// forgetIfEmpty needs mu.
func (v *PresenceView) forgetIfEmpty(k key, ch *viewedChannel) {
	if len(ch.sockets) == 0 && len(ch.members) == 0 {
		delete(v.channels, k)
	}
}

// memberAdded needs mu.
func (v *PresenceView) memberAdded(c PresenceReport) (news []PresenceReport) {
	ch := v.channel(c.of())
	nodes := ch.members[c.Member.ID]
	if nodes == nil {
		nodes = map[string]*Member{}
		ch.members[c.Member.ID] = nodes
		news = append(news, c)
	}
	nodes[c.Node] = c.Member
	return news
}

// memberRemoved needs mu.
func (v *PresenceView) memberRemoved(c PresenceReport, news []PresenceReport) []PresenceReport {
	ch := v.channels[c.of()]
	if ch == nil || ch.members[c.UserID] == nil {
		return news
	}
	nodes := ch.members[c.UserID]
	delete(nodes, c.Node)
	if len(nodes) > 0 {
		return news
	}
	delete(ch.members, c.UserID)
	v.forgetIfEmpty(c.of(), ch)
	return append(news, c)
}

// signedIn needs mu.
func (v *PresenceView) signedIn(c PresenceReport, news []PresenceReport) []PresenceReport {
	nodes := v.users[c.of()]
	before := len(nodes) > 0
	switch {
	case c.Sockets > 0 && nodes == nil:
		v.users[c.of()] = map[string]int{c.Node: c.Sockets}
	case c.Sockets > 0:
		nodes[c.Node] = c.Sockets
	default:
		if delete(nodes, c.Node); len(nodes) == 0 {
			delete(v.users, c.of())
		}
	}
	if now := len(v.users[c.of()]) > 0; now != before {
		return append(news, c)
	}
	return news
}

// nodeGone needs mu.
func (v *PresenceView) nodeGone(node string) (news []PresenceReport) {
	for k, ch := range v.channels {
		for userID, nodes := range ch.members {
			if nodes[node] != nil {
				news = v.memberRemoved(PresenceReport{Node: node, Kind: MemberRemovedReport, App: k.app, Name: k.name, UserID: userID}, news)
			}
		}
		news = v.subscribed(PresenceReport{Node: node, Kind: SubscribedReport, App: k.app, Name: k.name}, news)
	}
	for k, nodes := range v.users {
		if nodes[node] > 0 {
			news = v.signedIn(PresenceReport{Node: node, Kind: SignedInReport, App: k.app, Name: k.name}, news)
		}
	}
	return news
}

// OthersIn returns how many sockets are in a channel.
func (v *PresenceView) OthersIn(app, channel string) (sockets int) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if ch := v.channels[key{app, channel}]; ch != nil {
		for _, of := range ch.sockets {
			sockets += of
		}
	}
	return sockets
}

// OtherMembers returns the members of a channel.
func (v *PresenceView) OtherMembers(app, channel string) (list []*Member) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	ch := v.channels[key{app, channel}]
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

// OthersSignedIn reports whether a node has a socket of the user.
func (v *PresenceView) OthersSignedIn(app, userID string) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.users[key{app, userID}]) > 0
}

// OtherChannels returns the channels whose names begin with prefix; an empty app is
// every app.
func (v *PresenceView) OtherChannels(app, prefix string) (list []Occupancy) {
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

// Reports returns the reports that are in force of a node, members before the sockets of
// their channel.
func (v *PresenceView) Reports(node string) (list []PresenceReport) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.reports(node)
}

// reports needs mu.
func (v *PresenceView) reports(node string) (list []PresenceReport) {
	for k, ch := range v.channels {
		for _, nodes := range ch.members {
			if m := nodes[node]; m != nil {
				list = append(list, PresenceReport{Node: node, Kind: MemberAddedReport, App: k.app, Name: k.name, Member: m})
			}
		}
		if n := ch.sockets[node]; n > 0 {
			list = append(list, PresenceReport{Node: node, Kind: SubscribedReport, App: k.app, Name: k.name, Sockets: n})
		}
	}
	for k, nodes := range v.users {
		if n := nodes[node]; n > 0 {
			list = append(list, PresenceReport{Node: node, Kind: SignedInReport, App: k.app, Name: k.name, Sockets: n})
		}
	}
	return list
}

// Replace makes the reports all that are in force of a node, and withdraws everything that it
// has reported under the names before. It returns what has changed for all nodes taken
// together. Nobody sees a state in between.
func (v *PresenceView) Replace(node string, reports []PresenceReport, before ...string) (news []PresenceReport) {
	v.mu.Lock()
	defer v.mu.Unlock()
	type subject struct {
		kind   PresenceKind
		of     key
		userID string
	}
	name := func(r PresenceReport) subject {
		s := subject{r.Kind, r.of(), ""}
		if r.Member != nil {
			s.userID = r.Member.ID
		}
		return s
	}
	stay := make(map[subject]bool, len(reports))
	for _, r := range reports {
		stay[name(r)] = true
	}
	for _, r := range v.reports(node) {
		s := name(r)
		if stay[s] {
			continue
		}
		r.Sockets, r.Member = 0, nil
		if r.Kind == MemberAddedReport {
			r.Kind, r.UserID = MemberRemovedReport, s.userID
		}
		news = append(news, v.apply(r)...)
	}
	for _, r := range reports {
		r.Node = node
		news = append(news, v.apply(r)...)
	}
	for _, name := range before {
		news = append(news, v.apply(PresenceReport{Node: name, Kind: NodeGoneReport})...)
	}
	return news
}

// TellPresence tells the listener what has changed.
func TellPresence(l PresenceListener, news []PresenceReport) {
	for _, r := range news {
		switch r.Kind {
		case SubscribedReport:
			l.OthersSubscribed(r.App, r.Name)
		case MemberAddedReport:
			l.OtherMemberAdded(r.App, r.Name, r.Member)
		case MemberRemovedReport:
			l.OtherMemberRemoved(r.App, r.Name, r.UserID)
		case SignedInReport:
			l.OtherSignedIn(r.App, r.Name, r.Sockets > 0)
		}
	}
}
