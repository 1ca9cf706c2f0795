package crm

import (
	"context"
	"errors"

	"chatcast/models"
)

// A group is the messenger's: these rules say who may ask for what, ask the messenger,
// and record what it did. An operator with write access does what belongs to talking with
// customers and can be undone by the same means. What gives control of a group to others
// or ends it is for owners and admins: admins of the group, new links, joining, leaving.

var errNoGroups = Unavailable("this line has no account that could be in groups")

// groupsOf authorises the actor on the line, and returns what asks for its groups.
func (s *Service) groupsOf(ctx context.Context, a Actor, on Line, n need) (*line, GroupMessenger, error) {
	l, connector, err := s.connectorFor(ctx, a, on, n)
	if err != nil {
		return nil, nil, err
	}
	groups, ok := connector.(GroupMessenger)
	if !ok || !IsWhatsApp(on.Messenger) {
		return nil, nil, errNoGroups
	}
	return l, groups, nil
}

// groupOf is groupsOf for one group, whose id on the wire it returns. A group whose chat
// the actor may not see is CodeNotFound.
func (s *Service) groupOf(ctx context.Context, a Actor, at ChatAddress, n need) (l *line, groups GroupMessenger, id string, err error) {
	if l, groups, err = s.groupsOf(ctx, a, at.Line, n); err != nil {
		return nil, nil, "", err
	}
	key, err := ParseChatID("groupId", at.Messenger, at.ChatID)
	if err != nil || !key.Group {
		return nil, nil, "", notFound("group")
	}
	return l, groups, key.External, s.seesGroup(ctx, l, a, key.External)
}

// seesGroup returns an error unless the actor may see the group's chat. Everybody who may
// read the line sees a group in which nothing was written yet.
func (s *Service) seesGroup(ctx context.Context, l *line, a Actor, id string) error {
	if !l.access.OnlyMine {
		return nil
	}
	tx := s.Store.Read(ctx)
	chat, err := tx.ChatByExternal(l.licenseID, l.messenger, id)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	sees, err := l.sees(tx, a, chat)
	if err == nil && !sees {
		err = notFound("group")
	}
	return err
}

// Groups lists the groups that the line's account is in and that the actor may see, with or
// without their members.
func (s *Service) Groups(ctx context.Context, a Actor, on Line, members bool) ([]Group, error) {
	l, groups, err := s.groupsOf(ctx, a, on, read)
	if err != nil {
		return nil, err
	}
	all, err := groups.Groups(ctx, on, members)
	if err != nil {
		return nil, err
	}
	seen := make([]Group, 0, len(all))
	for _, g := range all {
		switch err := s.seesGroup(ctx, l, a, g.ID); {
		case err == nil:
			if err := s.nameMembers(ctx, l, a, &g); err != nil {
				return nil, err
			}
			seen = append(seen, g)
		case !isNotFound(err):
			return nil, err
		}
	}
	return seen, nil
}

// Group returns a group with its members.
func (s *Service) Group(ctx context.Context, a Actor, at ChatAddress) (*Group, error) {
	l, groups, id, err := s.groupOf(ctx, a, at, read)
	if err != nil {
		return nil, err
	}
	return s.namedGroup(ctx, l, a, groups, at.Line, id)
}

// namedGroup returns a group whose members have the names of our contacts.
func (s *Service) namedGroup(ctx context.Context, l *line, a Actor, groups groupReader, on Line, id string) (*Group, error) {
	g, err := groups.Group(ctx, on, id)
	if err != nil {
		return nil, err
	}
	return g, s.nameMembers(ctx, l, a, g)
}

// nameMembers gives the members the names of those contacts that the actor may see.
func (s *Service) nameMembers(ctx context.Context, l *line, a Actor, g *Group) error {
	if len(g.Members) == 0 {
		return nil
	}
	ids := make([]string, len(g.Members))
	for i, m := range g.Members {
		ids[i] = m.ID
	}
	names, err := s.Store.Read(ctx).ContactNames(l.contacts(a), ids)
	for i, m := range g.Members {
		g.Members[i].Name = names[m.ID]
	}
	return err
}

// ChangeGroup changes a group's name, description and settings, one after the other. When
// one is refused, those before it stay changed.
func (s *Service) ChangeGroup(ctx context.Context, a Actor, at ChatAddress, ch GroupChanges) (*Group, error) {
	l, groups, id, err := s.groupOf(ctx, a, at, write)
	if err != nil {
		return nil, err
	}
	if err := ch.check(); err != nil {
		return nil, err
	}
	changes, details := ch.single()
	for i, one := range changes {
		if err := groups.ChangeGroup(asking(ctx, a), at.Line, id, one); err != nil {
			return nil, err
		}
		err := s.recordGroup(ctx, at.Line, func(c *change, l *line) error {
			chat, err := c.groupChat(l, id, one.Name.Value)
			if err != nil {
				return err
			}
			return c.groupDone(a, l, chat, InboundGroup{Changes: one}, AuditGroupChanged, details[i])
		})
		if err != nil {
			return nil, err
		}
	}
	return s.namedGroup(ctx, l, a, groups, at.Line, id)
}

// ChangeMembers adds or removes members of a group, or makes them admins of it, or no
// longer. It returns the result for each of them.
func (s *Service) ChangeMembers(ctx context.Context, a Actor, at ChatAddress, what MemberChange, members []string) ([]MemberResult, error) {
	n := write
	if what == MembersPromote || what == MembersDemote {
		n = manage
	}
	_, groups, id, err := s.groupOf(ctx, a, at, n)
	if err != nil {
		return nil, err
	}
	people, err := peopleOf(at.Messenger, "members", members, 1)
	if err != nil {
		return nil, err
	}
	results, err := groups.ChangeMembers(asking(ctx, a), at.Line, id, what, people)
	if err != nil {
		return nil, err
	}
	return results, s.recordGroup(ctx, at.Line, func(c *change, l *line) error {
		chat, err := c.groupChat(l, id, "")
		done := InboundMembers{What: what}
		for _, r := range results {
			if err == nil && r.Error == nil {
				done.People = append(done.People, memberNamed(at.Messenger, r.ID))
				err = c.auditGroup(a, l, chat, AuditGroupMembers, map[string]string{"change": string(what), "member": r.ID})
			}
		}
		if err != nil || len(done.People) == 0 {
			return err
		}
		return c.tellGroup(a, l, chat, InboundGroup{Members: []InboundMembers{done}})
	})
}
