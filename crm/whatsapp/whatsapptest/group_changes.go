package whatsapptest

import (
	"encoding/hex"
	"slices"
)

// Add adds members on behalf of an existing member.
func (g *Group) Add(by Member, who ...Member) {
	defer g.srv.lock()()
	g.add(by.self(), nil, "", selves(who))
}

// Remove removes members on behalf of an existing member. A member that removes
// itself leaves.
func (g *Group) Remove(by Member, who ...Member) {
	defer g.srv.lock()()
	g.remove(by.self(), nil, selves(who))
}

// Rename gives the group another name.
func (g *Group) Rename(by Member, name string) {
	defer g.srv.lock()()
	g.rename(by.self(), nil, name)
}

// Describe gives the group another description.
func (g *Group) Describe(by Member, topic string) {
	defer g.srv.lock()()
	g.describeAs(by.self(), nil, newID(), topic)
}

// Disappear makes the group's messages disappear after so many seconds, or with 0 stay.
func (g *Group) Disappear(by Member, seconds int) {
	defer g.srv.lock()()
	g.expires = seconds
	what := node{Tag: "not_ephemeral"}
	if seconds > 0 {
		what = node{Tag: "ephemeral", Attrs: attrs{"expiration": seconds}}
	}
	g.tell(by.self(), nil, what)
}

// Promote makes members admins or, if on is false, ordinary members.
func (g *Group) Promote(by Member, on bool, who ...Member) {
	defer g.srv.lock()()
	g.promote(by.self(), nil, on, selves(who))
}

// Announce lets only admins write or, if on is false, all members.
func (g *Group) Announce(by Member, on bool) {
	defer g.srv.lock()()
	g.setAnnounce(by.self(), nil, on)
}

// Lock lets only admins change the group or, if on is false, all members.
func (g *Group) Lock(by Member, on bool) {
	defer g.srv.lock()()
	g.setLocked(by.self(), nil, on)
}

// TellPicture tells the members that a member gave the group a picture with an id, or took
// it away with an empty one. SetPicture changes the picture itself.
func (g *Group) TellPicture(by Member, id string) {
	defer g.srv.lock()()
	g.tellPicture(by.self(), nil, id)
}

func (g *Group) tellPicture(by *person, author *Device, id string) {
	what := node{Tag: "set", Attrs: attrs{"jid": g.jid, "author": g.as(by), "id": id}}
	if id == "" {
		what = node{Tag: "delete", Attrs: attrs{"jid": g.jid, "author": g.as(by)}}
	}
	for _, m := range g.members {
		for _, d := range m.linked() {
			if d == author {
				continue
			}
			d.push(node{Tag: "notification", Attrs: attrs{
				"from": g.jid, "type": "picture", "id": g.srv.nextID(), "t": g.srv.opts.Now().Unix(),
			}, Content: []node{what}})
		}
	}
}

// Link makes the group one of a community, or with news the one where it is told of things.
func (g *Group) Link(community *Group, news bool) {
	defer g.srv.lock()()
	community.subs, g.parent, g.news = true, community, news
}

// NewInvite makes another link by which people join.
func (g *Group) NewInvite(by Member) {
	defer g.srv.lock()()
	g.renew(by.self(), nil)
}

// Delete ends the group.
func (g *Group) Delete(by Member) {
	defer g.srv.lock()()
	g.tell(by.self(), nil, node{Tag: "delete"})
	g.members = nil
	delete(g.srv.groups, g.jid)
}

func (g *Group) setAnnounce(by *person, author *Device, on bool) {
	g.announce = on
	tag := "announcement"
	if !on {
		tag = "not_announcement"
	}
	g.tell(by, author, node{Tag: tag, Attrs: attrs{"v_id": "2"}})
}

func (g *Group) setLocked(by *person, author *Device, on bool) {
	g.locked = on
	tag := "locked"
	if !on {
		tag = "unlocked"
	}
	g.tell(by, author, node{Tag: tag})
}

func (g *Group) renew(by *person, author *Device) {
	g.invite = hex.EncodeToString(randomBytes(11))
	g.tell(by, author, node{Tag: "invite", Attrs: attrs{"code": g.invite}})
}

func selves(who []Member) []*person {
	out := make([]*person, len(who))
	for i, m := range who {
		out[i] = m.self()
	}
	return out
}

func (g *Group) add(by *person, author *Device, reason string, who []*person) {
	n := node{Tag: "add", Attrs: attrs{"reason": reason, "prev_v_id": "1", "v_id": "2"}}
	var list []node
	var newcomers []*member
	for _, p := range who {
		if g.member(p) == nil {
			newcomers = append(newcomers, &member{p, ""})
			list = append(list, g.participant(newcomers[len(newcomers)-1]))
		}
	}
	if len(newcomers) == 0 {
		return
	}
	n.Content = list
	g.tell(by, author, n) // existing members learn who joined
	g.members = append(g.members, newcomers...)
	for _, m := range newcomers { // new members learn what the group is
		g.tellOne(m.person, by, g.creation(""))
	}
}

func (g *Group) remove(by *person, author *Device, who []*person) {
	var list []node
	var gone []*person
	for _, p := range who {
		if m := g.member(p); m != nil {
			list = append(list, g.participant(m))
			gone = append(gone, p)
		}
	}
	if len(gone) == 0 {
		return
	}
	g.members = slices.DeleteFunc(g.members, func(m *member) bool { return slices.Contains(gone, m.person) })
	clear(g.keyed) // the remaining members must replace the keys that the removed ones know
	for _, m := range g.members {
		m.party.dropSenderKey(g, m.person)
	}
	g.tell(by, author, node{Tag: "remove", Attrs: attrs{"prev_v_id": "1", "v_id": "2"}, Content: list}, gone...)
}

func (g *Group) rename(by *person, author *Device, name string) {
	g.name = name
	g.tell(by, author, node{Tag: "subject", Attrs: attrs{
		"subject": name, "s_t": g.srv.opts.Now().Unix(), "s_o": g.as(by),
	}})
}

func (g *Group) describeAs(by *person, author *Device, id, topic string) {
	g.topic, g.topicID = topic, id
	content := []node{{Tag: "body", Content: []byte(topic)}}
	if topic == "" {
		content = []node{{Tag: "delete"}}
	}
	g.tell(by, author, node{Tag: "description", Attrs: attrs{"id": id}, Content: content})
}

func (g *Group) promote(by *person, author *Device, on bool, who []*person) {
	tag, rank := "promote", "admin"
	if !on {
		tag, rank = "demote", ""
	}
	var list []node
	for _, p := range who {
		if m := g.member(p); m != nil {
			m.rank = rank
			list = append(list, g.participant(m))
		}
	}
	g.tell(by, author, node{Tag: tag, Attrs: attrs{"prev_v_id": "1", "v_id": "2"}, Content: list})
}
