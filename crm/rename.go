package crm

import (
	"context"
	"errors"

	"chatcast/models"
)

// A name that an employee gives to a chat or a contact stays until an employee takes it
// back: what the messenger says meanwhile is kept beside it (MessengerName) and shown
// again afterwards. A private chat and its contact are one person, so they are renamed
// together.

// Names of the events about names.
const (
	EventChatName    = "chatName"
	EventContactName = "contactName"
)

// ChatNameItem is the item of chatName: the name that the chat has now.
type ChatNameItem struct {
	Name    string  `json:"name"`
	Chat    ChatRef `json:"chat"`
	FromApp *AppRef `json:"fromApp"`
	Edited  *IDRef  `json:"edited"`
}

// ContactNameItem is the item of contactName: the name that the contact has now.
type ContactNameItem struct {
	Name    string     `json:"name"`
	Contact ContactRef `json:"contact"`
	FromApp *AppRef    `json:"fromApp"`
	Edited  *IDRef     `json:"edited"`
}

// ContactRef refers to a contact by its wire id.
type ContactRef struct {
	ID ID `json:"id"`
}

// ContactAddress names a contact of a line. ContactID may have any spelling that
// ParseChatID accepts.
type ContactAddress struct {
	Line
	ContactID string
}

func checkName(name Field[string]) error {
	if err := name.given("name", "gives back the messenger's name"); err != nil || name.Null {
		return err
	}
	return checkRequired("name", name.Value, maxName)
}

// RenameChat gives a chat a name; null gives back that of the messenger.
func (s *Service) RenameChat(ctx context.Context, a Actor, at ChatAddress, name Field[string]) (ChatData, error) {
	check := func(*change, *line) error { return checkName(name) }
	return s.onChat(ctx, a, at, check, func(c *change, chat *models.Chat) error {
		if err := c.renameChat(a, chat, name.pointer()); err != nil || chat.Type != models.ChatPrivate {
			return err
		}
		k, err := c.tx.ContactByAlias(chat.LicenseID, chat.MessengerType, chat.ExternalID)
		if errors.Is(err, models.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return c.renameContact(a, chat, k, name.pointer())
	})
}

// RenameContact gives a contact a name; null gives back that of the messenger. An actor who
// sees only their own chats may rename the people of those.
func (s *Service) RenameContact(ctx context.Context, a Actor, at ContactAddress, name Field[string]) (data ContactData, err error) {
	v, err := s.renderer(ctx, at.Line)
	if err != nil {
		return data, err
	}
	err = s.change(ctx, func(c *change) error {
		l, err := s.line(c.tx, a, at.LicenseID, at.Messenger, write)
		if err != nil {
			return err
		}
		key, err := ParseChatID("contactId", at.Messenger, at.ContactID)
		if err := allViolations(err, checkName(name)); err != nil {
			return err
		}
		k, err := c.tx.ContactByAlias(at.LicenseID, at.Messenger, key.External)
		if err != nil {
			return orNotFound(err, "contact")
		}
		chat, err := c.tx.LockChat(at.LicenseID, at.Messenger, k.ExternalID)
		switch {
		case errors.Is(err, models.ErrNotFound) || err == nil && chat.Type != models.ChatPrivate:
			chat = nil
		case err != nil:
			return err
		}
		if err := c.mayRename(l, a, chat); err != nil {
			return err
		}
		if chat != nil {
			if err := c.renameChat(a, chat, name.pointer()); err != nil {
				return err
			}
		} else {
			chat = strangersChat(l)
		}
		if err := c.renameContact(a, chat, k, name.pointer()); err != nil {
			return err
		}
		data = v.contact(k)
		return nil
	})
	return data, err
}

// mayRename returns a not-found error unless the actor sees the contact of this chat; nil:
// there is no chat.
func (c *change) mayRename(l *line, a Actor, chat *models.Chat) error {
	if chat == nil && !l.access.OnlyMine {
		return nil
	}
	if chat != nil {
		if sees, err := l.sees(c.tx, a, chat); err != nil || sees {
			return err
		}
	}
	return notFound("contact")
}

// strangersChat stands for the chat of a contact that has none, in events: employees who see
// only their own chats do not see the contact.
func strangersChat(l *line) *models.Chat {
	nobody := int64(0)
	return &models.Chat{CompanyID: l.companyID, LicenseID: l.licenseID, MessengerType: l.messenger, ResponsibleID: &nobody}
}

// renameChat renames a locked chat. It emits an event only when the name changes.
func (c *change) renameChat(a Actor, chat *models.Chat, to *string) error {
	before := *chat
	if !rename(&chat.Name, &chat.MessengerName, to) {
		return nil
	}
	if err := c.tx.SaveChat(chat); err != nil || chat.Name == before.Name {
		return err
	}
	err := c.emitChat(chat, EventChatName, ChatNameItem{
		Name: chat.Name, Chat: ChatRef{chat.ExternalID}, FromApp: a.fromApp(), Edited: a.edited(),
	})
	if err != nil {
		return err
	}
	return c.auditName(a, AuditChatRenamed, target{targetChat, chat.ExternalID, ""}, chat)
}

// renameContact locks and renames a contact, whose chat is locked. It sets k to the
// contact as it is then.
func (c *change) renameContact(a Actor, chat *models.Chat, k *models.Contact, to *string) error {
	rows, err := c.tx.LockContacts(k.LicenseID, k.MessengerType, []string{k.ExternalID})
	if err != nil {
		return err
	}
	if len(rows) == 0 { // merged into another meanwhile
		return notFound("contact")
	}
	*k = *rows[0]
	before := k.Name
	if !rename(&k.Name, &k.MessengerName, to) {
		return nil
	}
	if err := c.tx.SaveContact(k); err != nil || k.Name == before {
		return err
	}
	id := MakeID(k.MessengerType, k.ExternalID)
	err = c.emitChat(chat, EventContactName, ContactNameItem{
		Name: k.Name, Contact: ContactRef{id}, FromApp: a.fromApp(), Edited: a.edited(),
	})
	if err != nil {
		return err
	}
	return c.auditName(a, AuditContactRenamed, target{targetContact, k.ExternalID, ""}, chat)
}

// auditName writes an entry about a new name. It says whose name it is, but not the name:
// that is a customer's, and the log outlives their data.
func (c *change) auditName(a Actor, action string, on target, chat *models.Chat) error {
	return c.audit(chat.CompanyID, audited{action: action, by: a.auditor(), on: on, details: map[string]string{
		"line": lineTarget(chat.LicenseID, chat.MessengerType).id,
	}})
}

// rename changes the two columns of a name, and reports whether it did.
func rename(name *string, messenger **string, to *string) bool {
	switch {
	case to == nil && *messenger == nil, to != nil && *messenger != nil && *name == *to:
		return false
	case to == nil:
		*name, *messenger = **messenger, nil
	default:
		if *messenger == nil {
			was := *name
			*messenger = &was
		}
		*name = *to
	}
	return true
}

// heardName returns the messenger's name of a chat or contact with these columns.
func heardName(name string, messenger *string) string {
	if messenger != nil {
		return *messenger
	}
	return name
}

// hear sets the messenger's name. One that an employee gave stays the one that is shown.
func hear(name *string, messenger **string, heard string) {
	if *messenger != nil {
		*messenger = &heard
		return
	}
	*name = heard
}

// keepGiven gives the name that an employee gave to a chat or contact to another that it is
// merged into, unless that has one.
func keepGiven(name *string, messenger **string, other string, otherMessenger *string) {
	if *messenger == nil && otherMessenger != nil {
		rename(name, messenger, &other)
	}
}

// nameNew gives a new private chat the name that an employee gave to its contact.
func (c *change) nameNew(chat *models.Chat) error {
	if chat.Type != models.ChatPrivate {
		return nil
	}
	k, err := c.tx.ContactByAlias(chat.LicenseID, chat.MessengerType, chat.ExternalID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err == nil {
		keepGiven(&chat.Name, &chat.MessengerName, k.Name, k.MessengerName)
	}
	return err
}
