package crm

import (
	"context"
	"errors"
	"slices"

	"chatcast/models"
)

// EventContactBlock is the name of the event about blocked contacts.
const EventContactBlock = "contactBlock"

// ContactBlockItem is the item of contactBlock.
type ContactBlockItem struct {
	Blocked bool       `json:"blocked"`
	Contact ContactRef `json:"contact"`
	FromApp *AppRef    `json:"fromApp"`
	Edited  *IDRef     `json:"edited"` // null: the account's owner did it on the phone
}

// Blocker is a Messenger whose accounts can block people.
type Blocker interface {
	Messenger
	// Block blocks a person, or with false ends that. id is the contact's on the wire.
	Block(ctx context.Context, l Line, id string, blocked bool) error
}

// BlockContact blocks a contact of a line, or ends that: the messenger brings nothing of
// them any more. Somebody of whom there is no contact becomes one.
func (s *Service) BlockContact(ctx context.Context, a Actor, at ContactAddress, blocked bool) (data ContactData, err error) {
	_, connector, err := s.connectorFor(ctx, a, at.Line, write)
	if err != nil {
		return data, err
	}
	key, err := ParseChatID("contactId", at.Messenger, at.ContactID)
	if err == nil && !key.private() {
		err = Invalid("contactId", "must be a person")
	}
	if err != nil {
		return data, err
	}
	blocker, ok := connector.(Blocker)
	if !ok || !IsWhatsApp(at.Messenger) {
		return data, conflict("lines of this type have no account that could block people")
	}
	v, err := s.renderer(ctx, at.Line)
	if err != nil {
		return data, err
	}
	id := key.External
	err = s.change(ctx, func(c *change) error { // before the messenger is asked
		l, err := s.line(c.tx, a, at.LicenseID, at.Messenger, write)
		if err != nil {
			return err
		}
		k, _, err := c.contactToBlock(l, a, key)
		if err == nil && k != nil {
			id = k.ExternalID
		}
		return err
	})
	if err != nil {
		return data, err
	}
	if err := blocker.Block(asking(ctx, a), at.Line, id, blocked); err != nil {
		return data, err
	}
	// It is recorded although the client has gone meanwhile, because it was done.
	err = s.changeWithRetry(context.WithoutCancel(ctx), func(c *change) error {
		l, err := lineForConnector(c.tx, at.Line)
		if err != nil {
			return err
		}
		k, err := c.ensureContact(l, key)
		if err != nil {
			return err
		}
		if _, err := c.block(a, l, k, blocked); err != nil {
			return err
		}
		data = v.contact(k)
		action := AuditContactUnblocked
		if blocked {
			action = AuditContactBlocked
		}
		return c.audit(l.companyID, audited{action: action, by: a.auditor(), on: target{targetContact, k.ExternalID, ""}, details: map[string]string{
			"line": lineTarget(at.LicenseID, at.Messenger).id,
		}})
	})
	return data, err
}

// contactToBlock returns a contact and its private chat, as far as there are any. What the
// actor may not see is a not-found error.
func (c *change) contactToBlock(l *line, a Actor, key ChatKey) (*models.Contact, *models.Chat, error) {
	k, chat, err := c.personHere(l, key)
	if err != nil {
		return nil, nil, err
	}
	return k, chat, c.mayRename(l, a, chat)
}

// personHere returns a person's contact and private chat, as far as there are any.
func (c *change) personHere(l *line, key ChatKey) (*models.Contact, *models.Chat, error) {
	k, err := c.tx.ContactByAlias(l.licenseID, l.messenger, key.External)
	if errors.Is(err, models.ErrNotFound) {
		k, err = nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	chat, err := c.privateChat(l, key, k)
	return k, chat, err
}

// privateChat returns the chat with a person, or nil.
func (c *change) privateChat(l *line, key ChatKey, k *models.Contact) (*models.Chat, error) {
	id := key.External
	if k != nil {
		id = k.ExternalID
	}
	chat, err := c.tx.ChatByExternal(l.licenseID, l.messenger, id)
	if errors.Is(err, models.ErrNotFound) || err == nil && chat.Type != models.ChatPrivate {
		return nil, nil
	}
	return chat, err
}

// ensureContact locks and returns the contact of a person.
func (c *change) ensureContact(l *line, key ChatKey) (*models.Contact, error) {
	k, err := c.tx.ContactByAlias(l.licenseID, l.messenger, key.External)
	if errors.Is(err, models.ErrNotFound) {
		k = &models.Contact{
			LicenseID: l.licenseID, MessengerType: l.messenger, ExternalID: key.External, LID: given(key.LID), Phone: given(key.Phone), CreatedAt: c.now.Unix(),
		}
		_, err = c.tx.EnsureContact(k)
	}
	if err != nil {
		return nil, err
	}
	rows, err := c.tx.LockContacts(l.licenseID, l.messenger, []string{k.ExternalID})
	if err == nil && len(rows) == 0 { // merged into another meanwhile
		err = models.ErrDuplicate // begin again
	}
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// block stores whether a locked contact is blocked, and tells it when that is new.
func (c *change) block(a Actor, l *line, k *models.Contact, blocked bool) (news bool, err error) {
	if k.Blocked == blocked {
		return false, nil
	}
	k.Blocked = blocked
	if err := c.tx.SaveContact(k); err != nil {
		return false, err
	}
	chat, err := c.privateChat(l, ChatKey{}, k)
	if err != nil {
		return false, err
	}
	if chat == nil {
		chat = strangersChat(l)
	}
	return true, c.emitChat(chat, EventContactBlock, ContactBlockItem{
		Blocked: blocked, Contact: ContactRef{MakeID(k.MessengerType, k.ExternalID)}, FromApp: a.fromApp(), Edited: a.edited(),
	})
}

// SetBlocked stores whom the account of a line has blocked: all of them, each by every id
// that is known. People of whom there is no contact are left out.
func (s *Service) SetBlocked(ctx context.Context, on Line, ids []string) error {
	return s.changeWithRetry(ctx, func(c *change) error {
		l, err := lineForConnector(c.tx, on)
		if err != nil {
			return err
		}
		rows, err := c.tx.LockBlocked(on.LicenseID, on.Messenger, ids)
		if err != nil {
			return err
		}
		for _, k := range rows {
			is := slices.Contains(ids, k.ExternalID) || k.LID != nil && slices.Contains(ids, *k.LID)
			if _, err := c.block(Actor{}, l, k, is); err != nil {
				return err
			}
		}
		return nil
	})
}
