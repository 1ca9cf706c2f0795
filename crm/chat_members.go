package crm

import (
	"context"
	"errors"

	"chatcast/models"
)

// AddAccomplice makes an employee an accomplice of a chat.
func (s *Service) AddAccomplice(ctx context.Context, a Actor, at ChatAddress, id Field[int64]) (ChatData, error) {
	return s.addMember(ctx, a, at, models.PartAccomplice, id)
}

// RemoveAccomplice ends an accomplice's part in a chat.
func (s *Service) RemoveAccomplice(ctx context.Context, a Actor, at ChatAddress, userID int64) (ChatData, error) {
	return s.removeMember(ctx, a, at, models.PartAccomplice, userID)
}

// AddAuditor makes an employee an auditor of a chat.
func (s *Service) AddAuditor(ctx context.Context, a Actor, at ChatAddress, id Field[int64]) (ChatData, error) {
	return s.addMember(ctx, a, at, models.PartAuditor, id)
}

// RemoveAuditor ends an auditor's part in a chat.
func (s *Service) RemoveAuditor(ctx context.Context, a Actor, at ChatAddress, userID int64) (ChatData, error) {
	return s.removeMember(ctx, a, at, models.PartAuditor, userID)
}

func (s *Service) addMember(ctx context.Context, a Actor, at ChatAddress, part string, id Field[int64]) (ChatData, error) {
	check := func(c *change, l *line) error {
		if err := id.required("id"); err != nil {
			return err
		}
		return l.colleague(c.tx, id.Value)
	}
	return s.onChat(ctx, a, at, check, func(c *change, chat *models.Chat) error {
		m := models.ChatMember{ChatID: chat.ID, UserID: id.Value, Part: part}
		added, err := c.tx.AddChatMember(m)
		if err != nil || !added {
			return err
		}
		return c.emitMember(a, chat, TypeAdd, m)
	})
}

// removeMember requires only that the user works for the company or has the part, so
// that a user who lost access to the licence or left the company can be removed.
func (s *Service) removeMember(ctx context.Context, a Actor, at ChatAddress, part string, userID int64) (ChatData, error) {
	var employed bool
	find := func(c *change, l *line) error {
		_, err := c.tx.EmployeeOf(l.companyID, userID)
		if employed = err == nil; employed {
			return nil
		}
		if e, ok := orNotFound(err, "employee").(*Error); ok && e.Code == CodeNotFound {
			return nil
		}
		return err
	}
	return s.onChat(ctx, a, at, find, func(c *change, chat *models.Chat) error {
		m := models.ChatMember{ChatID: chat.ID, UserID: userID, Part: part}
		removed, err := c.tx.RemoveChatMember(m)
		if err != nil {
			return err
		}
		if !removed && !employed {
			return notFound("employee")
		}
		if !removed {
			return nil
		}
		return c.emitMember(a, chat, TypeDestroy, m)
	})
}

// leaveChats takes every part in the company's chats from a user; with lost only in those
// chats in which they may have none, because they lost the licence or may no longer sign in.
// More may be left. The caller has made sure that they get no new ones.
func (c *change) leaveChats(a Actor, companyID, userID int64, lost bool) (more bool, err error) {
	chats, err := c.tx.LockChatsOf(companyID, userID, lost, deleteBatch)
	if err != nil {
		return false, err
	}
	for i := range chats {
		if err := c.leaveChat(a, &chats[i], userID); err != nil {
			return false, err
		}
	}
	return len(chats) == deleteBatch, nil
}

func (c *change) leaveChat(a Actor, chat *models.Chat, userID int64) error {
	for _, part := range []string{models.PartAccomplice, models.PartAuditor} {
		m := models.ChatMember{ChatID: chat.ID, UserID: userID, Part: part}
		removed, err := c.tx.RemoveChatMember(m)
		if err != nil {
			return err
		}
		if !removed {
			continue
		}
		if err := c.emitMember(a, chat, TypeDestroy, m); err != nil {
			return err
		}
	}
	if chat.ProducerID != nil && *chat.ProducerID == userID {
		if err := c.setProducer(a, chat, nil); err != nil {
			return err
		}
	}
	if chat.ResponsibleID == nil || *chat.ResponsibleID != userID {
		return nil
	}
	return c.setResponsible(a, chat, nil)
}

// loseParts takes from a user the parts in the company's chats in which they may have none
// any more, because of this change. When it reports more, leaveLost must follow. That is
// noted, in case that this process does not come to it.
func (c *change) loseParts(a Actor, companyID, userID int64) (more bool, err error) {
	more, err = c.leaveChats(a, companyID, userID, true)
	if err != nil {
		return false, err
	}
	if more {
		return true, c.tx.AddLostParts(companyID, userID)
	}
	return false, c.tx.DeleteLostParts(companyID, userID)
}

// leaveLost takes from a user all parts in the company's chats in which they may have none,
// in as many transactions as that needs.
func (s *Service) leaveLost(ctx context.Context, a Actor, companyID, userID int64) error {
	return s.untilDone(ctx, func(c *change) (done bool, err error) {
		if err := c.tx.LockEmployee(companyID, userID); err != nil {
			return false, err
		}
		more, err := c.loseParts(a, companyID, userID)
		return !more, err
	})
}

// leaveStray takes all parts that users have and may not have: those that a process did not
// get to take, or an earlier version left.
func (s *Service) leaveStray(ctx context.Context) error {
	for {
		some, err := s.Store.Read(ctx).UncheckedParts()
		if err != nil {
			return err
		}
		if !some {
			break
		}
		if err := s.Store.Tx(ctx, func(tx *models.Tx) error { return tx.CheckParts(partsBatch) }); err != nil {
			return err
		}
	}
	var failed skipped // users who fail do not keep the others
	for after := (models.LostParts{}); ; {
		list, err := s.Store.Read(ctx).AllLostParts(after, sweepBatch)
		if err != nil {
			return errors.Join(failed.err(), err)
		}
		for _, after = range list {
			failed.add(s.leaveLost(ctx, Actor{}, after.CompanyID, after.UserID))
		}
		if len(list) < sweepBatch || ctx.Err() != nil {
			return failed.err()
		}
	}
}

func (c *change) emitMember(a Actor, chat *models.Chat, typ string, m models.ChatMember) error {
	who, ref := IDRef{m.UserID}, ChatRef{chat.ExternalID}
	if m.Part == models.PartAuditor {
		return c.emitChat(chat, EventChatAuditor,
			ChatAuditorItem{Type: typ, Auditor: who, Chat: ref, FromApp: a.fromApp(), Edited: a.edited()}, &m.UserID)
	}
	return c.emitChat(chat, EventChatAccomplice,
		ChatAccompliceItem{Type: typ, Accomplice: who, Chat: ref, FromApp: a.fromApp(), Edited: a.edited()}, &m.UserID)
}
