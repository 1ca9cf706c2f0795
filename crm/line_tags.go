package crm

import "context"

// maxLineTags is how many tags LineTags lists.
const maxLineTags = 1000

// LineTags lists the tags that chats of a line may have, by sort and id. The actor must be allowed to read
// the line.
func (s *Service) LineTags(ctx context.Context, a Actor, on Line) ([]TagData, error) {
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, read)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Tags(l.companyID, nil, nil, maxLineTags)
	if err != nil {
		return nil, err
	}
	return tagsData(tx, rows)
}
