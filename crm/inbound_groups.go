package crm

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chatcast/models"
)

// InboundGroup is news of a group of the account: as a whole, or what has changed. What is
// stored already causes no event, so it may come again.
type InboundGroup struct {
	ID   ID
	By   *InboundUser // who did it; nil: not known
	Time *int64       // unix seconds; now when nil

	Now    *Group // the group with all its members, as it is now; nil: only the following
	Joined bool   // with Now: the account has just become a member

	Changes GroupChanges
	Members []InboundMembers
	Picture *string // the id of its new picture; empty: it was removed
	Link    *string // by which people join from now on
	Left    bool    // the account has left, or was removed
	Deleted bool
}

// InboundMembers is a change of a group's members.
type InboundMembers struct {
	What   MemberChange
	People []GroupMember
}

type groupArrival struct {
	InboundGroup
	chat inboundChat
	by   *Author
	time int64

	actor  Actor // an employee who did it here
	listed bool  // all groups of the account are stored
	silent bool  // it causes no event
}

func (in InboundGroup) check(messenger, at string, now int64) (g groupArrival, err error) {
	chat, chatViolation := InboundChat{ID: in.ID, Type: models.ChatGroup}.check(messenger, at)
	when, timeViolation := checkTime(at+"time", in.Time, now)
	g = groupArrival{InboundGroup: in, chat: chat, time: when}
	var byViolation error
	if in.By != nil {
		var by Author
		by, _, byViolation = in.By.check(messenger, at+"by.", false)
		g.by = &by
	}
	return g, allViolations(chatViolation, timeViolation, byViolation)
}

// applyGroups tells what has changed in groups. What groups are is only stored, until all
// groups of the account were listed once.
func (c *change) applyGroups(l *line, chats *chatSet, b batch) error {
	if len(b.groups) == 0 && b.allGroups == nil {
		return nil
	}
	account, listed, err := c.groupsListed(l)
	if err != nil {
		return err
	}
	for i := range b.groups {
		g := &b.groups[i]
		g.listed = listed
		if err := c.applyGroup(l, chats.find(g.chat), g); err != nil {
			return err
		}
	}
	if b.allGroups == nil {
		return nil
	}
	for _, id := range chats.otherGroups {
		g := &groupArrival{InboundGroup: InboundGroup{Left: true}, chat: inboundChat{key: ChatKey{External: id, Group: true}}, time: c.now.Unix(), listed: true, silent: !listed}
		if err := c.applyGroup(l, chats.find(g.chat), g); err != nil {
			return err
		}
	}
	if listed {
		return nil
	}
	return c.tx.PutLineGroup(&models.LineGroup{LicenseID: l.licenseID, MessengerType: l.messenger, State: account})
}

// groupsListed reports whether all groups of the line's account are stored.
func (c *change) groupsListed(l *line) (account string, listed bool, err error) {
	x, err := c.tx.MessengerSession(l.licenseID, l.messenger)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return "", false, err
	}
	if err == nil {
		account = x.Phone
	}
	of, err := c.tx.LineGroupsOf(l.licenseID, l.messenger)
	if errors.Is(err, models.ErrNotFound) {
		return account, false, nil
	}
	return account, err == nil && of == account, err
}

// applyGroup applies news of one group. chat is its locked chat, or nil when nothing was
// written in it yet.
func (c *change) applyGroup(l *line, chat *models.Chat, g *groupArrival) error {
	id := g.chat.key.External
	row, err := c.tx.LineGroup(l.licenseID, l.messenger, id)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	var st *groupState
	if row != nil {
		st = new(groupState)
		if err := json.Unmarshal([]byte(row.State), st); err != nil {
			return fmt.Errorf("crm: state of group %s: %w", id, err)
		}
	}
	st, changes := g.apply(st)
	if st != nil {
		if err := c.keepGroup(l, g, row, st); err != nil {
			return err
		}
	}
	if g.silent || g.Now != nil && !g.Joined && !g.listed {
		return nil
	}
	return c.emitGroup(l, chat, g, st, changes)
}

// keepGroup stores what a group is now. row is what was stored, nil if nothing was.
func (c *change) keepGroup(l *line, g *groupArrival, row *models.LineGroup, st *groupState) error {
	now := &models.LineGroup{LicenseID: l.licenseID, MessengerType: l.messenger, ExternalID: g.chat.key.External}
	if g.Left || g.Deleted {
		return c.tx.DeleteLineGroup(now)
	}
	b, err := json.Marshal(st)
	if err != nil || row != nil && row.State == string(b) {
		return err
	}
	now.State = string(b)
	if row == nil { // who does it at the same time is told that it is there, and begins again
		return c.tx.AddLineGroup(now)
	}
	return c.tx.PutLineGroup(now)
}

// apply applies the news to what is stored of the group, nil if nothing is, and returns
// what has changed.
func (g *groupArrival) apply(st *groupState) (*groupState, []groupChange) {
	if g.Now != nil && st == nil {
		st = stateOf(g.Now)
		join := groupChange{typ: GroupJoin, members: []GroupMember{}}
		if self := st.inside(); self != nil {
			join.members = append(join.members, self.member())
		}
		return st, []groupChange{join}
	}
	if g.Now != nil {
		return st, st.become(g.Now)
	}
	switch {
	case st == nil && g.listed: // the account is not in the group, which was told
		return nil, nil
	case st == nil && (g.Left || g.Deleted):
		return nil, g.ended(&groupState{})
	case st == nil: // it cannot be told what is new
		return nil, g.untold()
	}
	changes := st.change(g.Changes)
	for _, m := range g.Members {
		if self := st.inside(); m.What == MembersRemove && self != nil {
			others := slices.DeleteFunc(slices.Clone(m.People), func(p GroupMember) bool { return self.is(person(p)) })
			g.Left, m.People = g.Left || len(others) < len(m.People), others
		}
		if moved := st.move(m.What, m.People); len(moved) > 0 {
			changes = append(changes, groupChange{string(m.What), moved})
		}
	}
	if g.Picture != nil && (st.Picture == nil || *st.Picture != *g.Picture) {
		st.Picture = g.Picture
		changes = append(changes, groupChange{typ: GroupPicture})
	}
	if g.Link != nil && st.Link != linkHash(*g.Link) {
		st.Link = linkHash(*g.Link)
		changes = append(changes, groupChange{typ: GroupInvitation})
	}
	if g.Left || g.Deleted {
		changes = append(changes, g.ended(st)...)
	}
	return st, changes
}

// ended returns that the account is no longer in the group.
func (g *groupArrival) ended(st *groupState) []groupChange {
	typ, self := GroupLeave, []GroupMember{}
	if p := st.inside(); p != nil {
		self = append(self, p.member())
	}
	if g.Deleted {
		typ, self = GroupDelete, nil
	}
	st.Members = slices.DeleteFunc(st.Members, func(p groupPerson) bool { return p.Self })
	return []groupChange{{typ, self}}
}

// untold returns all changes of a group of which nothing is stored.
func (g *groupArrival) untold() (changes []groupChange) {
	for typ, set := range map[string]bool{
		GroupName: g.Changes.Name.Set, GroupDescription: g.Changes.Description.Set, GroupAnnounce: g.Changes.Announce.Set,
		GroupLocked: g.Changes.Locked.Set, GroupEphemeral: g.Changes.Ephemeral.Set, GroupPicture: g.Picture != nil, GroupInvitation: g.Link != nil,
	} {
		if set {
			changes = append(changes, groupChange{typ: typ})
		}
	}
	slices.SortFunc(changes, func(a, b groupChange) int { return strings.Compare(a.typ, b.typ) })
	for _, m := range g.Members {
		var others []GroupMember
		for _, p := range m.People {
			if m.What == MembersRemove && p.Self {
				changes = append(changes, groupChange{GroupLeave, []GroupMember{person(p).member()}})
			} else {
				others = append(others, person(p).member())
			}
		}
		if len(others) > 0 {
			changes = append(changes, groupChange{string(m.What), others})
		}
	}
	return changes
}

// linkHash identifies a link. The link itself is not stored: it lets people join.
func linkHash(link string) string {
	sum := sha256.Sum256([]byte(link))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// otherGroups returns the ids of the stored groups that are not in all.
func (c *change) otherGroups(l *line, all []ID) (ids []string, err error) {
	ids, err = c.tx.LineGroupIDs(l.licenseID, l.messenger)
	return slices.DeleteFunc(ids, func(id string) bool {
		return slices.ContainsFunc(all, func(in ID) bool { return in.String() == id })
	}), err
}

// emitGroup emits an event for each change of a group. Members have no names: those of
// contacts are not for everybody who gets the event. st is nil when nothing is stored of it.
func (c *change) emitGroup(l *line, chat *models.Chat, g *groupArrival, st *groupState, changes []groupChange) error {
	if chat == nil { // everybody who may read the line sees a group in which nothing was written yet
		chat = &models.Chat{CompanyID: l.companyID, LicenseID: l.licenseID, MessengerType: l.messenger, ExternalID: g.chat.key.External, Type: models.ChatGroup}
	}
	for _, ch := range changes {
		item := ChatGroupItem{Type: ch.typ, Chat: ChatRef{ID: chat.ExternalID}, Members: append([]GroupMember{}, ch.members...), By: g.by, Time: g.time, FromApp: g.actor.fromApp(), Edited: g.actor.edited()}
		if st != nil {
			item.Group = st.card()
			if ch.typ == GroupJoin {
				item.Group.joined(g.Now, st)
			}
		}
		if err := c.emitChat(chat, EventChatGroup, item); err != nil {
			return err
		}
	}
	return nil
}
