package crm

import (
	"context"

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

func (c *change) emitMember(a Actor, chat *models.Chat, typ string, m models.ChatMember) error {
	who, ref := IDRef{m.UserID}, ChatRef{chat.ExternalID}
	if m.Part == models.PartAuditor {
		return c.emitChat(chat, EventChatAuditor,
			ChatAuditorItem{Type: typ, Auditor: who, Chat: ref, FromApp: a.fromApp(), Edited: a.edited()})
	}
	return c.emitChat(chat, EventChatAccomplice,
		ChatAccompliceItem{Type: typ, Accomplice: who, Chat: ref, FromApp: a.fromApp(), Edited: a.edited()})
}
