package whatsapp

import (
	"context"

	"chatcast/crm"
)

// sentGroup is a group as it travels between processes: the JSON of a crm.Group does not say
// which member is the account.
type sentGroup struct {
	Group *crm.Group
	Self  []int // places of those members
}

func sendGroup(g *crm.Group) (s sentGroup) {
	s.Group = g
	if g != nil {
		for i, member := range g.Members {
			if member.Self {
				s.Self = append(s.Self, i)
			}
		}
	}
	return s
}

func (s sentGroup) group() *crm.Group {
	for _, i := range s.Self {
		if s.Group != nil && i >= 0 && i < len(s.Group.Members) {
			s.Group.Members[i].Self = true
		}
	}
	return s.Group
}

// sentGroups are groups with their members, as they travel between processes.
type sentGroups []sentGroup

var groupsMethod = method[none, []crm.Group]{"groups", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, _ none) ([]crm.Group, error) {
	return m.groups(ctx, l, false)
}}

var memberGroupsMethod = method[none, sentGroups]{"groups with members", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, _ none) (sentGroups, error) {
	all, err := m.groups(ctx, l, true)
	sent := make(sentGroups, len(all))
	for i := range all {
		sent[i] = sendGroup(&all[i])
	}
	return sent, err
}}

// Groups implements crm.GroupMessenger.
func (m *Messenger) Groups(ctx context.Context, l crm.Line, members bool) (all []crm.Group, err error) {
	if !members {
		return groupsMethod.call(ctx, m, l, none{})
	}
	sent, err := memberGroupsMethod.call(ctx, m, l, none{})
	for _, s := range sent {
		if g := s.group(); g != nil {
			all = append(all, *g)
		}
	}
	return all, err
}

type groupArgs struct{ ID string }

var groupMethod = method[groupArgs, sentGroup]{"group", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a groupArgs) (sentGroup, error) {
	g, err := m.group(ctx, l, a.ID)
	return sendGroup(g), err
}}

// Group implements crm.GroupMessenger.
func (m *Messenger) Group(ctx context.Context, l crm.Line, id string) (*crm.Group, error) {
	sent, err := groupMethod.call(ctx, m, l, groupArgs{id})
	return sent.group(), err
}

type groupLinkArgs struct {
	ID    string
	Renew bool
}

var groupLinkMethod = method[groupLinkArgs, string]{"group link", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a groupLinkArgs) (string, error) {
	return m.groupLink(ctx, l, a.ID, a.Renew)
}}

// GroupLink implements crm.GroupMessenger.
func (m *Messenger) GroupLink(ctx context.Context, l crm.Line, id string, renew bool) (string, error) {
	return groupLinkMethod.call(ctx, m, l, groupLinkArgs{id, renew})
}

type createdGroup struct {
	Made    sentGroup
	Members []crm.MemberResult
}

var createGroupMethod = method[crm.GroupInput, createdGroup]{"create group", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, in crm.GroupInput) (createdGroup, error) {
	made, err := m.createGroup(ctx, l, in)
	if made == nil {
		return createdGroup{}, err
	}
	return createdGroup{sendGroup(&made.Group), made.Members}, err
}}

// CreateGroup implements crm.GroupMessenger. The group has all its members when one of
// them cannot be found; who could not be added is told.
func (m *Messenger) CreateGroup(ctx context.Context, l crm.Line, in crm.GroupInput) (*crm.CreatedGroup, error) {
	made, err := createGroupMethod.call(ctx, m, l, in)
	g := made.Made.group()
	if g == nil {
		return nil, err
	}
	return &crm.CreatedGroup{Group: *g, Members: made.Members}, err
}

// groupChange is the one change that a crm.GroupChanges has here.
type groupChange struct {
	ID                string
	Name, Description *string
	Announce, Locked  *bool
	Ephemeral         *int64
}

func valueOf[T any](f crm.Field[T]) *T {
	if !f.Set || f.Null {
		return nil
	}
	return &f.Value
}

func fieldOf[T any](v *T) crm.Field[T] {
	if v == nil {
		return crm.Field[T]{}
	}
	return crm.Value(*v)
}

var changeGroupMethod = method[groupChange, none]{"change group", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a groupChange) (none, error) {
	return none{}, m.changeGroup(ctx, l, a.ID, crm.GroupChanges{
		Name: fieldOf(a.Name), Description: fieldOf(a.Description), Announce: fieldOf(a.Announce), Locked: fieldOf(a.Locked), Ephemeral: fieldOf(a.Ephemeral),
	})
}}

// ChangeGroup implements crm.GroupMessenger.
func (m *Messenger) ChangeGroup(ctx context.Context, l crm.Line, id string, ch crm.GroupChanges) error {
	_, err := changeGroupMethod.call(ctx, m, l, groupChange{
		id, valueOf(ch.Name), valueOf(ch.Description), valueOf(ch.Announce), valueOf(ch.Locked), valueOf(ch.Ephemeral),
	})
	return err
}

type membersArgs struct {
	ID     string
	What   crm.MemberChange
	People []string
}

var changeMembersMethod = method[membersArgs, []crm.MemberResult]{"group members", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a membersArgs) ([]crm.MemberResult, error) {
	return m.changeMembers(ctx, l, a.ID, a.What, a.People)
}}

// ChangeMembers implements crm.GroupMessenger. It names people as the group does: by
// number or by hidden id.
func (m *Messenger) ChangeMembers(ctx context.Context, l crm.Line, id string, what crm.MemberChange, people []string) ([]crm.MemberResult, error) {
	return changeMembersMethod.call(ctx, m, l, membersArgs{id, what, people})
}

type joinArgs struct{ Code string }

type joinedGroup struct {
	Joined *crm.JoinedGroup // without its group
	Group  sentGroup
}

var joinGroupMethod = method[joinArgs, joinedGroup]{"join group", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a joinArgs) (j joinedGroup, err error) {
	joined, err := m.joinGroup(ctx, l, a.Code)
	if joined != nil {
		j = joinedGroup{&crm.JoinedGroup{ID: joined.ID, Pending: joined.Pending}, sendGroup(joined.Group)}
	}
	return j, err
}}

// JoinGroup implements crm.GroupMessenger.
func (m *Messenger) JoinGroup(ctx context.Context, l crm.Line, code string) (*crm.JoinedGroup, error) {
	j, err := joinGroupMethod.call(ctx, m, l, joinArgs{code})
	if j.Joined != nil {
		j.Joined.Group = j.Group.group()
	}
	return j.Joined, err
}

var leaveGroupMethod = method[groupArgs, none]{"leave group", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a groupArgs) (none, error) {
	return none{}, m.leaveGroup(ctx, l, a.ID)
}}

// LeaveGroup implements crm.GroupMessenger.
func (m *Messenger) LeaveGroup(ctx context.Context, l crm.Line, id string) error {
	_, err := leaveGroupMethod.call(ctx, m, l, groupArgs{id})
	return err
}
