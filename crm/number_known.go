package crm

import (
	"context"
	"errors"

	"chatcast/models"
)

// KnownNumber returns the id of the chat that a line has with a person under one of these numbers
// (digits), "" when it has none. Only people of whom the messenger has told count: a number that
// somebody wrote to may be nobody's. The actor must be allowed to write to the line.
func (s *Service) KnownNumber(ctx context.Context, a Actor, on Line, numbers []string) (chatID string, err error) {
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, send)
	if err != nil {
		return "", err
	}
	for _, number := range numbers {
		if !phoneForm.MatchString(number) {
			continue
		}
		chat, err := tx.ChatByExternal(on.LicenseID, on.Messenger, phoneChat(on.Messenger, number))
		if errors.Is(err, models.ErrNotFound) {
			continue
		}
		if err != nil {
			return "", err
		}
		if sees, err := l.sees(tx, a, chat); err != nil || !sees {
			return "", err
		}
		if chat.LID != nil || chat.TypedID != nil || chat.WindowStart != nil {
			return chat.ExternalID, nil
		}
	}
	return "", nil
}
