package crm

import (
	"context"

	"chatcast/models"
)

// ProcessInWork is the only value of a chat's process besides null.
const ProcessInWork = "inWork"

// ChatAddress names a chat of a line. ChatID may have any spelling that ParseChatID
// accepts.
type ChatAddress struct {
	Line
	ChatID string
}

// onChat locks a chat that the actor may see, on a line that they may write, runs f
// and returns the changed chat. prepare, when not nil, runs before the chat is locked:
// tags and levels are always locked before chats, so that no deadlock can arise.
func (s *Service) onChat(ctx context.Context, a Actor, at ChatAddress,
	prepare func(c *change, l *line) error, f func(c *change, chat *models.Chat) error) (data ChatData, err error) {
	v, err := s.renderer(ctx, at.Line)
	if err != nil {
		return data, err
	}
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
		data, err = c.chatData(v, chat)
		return err
	})
	return data, err
}

// colleague returns an error unless the user may take part in the line's chats: they
// must work for its company, have read access to it, and be able to sign in.
func (l *line) colleague(tx *models.Tx, userID int64) error {
	if _, err := tx.EmployeeOf(l.companyID, userID); err != nil {
		return orNotFound(err, "employee")
	}
	may, err := tx.MayTakePart(l.companyID, l.licenseID, userID)
	if err != nil {
		return err
	}
	if !may {
		return Invalid("id", "must be an employee who has access to this license")
	}
	return nil
}

// colleagueOrNull is like colleague, for a field that also accepts null.
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

// setChatStatus opens or closes a locked chat. It emits events only when the status
// changes.
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

// SetResponsible makes an employee responsible for a chat; null leaves the chat
// without a responsible. A pin protects the responsible from automatic changes, not
// from a person's choice. The pin then holds the new responsible; null ends the pin,
// with its own event.
func (s *Service) SetResponsible(ctx context.Context, a Actor, at ChatAddress, id Field[int64]) (ChatData, error) {
	return s.onChat(ctx, a, at, colleagueOrNull(id), func(c *change, chat *models.Chat) error {
		return c.setResponsible(a, chat, id.pointer())
	})
}

// setResponsible changes the responsible of a locked chat and emits the events.
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
// (TypeUnpin). A chat without a responsible cannot be pinned.
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

// SetProducer makes an employee the producer of a chat; null removes the producer.
func (s *Service) SetProducer(ctx context.Context, a Actor, at ChatAddress, id Field[int64]) (ChatData, error) {
	return s.onChat(ctx, a, at, colleagueOrNull(id), func(c *change, chat *models.Chat) error {
		return c.setProducer(a, chat, id.pointer())
	})
}

func (c *change) setProducer(a Actor, chat *models.Chat, to *int64) error {
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

// setLevel puts a locked chat on a level. It emits an event only when the level
// changes.
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
