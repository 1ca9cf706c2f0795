package crm

import (
	"context"

	"chatcast/models"
)

// recordGroup records what the messenger has done. It does so even when the client has
// gone meanwhile, because it was done.
func (s *Service) recordGroup(ctx context.Context, on Line, f func(c *change, l *line) error) error {
	return s.changeWithRetry(context.WithoutCancel(ctx), func(c *change) error {
		l, err := lineForConnector(c.tx, on)
		if err != nil {
			return err
		}
		return f(c, l)
	})
}

// groupChat finds or creates the chat of a group, locks it, and gives it the name, unless
// that is empty.
func (c *change) groupChat(l *line, id, name string) (*models.Chat, error) {
	now := c.now.Unix()
	_, err := c.tx.EnsureChat(&models.Chat{
		CompanyID: l.companyID, LicenseID: l.licenseID, MessengerType: l.messenger,
		ExternalID: id, Hash: chatHash(l.licenseID, l.messenger, id), Type: models.ChatGroup,
		Name: name, Status: models.ChatOpen, LastTime: now, CreatedAt: now,
	})
	if err != nil {
		return nil, err
	}
	chat, err := c.tx.LockChat(l.licenseID, l.messenger, id)
	if err != nil || name == "" || heardName(chat.Name, chat.MessengerName) == name {
		return chat, err
	}
	hear(&chat.Name, &chat.MessengerName, name)
	return chat, c.tx.SaveChat(chat)
}

func (c *change) auditGroup(a Actor, l *line, chat *models.Chat, action string, details map[string]string) error {
	return c.audit(l.companyID, audited{action: action, by: a.auditor(), on: target{targetGroup, chat.ExternalID, chat.Name}, details: details})
}

// groupDone records what the actor has done in a group: it emits it, unless the messenger
// has told of it already, and adds it to the audit log.
func (c *change) groupDone(a Actor, l *line, chat *models.Chat, in InboundGroup, action string, details map[string]string) error {
	if err := c.tellGroup(a, l, chat, in); err != nil {
		return err
	}
	return c.auditGroup(a, l, chat, action, details)
}

func (c *change) tellGroup(a Actor, l *line, chat *models.Chat, in InboundGroup) error {
	if in.Joined && in.Now == nil { // an admin must accept the account first
		return nil
	}
	_, listed, err := c.groupsListed(l)
	if err != nil {
		return err
	}
	key := ChatKey{External: chat.ExternalID, Group: true}
	return c.applyGroup(l, chat, &groupArrival{InboundGroup: in, chat: inboundChat{key: key}, time: c.now.Unix(), actor: a, listed: listed})
}

// memberNamed returns the person that a request names by number or id.
func memberNamed(messenger, id string) GroupMember {
	key, err := ParseChatID("", messenger, id)
	if err != nil {
		return GroupMember{ID: id, Role: MemberOrdinary}
	}
	return GroupMember{ID: key.External, LID: given(key.LID), Phone: given(key.Phone), Role: MemberOrdinary}
}
