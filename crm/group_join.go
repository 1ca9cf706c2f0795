package crm

import "context"

// GroupLink returns the link by which people join a group.
func (s *Service) GroupLink(ctx context.Context, a Actor, at ChatAddress) (*GroupLink, error) {
	_, groups, id, err := s.groupOf(ctx, a, at, write)
	if err != nil {
		return nil, err
	}
	link, err := groups.GroupLink(ctx, at.Line, id, false)
	return &GroupLink{link}, err
}

// RenewGroupLink makes the link by which people join a group invalid, and returns a new
// one. Only owners and admins may do so: the old one may be printed somewhere.
func (s *Service) RenewGroupLink(ctx context.Context, a Actor, at ChatAddress) (*GroupLink, error) {
	_, groups, id, err := s.groupOf(ctx, a, at, manage)
	if err != nil {
		return nil, err
	}
	link, err := groups.GroupLink(asking(ctx, a), at.Line, id, true)
	if err != nil {
		return nil, err
	}
	return &GroupLink{link}, s.recordGroup(ctx, at.Line, func(c *change, l *line) error {
		chat, err := c.groupChat(l, id, "")
		if err != nil {
			return err
		}
		return c.groupDone(a, l, chat, InboundGroup{Link: &link}, AuditGroupLink, nil)
	})
}

// GroupByLink returns the group that people join by a link, whether or not the account is in
// it. Only owners and admins may ask, as they alone may join: what is answered is of people
// outside.
func (s *Service) GroupByLink(ctx context.Context, a Actor, on Line, link string) (*Group, error) {
	if _, err := s.line(s.Store.Read(ctx), a, on.LicenseID, on.Messenger, manage); err != nil {
		return nil, err
	}
	code, err := inviteCode(link)
	if err != nil {
		return nil, err
	}
	l, groups, err := s.groupsOf(ctx, a, on, manage)
	if err != nil {
		return nil, err
	}
	g, err := groups.GroupByLink(ctx, on, code)
	if err != nil {
		return nil, err
	}
	return g, s.nameMembers(ctx, l, a, g)
}

// inviteCode returns the code in a link by which people join.
func inviteCode(link string) (string, error) {
	found := inviteForm.FindStringSubmatch(link)
	if found == nil {
		return "", Invalid("link", "must be a link such as https://chat.whatsapp.com/..., or its code")
	}
	return found[3], nil
}

// JoinGroup makes the line's account a member of the group with this link, and makes the
// group's chat. Only owners and admins may do so.
func (s *Service) JoinGroup(ctx context.Context, a Actor, on Line, link string) (*JoinedGroup, error) {
	l, groups, err := s.groupsOf(ctx, a, on, manage)
	if err != nil {
		return nil, err
	}
	code, err := inviteCode(link)
	if err != nil {
		return nil, err
	}
	joined, err := groups.JoinGroup(asking(ctx, a), on, code)
	if err != nil {
		return nil, err
	}
	name, pending := "", map[string]string{"pending": "true"}
	if joined.Group != nil {
		name, pending = joined.Group.Name, nil
	}
	err = s.recordGroup(ctx, on, func(c *change, l *line) error {
		chat, err := c.groupChat(l, joined.ID, name)
		if err != nil {
			return err
		}
		return c.groupDone(a, l, chat, InboundGroup{Now: joined.Group, Joined: true}, AuditGroupJoined, pending)
	})
	if err == nil && joined.Group != nil { // after the record: the account is in the group already
		err = s.nameMembers(ctx, l, a, joined.Group)
	}
	return joined, err
}

// LeaveGroup takes the line's account out of a group. Its chat stays. Only owners and
// admins may do so: the account cannot come back by itself.
func (s *Service) LeaveGroup(ctx context.Context, a Actor, at ChatAddress) error {
	_, groups, id, err := s.groupOf(ctx, a, at, manage)
	if err != nil {
		return err
	}
	if err := groups.LeaveGroup(asking(ctx, a), at.Line, id); err != nil {
		return err
	}
	return s.recordGroup(ctx, at.Line, func(c *change, l *line) error {
		chat, err := c.groupChat(l, id, "")
		if err != nil {
			return err
		}
		return c.groupDone(a, l, chat, InboundGroup{Left: true}, AuditGroupLeft, nil)
	})
}
