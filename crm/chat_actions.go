package crm

import (
	"context"

	"chatcast/models"
)

// ProcessInWork is the one value of a chat's process beside null.
const ProcessInWork = "inWork"

// ChatAddress is where a chat is. ChatID may have any spelling that ParseChatID
// reads.
type ChatAddress struct {
	Line
	ChatID string
}

// onChat runs f on a chat that the actor may see on a line that they may write,
// its row locked, and returns the chat as it is then. prepare, when not nil, runs
// before the chat is locked: tags and levels are locked before chats, always, so
// that nobody waits for one another in a circle.
func (s *Service) onChat(ctx context.Context, a Actor, at ChatAddress,
	prepare func(c *change, l *line) error, f func(c *change, chat *models.Chat) error) (data ChatData, err error) {
	err = s.change(ctx, func(c *change) error {
		l, err := s.line(c.tx, a, at.LicenseID, at.Messenger, write)
		if err != nil {
			return err
		}
		if prepare != nil {
			if err := prepare(c, l); err != nil {
				return err
			}
		}
		chat, err := l.lockChat(c.tx, a, at.ChatID)
		if err != nil {
			return err
		}
		if err := f(c, chat); err != nil {
			return err
		}
		data, err = c.chatData(chat)
		return err
	})
	return data, err
}

// colleague is an error unless the user may be given a part in the line's chats:
// they work for its company and may read it.
func (l *line) colleague(tx *models.Tx, userID int64) error {
	acc, err := tx.LineAccess(userID, l.licenseID, l.messenger)
	if err != nil {
		return orNotFound(err, "employee")
	}
	if !acc.Read {
		return Invalid("id", "must be an employee who has access to this license")
	}
	return nil
}

// colleagueOrNull is colleague for a field that null empties.
func colleagueOrNull(id Field[int64]) func(c *change, l *line) error {
	return func(c *change, l *line) error {
		if err := id.given("id", "unassigns"); err != nil || id.Null {
			return err
		}
		return l.colleague(c.tx, id.Value)
	}
}

// SetChatStatus opens or closes a chat. Closing resets the level.
func (s *Service) SetChatStatus(ctx context.Context, a Actor, at ChatAddress, status string) (ChatData, error) {
	check := func(*change, *line) error {
		if status != models.ChatOpen && status != models.ChatClose {
			return Invalid("type", "must be open or close")
		}
		return nil
	}
	return s.onChat(ctx, a, at, check, func(c *change, chat *models.Chat) error {
		return c.setChatStatus(a, chat, status)
	})
}

// setChatStatus opens or closes a locked chat and tells of it when it was not.
func (c *change) setChatStatus(a Actor, chat *models.Chat, status string) error {
	if chat.Status == status {
		return nil
	}
	chat.Status = status
	if err := c.tx.SaveChat(chat); err != nil {
		return err
	}
	item := ChatStatusItem{Type: status, Chat: ChatRef{chat.ExternalID}, Edited: a.edited()}
	if err := c.emitChat(chat, EventChatStatus, item); err != nil {
		return err
	}
	if status == models.ChatClose {
		return c.setLevel(a, chat, nil)
	}
	return nil
}

// SetResponsible makes an employee responsible for a chat; null makes it no
// one's. A pin holds the responsible against automatic changes, not against a
// person: choosing somebody else keeps the chat pinned, to them; choosing no one
// ends the pin, with its own event.
func (s *Service) SetResponsible(ctx context.Context, a Actor, at ChatAddress, id Field[int64]) (ChatData, error) {
	return s.onChat(ctx, a, at, colleagueOrNull(id), func(c *change, chat *models.Chat) error {
		return c.setResponsible(a, chat, id.pointer())
	})
}

// setResponsible gives a locked chat another responsible and tells it.
func (c *change) setResponsible(a Actor, chat *models.Chat, to *int64) error {
	before := chat.ResponsibleID
	if same(before, to) {
		return nil
	}
	unpin := to == nil && chat.ResponsiblePinned
	chat.ResponsibleID = to
	if unpin {
		chat.ResponsiblePinned = false
	}
	if err := c.tx.SaveChat(chat); err != nil {
		return err
	}
	if unpin {
		item := ChatResponsiblePinItem{Type: TypeUnpin, Chat: ChatRef{chat.ExternalID}, Edited: a.edited()}
		if err := c.emitChat(chat, EventChatResponsiblePin, item, before); err != nil {
			return err
		}
	}
	return c.emitChat(chat, EventChatResponsible, ChatResponsibleItem{
		Responsible: idRef(to), Chat: ChatRef{chat.ExternalID}, FromApp: a.fromApp(), Edited: a.edited(),
	}, before)
}

// PinResponsible pins the responsible of a chat (TypePin) or unpins them
// (TypeUnpin). A chat of no one cannot be pinned.
func (s *Service) PinResponsible(ctx context.Context, a Actor, at ChatAddress, pin string) (ChatData, error) {
	check := func(*change, *line) error {
		if pin != TypePin && pin != TypeUnpin {
			return Invalid("type", "must be pin or unpin")
		}
		return nil
	}
	return s.onChat(ctx, a, at, check, func(c *change, chat *models.Chat) error {
		if pin == TypePin && chat.ResponsibleID == nil {
			return conflict("the chat has no responsible to pin")
		}
		if chat.ResponsiblePinned == (pin == TypePin) {
			return nil
		}
		chat.ResponsiblePinned = pin == TypePin
		if err := c.tx.SaveChat(chat); err != nil {
			return err
		}
		return c.emitChat(chat, EventChatResponsiblePin,
			ChatResponsiblePinItem{Type: pin, Chat: ChatRef{chat.ExternalID}, Edited: a.edited()})
	})
}

// SetProducer makes an employee the producer of a chat; null leaves it without.
func (s *Service) SetProducer(ctx context.Context, a Actor, at ChatAddress, id Field[int64]) (ChatData, error) {
	return s.onChat(ctx, a, at, colleagueOrNull(id), func(c *change, chat *models.Chat) error {
		to := id.pointer()
		if same(chat.ProducerID, to) {
			return nil
		}
		chat.ProducerID = to
		if err := c.tx.SaveChat(chat); err != nil {
			return err
		}
		return c.emitChat(chat, EventChatProducer, ChatProducerItem{
			Producer: idRef(to), Chat: ChatRef{chat.ExternalID}, FromApp: a.fromApp(), Edited: a.edited(),
		})
	})
}

// SetLevel puts a chat on a level of its company; null resets it.
func (s *Service) SetLevel(ctx context.Context, a Actor, at ChatAddress, id Field[int64]) (ChatData, error) {
	find := func(c *change, l *line) error {
		if err := id.given("id", "resets the level"); err != nil || id.Null {
			return err
		}
		level, err := c.tx.HoldLevel(id.Value)
		if err == nil && level.CompanyID != l.companyID {
			return notFound("level")
		}
		return orNotFound(err, "level")
	}
	return s.onChat(ctx, a, at, find, func(c *change, chat *models.Chat) error {
		return c.setLevel(a, chat, id.pointer())
	})
}

// setLevel puts a locked chat on a level and tells of it when it was on another.
func (c *change) setLevel(a Actor, chat *models.Chat, to *int64) error {
	if same(chat.LevelID, to) {
		return nil
	}
	chat.LevelID = to
	if err := c.tx.SaveChat(chat); err != nil {
		return err
	}
	return c.emitChat(chat, EventChatLevel, ChatLevelItem{
		Level: idRef(to), Chat: ChatRef{chat.ExternalID}, FromApp: a.fromApp(), Edited: a.edited(),
	})
}

// SetProcess takes a chat into work (ProcessInWork) or lays it aside (null).
func (s *Service) SetProcess(ctx context.Context, a Actor, at ChatAddress, process Field[string]) (ChatData, error) {
	check := func(*change, *line) error {
		if err := process.given("process", "lays the chat aside"); err != nil {
			return err
		}
		if !process.Null && process.Value != ProcessInWork {
			return Invalid("process", "must be inWork or null")
		}
		return nil
	}
	return s.onChat(ctx, a, at, check, func(c *change, chat *models.Chat) error {
		to := process.pointer()
		if same(chat.Process, to) {
			return nil
		}
		chat.Process = to
		if err := c.tx.SaveChat(chat); err != nil {
			return err
		}
		return c.emitChat(chat, EventChatProcess, ChatProcessItem{
			Process: to, Chat: ChatRef{chat.ExternalID}, FromApp: a.fromApp(), Edited: a.edited(),
		})
	})
}
