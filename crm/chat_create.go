package crm

import (
	"context"
	"errors"
	"strings"

	"chatcast/models"
)

// ChatInput describes a chat to create: one with a phone number, or a group.
type ChatInput struct {
	Type  Field[string] `json:"type"`  // private (when absent) or group
	Phone Field[string] `json:"phone"` // of a private chat: digits, with or without + ( ) - and spaces
	Name  Field[string] `json:"name"`

	Participants []ChatParticipant `json:"participantsItems"` // of a group
}

// ChatParticipant is a member of a group to make.
type ChatParticipant struct {
	Value string `json:"value"` // a phone number or an id
}

// phoneSigns removes the signs that people write between a phone number's digits.
var phoneSigns = strings.NewReplacer("+", "", " ", "", "-", "", "(", "", ")", "", ".", "")

func (in ChatInput) check() error {
	var nameViolation error
	if in.Name.Set {
		nameViolation = checkText("name", in.Name.Value, maxName)
	}
	phoneViolation := in.Phone.required("phone")
	if phoneViolation == nil && !phoneForm.MatchString(phoneSigns.Replace(in.Phone.Value)) {
		phoneViolation = Invalid("phone", "must be a phone number of 5 to 15 digits with its country code")
	}
	return allViolations(phoneViolation, nameViolation)
}

// CreateChat creates the chat with a phone number, or returns the existing one. It
// causes no event: clients learn of the chat from its first message. A group is created
// in the messenger, which a bridge cannot do.
func (s *Service) CreateChat(ctx context.Context, a Actor, on Line, in ChatInput) (data ChatData, err error) {
	if in.Type.Value == models.ChatGroup {
		return s.createGroupChat(ctx, a, on, in)
	}
	v, err := s.renderer(ctx, on)
	if err != nil {
		return data, err
	}
	err = s.change(ctx, func(c *change) error {
		l, err := s.line(c.tx, a, on.LicenseID, on.Messenger, write)
		if err != nil {
			return err
		}
		switch {
		case in.Type.Set && in.Type.Value != models.ChatPrivate:
			return Invalid("type", "must be private or group")
		case !IsWhatsApp(on.Messenger):
			return Unavailable("chats of " + on.Messenger + " are not phone numbers: a chat appears here with its first message")
		}
		if err := in.check(); err != nil {
			return err
		}
		phone := phoneSigns.Replace(in.Phone.Value)
		var given *string
		if name := strings.TrimSpace(in.Name.Value); name != "" && phoneSigns.Replace(name) != phone {
			given = &in.Name.Value
		}
		chat, err := c.chatWithPhone(l, phone, in.Name.Value, given)
		if err != nil {
			return err
		}
		if err := l.mustSee(c.tx, a, chat); err != nil {
			return err
		}
		data, err = c.chatData(v, chat)
		return err
	})
	return data, err
}

// createGroupChat is CreateChat for a group.
func (s *Service) createGroupChat(ctx context.Context, a Actor, on Line, in ChatInput) (data ChatData, err error) {
	members := make([]string, len(in.Participants))
	for i, p := range in.Participants {
		members[i] = p.Value
	}
	_, chat, err := s.createGroup(ctx, a, on, GroupInput{Name: in.Name.Value, Members: members})
	if err != nil {
		return data, err
	}
	return s.Chat(ctx, a, ChatAddress{Line: on, ChatID: chat.ExternalID})
}

// chatWithPhone finds or creates the private chat with a phone number, and locks it. given
// is a name that an employee gave; nil: none did.
func (c *change) chatWithPhone(l *line, phone, name string, given *string) (*models.Chat, error) {
	id := phoneChat(l.messenger, phone)
	now := c.now.Unix()
	chat := &models.Chat{
		CompanyID: l.companyID, LicenseID: l.licenseID, MessengerType: l.messenger,
		ExternalID: id, Hash: chatHash(l.licenseID, l.messenger, id), Type: models.ChatPrivate,
		Phone: &phone, Name: name, Status: models.ChatOpen, LastTime: now, CreatedAt: now,
	}
	if found, err := c.tx.LockChat(l.licenseID, l.messenger, id); !errors.Is(err, models.ErrNotFound) {
		return found, err // also under the address that these digits turned out to be
	}
	if given != nil {
		none := ""
		chat.Name, chat.MessengerName = *given, &none
	}
	if err := c.nameNew(chat); err != nil {
		return nil, err
	}
	if err := c.disappears(l, chat); err != nil {
		return nil, err
	}
	created, err := c.tx.EnsureChat(chat)
	if err != nil {
		return nil, err
	}
	locked, err := c.tx.LockChat(l.licenseID, l.messenger, id)
	if err == nil && created {
		if c.made == nil {
			c.made = map[int64]bool{}
		}
		c.made[locked.ID] = true
	}
	return locked, err
}
