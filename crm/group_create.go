package crm

import (
	"context"
	"errors"

	"chatcast/models"
)

// CreateGroup makes a group with these members, and its chat. Who cannot be added is in
// the answer, with the reason. Only owners and admins may make the members admins of it.
//
// The group is made when one of the later steps fails: the answer tells what it lacks.
func (s *Service) CreateGroup(ctx context.Context, a Actor, on Line, in GroupInput) (*CreatedGroup, error) {
	n := write
	if in.Promote {
		n = manage
	}
	if _, _, err := s.groupsOf(ctx, a, on, n); err != nil {
		return nil, err
	}
	if len(in.Picture) > 0 {
		if err := checkPicture("picture", in.Picture); err != nil {
			return nil, err
		}
	}
	made, _, err := s.createGroup(ctx, a, on, in)
	if err != nil {
		return made, err
	}
	at := ChatAddress{Line: on, ChatID: made.Group.ID}
	if in.Promote {
		if made.Problem, err = problemOf(s.promoteAdded(ctx, a, at, made)); err != nil {
			return made, err
		}
	}
	if len(in.Picture) > 0 {
		problem, err := problemOf(s.SetGroupPicture(ctx, a, at, in.Picture))
		if problem != nil {
			made.Problem = problem
		}
		return made, err
	}
	return made, nil
}

// promoteAdded makes admins of the members that a new group has.
func (s *Service) promoteAdded(ctx context.Context, a Actor, at ChatAddress, made *CreatedGroup) (err error) {
	var added []string
	for _, m := range made.Members {
		if m.Error == nil {
			added = append(added, m.ID)
		}
	}
	if len(added) == 0 {
		return nil
	}
	if made.Admins, err = s.ChangeMembers(ctx, a, at, MembersPromote, added); err != nil {
		made.Admins = []MemberResult{}
		return err
	}
	for _, r := range made.Admins {
		for i := range made.Group.Members {
			if m := &made.Group.Members[i]; r.Error == nil && person(*m).is(person(memberNamed(at.Messenger, r.ID))) {
				m.Role = MemberAdmin
			}
		}
	}
	return nil
}

// problemOf returns a refusal as an answer tells it, and any other error as it is.
func problemOf(err error) (*SendError, error) {
	var refused *Error
	if errors.As(err, &refused) {
		return &SendError{Code: string(refused.Code), Message: refused.Message}, nil
	}
	return nil, err
}

func (s *Service) createGroup(ctx context.Context, a Actor, on Line, in GroupInput) (made *CreatedGroup, chat *models.Chat, err error) {
	l, groups, err := s.groupsOf(ctx, a, on, write)
	if err != nil {
		return nil, nil, err
	}
	if err := in.check(on.Messenger); err != nil {
		return nil, nil, err
	}
	plain := in
	plain.Promote, plain.Picture = false, nil
	if made, err = groups.CreateGroup(asking(ctx, a), on, plain); err != nil {
		return nil, nil, err
	}
	made.Admins = []MemberResult{}
	err = s.recordGroup(ctx, on, func(c *change, l *line) error {
		if chat, err = c.groupChat(l, made.Group.ID, in.Name); err != nil {
			return err
		}
		return c.groupDone(a, l, chat, InboundGroup{Now: &made.Group, Joined: true}, AuditGroupMade, nil)
	})
	if err == nil {
		err = s.nameMembers(ctx, l, a, &made.Group)
	}
	return made, chat, err
}
