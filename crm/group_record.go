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
