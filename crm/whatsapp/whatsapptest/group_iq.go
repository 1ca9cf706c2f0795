package whatsapptest

import (
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// iqGroups handles all requests of clients about groups.
func (c *conn) iqGroups(n node) ([]node, error) {
	children := n.GetChildren()
	if len(children) != 1 {
		return nil, errUnknown
	}
	to, what, set := jidOf(n, "to"), children[0], stringOf(n, "type") == "set"
	if to == types.GroupServerJID {
		return c.groupsAtLarge(what, set)
	}
	g := c.srv.groups[to]
	switch {
	case g == nil:
		return nil, errNotFound
	case g.member(c.device.account.person) == nil:
		return nil, errForbidden
	case set:
		return c.setGroup(g, what)
	}
	switch what.Tag {
	case "query":
		return []node{g.describe()}, nil
	case "invite":
		return c.inviteLink(g, false)
	case "membership_approval_requests":
		return []node{{Tag: what.Tag}}, nil
	}
	return nil, errUnknown
}

func (c *conn) groupsAtLarge(what node, set bool) ([]node, error) {
	me := c.device.account.person
	switch {
	case what.Tag == "participating":
		var list []node
		for _, g := range c.srv.groups {
			if g.member(me) != nil {
				list = append(list, g.describe())
			}
		}
		return []node{{Tag: "groups", Content: list}}, nil
	case what.Tag == "create" && set:
		return c.createGroup(what), nil
	case what.Tag == "leave" && set:
		for _, left := range what.GetChildren() {
			if g := c.srv.groups[jidOf(left, "id")]; g != nil {
				g.remove(me, nil, []*person{me})
			}
		}
		return []node{what}, nil
	case what.Tag == "invite":
		for _, g := range c.srv.groups {
			if g.invite != stringOf(what, "code") {
				continue
			}
			if set {
				g.add(me, nil, "invite", []*person{me})
				return []node{{Tag: "group", Attrs: attrs{"jid": g.jid}}}, nil
			}
			return []node{g.describe()}, nil
		}
		return nil, &iqError{406, "not-acceptable"}
	}
	return nil, errUnknown
}

func (c *conn) createGroup(what node) []node {
	var people []*person
	var refused []node
	byLID := false
	for _, p := range what.GetChildrenByTag("participant") {
		jid := jidOf(p, "jid")
		byLID = byLID || jid.Server == types.HiddenUserServer
		found := c.srv.find(jid)
		switch {
		case found == nil:
			refused = append(refused, node{Tag: "participant", Attrs: attrs{"jid": jid, "error": 404}})
		case found.uninvited:
			refused = append(refused, c.mustBeInvited(jid))
		default:
			people = append(people, found)
		}
	}
	g := c.srv.newGroup(stringOf(what, "subject"), byLID, c.device.account.person, people, stringOf(what, "key"), c.device)
	answer := g.describe()
	answer.Content = append(answer.GetChildren(), refused...)
	return []node{answer}
}

// mustBeInvited returns the answer for a person who lets nobody add them to groups.
func (c *conn) mustBeInvited(jid types.JID) node {
	expires := c.srv.opts.Now().Add(72 * time.Hour).Unix()
	return node{Tag: "participant", Attrs: attrs{"jid": jid, "error": 403}, Content: []node{
		{Tag: "add_request", Attrs: attrs{"code": hex.EncodeToString(randomBytes(8)), "expiration": expires}},
	}}
}

func (c *conn) inviteLink(g *Group, fresh bool) ([]node, error) {
	if g.member(c.device.account.person).rank == "" {
		return nil, errUnauthorized
	}
	if fresh {
		g.renew(c.device.account.person, c.device)
	}
	return []node{{Tag: "invite", Attrs: attrs{"code": g.invite}}}, nil
}

// setGroup changes the group. Only admins may change the settings of a locked
// group, and only admins may change its members.
func (c *conn) setGroup(g *Group, what node) ([]node, error) {
	me := c.device.account.person
	admin := g.member(me).rank != ""
	switch what.Tag {
	case "add", "remove", "promote", "demote":
		if !admin {
			return nil, errForbidden
		}
		return c.changeMembers(g, what), nil
	case "invite":
		return c.inviteLink(g, true)
	}
	if g.locked && !admin {
		return nil, errForbidden
	}
	switch what.Tag {
	case "subject":
		name, _ := what.Content.([]byte)
		g.rename(me, c.device, string(name))
	case "description":
		id := stringOf(what, "id")
		if id == "" {
			id = newID()
		}
		g.describeAs(me, c.device, id, string(bytesOf(what, "body")))
	case "locked", "unlocked":
		g.setLocked(me, c.device, what.Tag == "locked")
	case "announcement", "not_announcement":
		g.setAnnounce(me, c.device, what.Tag == "announcement")
	case "ephemeral":
		g.expires, _ = strconv.Atoi(stringOf(what, "expiration"))
		g.tell(me, c.device, node{Tag: what.Tag, Attrs: attrs{"expiration": g.expires}})
	case "not_ephemeral":
		g.expires = 0
		g.tell(me, c.device, node{Tag: what.Tag})
	case "membership_approval_mode", "member_add_mode":
	default:
		return nil, errUnknown
	}
	return nil, nil
}

// changeMembers answers with each participant, and with an error for each that
// could not be changed.
func (c *conn) changeMembers(g *Group, what node) []node {
	me := c.device.account.person
	var people []*person
	var answers []node
	for _, p := range what.GetChildrenByTag("participant") {
		jid := jidOf(p, "jid")
		found := c.srv.find(jid)
		a := attrs{"jid": jid}
		isIn := found != nil && g.member(found) != nil
		switch {
		case found == nil:
			a["error"] = 404
		case what.Tag == "add" && isIn:
			a["error"] = 409
		case what.Tag != "add" && !isIn:
			a["error"] = 404
		case what.Tag == "add" && found.uninvited:
			answers = append(answers, c.mustBeInvited(jid))
			continue
		default:
			people = append(people, found)
		}
		answers = append(answers, node{Tag: "participant", Attrs: a})
	}
	switch what.Tag {
	case "add":
		g.add(me, c.device, "", people)
	case "remove":
		g.remove(me, c.device, people)
	default:
		g.promote(me, c.device, what.Tag == "promote", people)
	}
	return []node{{Tag: what.Tag, Content: slices.Clip(answers)}}
}
