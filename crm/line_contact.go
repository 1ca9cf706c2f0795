package crm

import "context"

// LineContact returns a person known to a line, whom the actor may see, by an id in any
// spelling.
func (s *Service) LineContact(ctx context.Context, a Actor, at ContactAddress) (data ContactData, err error) {
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, at.LicenseID, at.Messenger, read)
	if err != nil {
		return data, err
	}
	key, err := ParseChatID("contactId", at.Messenger, at.ContactID)
	if err != nil {
		return data, err
	}
	k, err := tx.ContactByAlias(at.LicenseID, at.Messenger, key.External)
	if err != nil {
		return data, orNotFound(err, "contact")
	}
	if l.access.OnlyMine {
		seen, err := tx.ContactNames(l.contacts(a), []string{k.ExternalID})
		if err != nil {
			return data, err
		}
		if _, sees := seen[k.ExternalID]; !sees {
			return data, notFound("contact")
		}
	}
	v, err := s.renderer(ctx, at.Line)
	if err != nil {
		return data, err
	}
	return v.contact(k), nil
}

// MessageFile opens the file of a message, in any chat of the line that the actor may see. A
// message without a file is CodeInvalid.
func (s *Service) MessageFile(ctx context.Context, a Actor, on Line, id string) (*HistoryItem, *Attachment, error) {
	m, err := s.LineMessage(ctx, a, on, id)
	if err != nil {
		return nil, nil, err
	}
	if m.Message.File == nil {
		return m, nil, Invalid("id", "must be a message with a file")
	}
	row, err := s.Store.Read(ctx).MessagesByID([]int64{m.InternalID})
	if err != nil {
		return nil, nil, err
	}
	if row[m.InternalID] == nil {
		return nil, nil, notFound("message")
	}
	stored, err := renderer{line: on}.stored(row[m.InternalID])
	if err != nil {
		return nil, nil, err
	}
	if stored.File == nil || !isStored(stored.File.Link) {
		return m, nil, notFound("file")
	}
	file, err := s.OpenFile(ctx, a, on, stored.File.Link[len(storedLink):])
	return m, file, err
}
