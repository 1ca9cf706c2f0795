package whatsapptest

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// Group is a group chat. Its members are named by number or, increasingly at
// WhatsApp, by hidden id. The server's mu guards it.
type Group struct {
	srv      *Server
	jid      types.JID
	name     string
	topic    string
	topicID  string
	byLID    bool
	owner    *person
	members  []*member
	created  time.Time
	invite   string
	announce bool
	locked   bool
	expires  int    // seconds after which messages disappear
	parent   *Group // its community; nil: none
	subs     bool   // it is a community
	news     bool   // it is where its community is told of things
	keyed    map[string]bool
}

type member struct {
	*person
	rank string // admin, superadmin, or empty
}

// Member is an account or a contact.
type Member interface{ self() *person }

func (p *person) self() *person { return p }

// NewGroup creates a group with the owner as its first member. The clients of the
// accounts in it are notified.
func (s *Server) NewGroup(name string, byHiddenID bool, owner Member, others ...Member) *Group {
	defer s.lock()()
	people := make([]*person, len(others))
	for i, o := range others {
		people[i] = o.self()
	}
	return s.newGroup(name, byHiddenID, owner.self(), people, "", nil)
}

func (s *Server) newGroup(name string, byLID bool, owner *person, others []*person, key string, author *Device) *Group {
	s.lastGroup++
	g := &Group{
		srv: s, jid: types.NewJID(fmt.Sprintf("1203630%011d", s.lastGroup), types.GroupServer), name: name, byLID: byLID,
		owner: owner, created: s.opts.Now(), invite: hex.EncodeToString(randomBytes(11)), keyed: make(map[string]bool),
	}
	g.members = append(g.members, &member{owner, "superadmin"})
	for _, p := range others {
		if g.member(p) == nil {
			g.members = append(g.members, &member{p, ""})
		}
	}
	s.groups[g.jid] = g
	g.tell(owner, author, g.creation(key))
	return g
}

func (g *Group) creation(key string) node {
	return node{Tag: "create", Attrs: attrs{"type": "new", "key": key}, Content: []node{g.describe()}}
}

// JID returns the group's JID.
func (g *Group) JID() types.JID { return g.jid }

// Members returns the number of members.
func (g *Group) Members() int {
	g.srv.mu.Lock()
	defer g.srv.mu.Unlock()
	return len(g.members)
}

// Rank returns admin, superadmin, empty for an ordinary member, or "none".
func (g *Group) Rank(who Member) string {
	g.srv.mu.Lock()
	defer g.srv.mu.Unlock()
	if m := g.member(who.self()); m != nil {
		return m.rank
	}
	return "none"
}

// Invite returns the code of the link by which people join.
func (g *Group) Invite() string {
	g.srv.mu.Lock()
	defer g.srv.mu.Unlock()
	return g.invite
}

// Name returns the group's name.
func (g *Group) Name() string {
	g.srv.mu.Lock()
	defer g.srv.mu.Unlock()
	return g.name
}

func (g *Group) member(p *person) *member {
	for _, m := range g.members {
		if m.person == p {
			return m
		}
	}
	return nil
}

// as returns the JID that names the member in the group.
func (g *Group) as(p *person) types.JID {
	if g.byLID {
		return p.as(types.HiddenUserServer)
	}
	return p.number
}

// from returns the attributes of a stanza that the member sends.
func (g *Group) from(p *person) attrs {
	a := attrs{"from": g.jid, "participant": g.as(p)}
	switch {
	case g.byLID:
		a["addressing_mode"] = "lid"
		if !p.private {
			a["participant_pn"] = p.number
		}
	case !p.hidden.IsEmpty():
		a["addressing_mode"], a["participant_lid"] = "pn", p.hidden
	}
	return a
}

// describe returns the group in the form that answers use.
func (g *Group) describe() node {
	mode := "pn"
	if g.byLID {
		mode = "lid"
	}
	n := node{Tag: "group", Attrs: attrs{
		"id": g.jid.User, "subject": g.name, "creator": g.as(g.owner), "creation": g.created.Unix(),
		"s_t": g.created.Unix(), "s_o": g.as(g.owner), "addressing_mode": mode, "size": len(g.members), "p_v_id": "1", "a_v_id": "1",
	}}
	if g.byLID {
		n.Attrs["creator_pn"] = g.owner.number
	}
	var content []node
	for _, m := range g.members {
		content = append(content, g.participant(m))
	}
	if g.topic != "" {
		content = append(content, node{Tag: "description", Attrs: attrs{
			"id": g.topicID, "participant": g.as(g.owner), "t": g.created.Unix(),
		}, Content: []node{{Tag: "body", Content: []byte(g.topic)}}})
	}
	for tag, on := range map[string]bool{"announcement": g.announce, "locked": g.locked} {
		if on {
			content = append(content, node{Tag: tag})
		}
	}
	if g.subs {
		content = append(content, node{Tag: "parent"})
	}
	if g.news {
		content = append(content, node{Tag: "default_sub_group"})
	}
	if g.parent != nil {
		content = append(content, node{Tag: "linked_parent", Attrs: attrs{"jid": g.parent.jid}})
	}
	if g.expires > 0 {
		content = append(content, node{Tag: "ephemeral", Attrs: attrs{"expiration": g.expires}})
	}
	n.Content = content
	return n
}

func (g *Group) participant(m *member) node {
	a := attrs{"jid": g.as(m.person), "type": m.rank}
	switch {
	case g.byLID && !m.private:
		a["phone_number"] = m.number
	case !g.byLID && !m.hidden.IsEmpty():
		a["lid"] = m.hidden
	}
	return node{Tag: "participant", Attrs: a}
}

// tell notifies the clients of all members, except the author.
func (g *Group) tell(actor *person, author *Device, what node, alsoTo ...*person) {
	people := slices.Clone(alsoTo)
	for _, m := range g.members {
		people = append(people, m.person)
	}
	for _, p := range people {
		for _, d := range p.linked() {
			if d != author || what.Tag == "create" {
				d.push(g.notification(actor, what))
			}
		}
	}
}

func (g *Group) tellOne(p, actor *person, what node) {
	for _, d := range p.linked() {
		d.push(g.notification(actor, what))
	}
}

func (g *Group) notification(actor *person, what node) node {
	a := attrs{
		"from": g.jid, "type": "w:gp2", "id": g.srv.nextID(), "t": g.srv.opts.Now().Unix(),
		"participant": g.as(actor), "notify": actor.name,
	}
	if g.byLID {
		a["participant_pn"] = actor.number
	}
	return node{Tag: "notification", Attrs: a, Content: []node{what}}
}
