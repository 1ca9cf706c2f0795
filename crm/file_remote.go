package crm

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"chatcast/models"
)

// States of an attachment that is not in the file store. The state of a stored one is
// empty.
const (
	FilePending  = models.FilePending  // it is being fetched
	FileFailed   = models.FileFailed   // it could not be fetched
	FileExpired  = models.FileExpired  // its messenger no longer has it
	FileTooLarge = models.FileTooLarge // it is over our limit
)

// FileToFetch is an attachment that is not in the file store yet.
type FileToFetch struct {
	ID        string
	ChatID    string // on the wire
	Message   MessageRef
	Name      string
	MimeType  string
	Size      *int64
	Source    json.RawMessage
	Link      string // of an outgoing attachment: its address; Source is empty then
	State     string
	Attempts  int
	NotBefore time.Time
}

// absent maps a state to the reason why a file is not there.
var absent = map[string]string{
	FilePending: "it is still being fetched", FileFailed: "it could not be fetched",
	FileExpired: "its messenger does not have it any more", FileTooLarge: "it is over this server's limit",
}

// FilesToFetch lists at most limit attachments of a line that are to be fetched now,
// the oldest first.
func (s *Service) FilesToFetch(ctx context.Context, on Line, limit int) ([]FileToFetch, error) {
	tx := s.Store.Read(ctx)
	rows, err := tx.PendingFiles(on.LicenseID, on.Messenger, s.Now().Unix(), limit)
	if err != nil {
		return nil, err
	}
	list := make([]FileToFetch, 0, len(rows))
	for _, row := range rows {
		f, err := fileToFetch(tx, on, row)
		if errors.Is(err, models.ErrNotFound) {
			continue // deleted since the list was read
		}
		if err != nil {
			return nil, err
		}
		list = append(list, *f)
	}
	return list, nil
}

// FileToFetch returns the announced attachment of a message, whatever its state. It
// returns CodeNotFound when there is none, or when the file is stored already.
func (s *Service) FileToFetch(ctx context.Context, on Line, chatID, messageID string) (*FileToFetch, error) {
	tx := s.Store.Read(ctx)
	_, m, err := messageOnLine(tx, on, chatID, messageID)
	if err != nil {
		return nil, err
	}
	row, err := tx.FileOfMessage(m.ID)
	if err == nil && row.State == "" {
		return nil, notFound("file to fetch")
	}
	if err != nil {
		return nil, orNotFound(err, "file")
	}
	return fileToFetch(tx, on, row)
}

func fileToFetch(tx *models.Tx, on Line, row *models.File) (*FileToFetch, error) {
	chat, err := tx.ChatRow(row.ChatID)
	if err != nil {
		return nil, err
	}
	m, err := tx.MessageRow(chat.ID, *row.MessageID)
	if err != nil {
		return nil, err
	}
	ref, err := messageRef(on, m)
	if err != nil {
		return nil, err
	}
	f := &FileToFetch{
		ID: row.ID, ChatID: chat.ExternalID, Message: *ref, Name: row.Name, MimeType: row.MimeType, State: row.State, Attempts: int(row.Attempts),
	}
	switch {
	case row.Source == nil:
	case m.FromAPI:
		f.Link = *row.Source
	default:
		f.Source = json.RawMessage(*row.Source)
	}
	if row.NotBefore > 0 {
		f.NotBefore = time.Unix(row.NotBefore, 0)
	}
	if ref.Content.File != nil {
		f.Size = ref.Content.File.Size
	}
	return f, nil
}

// FileFetched stores an attachment that was announced before, reading r to the end,
// and emits that its message has the file now. An attachment over the limit is
// CodeTooLarge, and an event says so. A file that is stored already stays as it is.
func (s *Service) FileFetched(ctx context.Context, on Line, fileID string, r io.Reader) error {
	row, err := s.remoteFile(s.Store.Read(ctx), on, fileID)
	if err != nil || row.State == "" {
		return err
	}
	v, err := s.renderer(ctx, on)
	if err != nil {
		return err
	}
	u, err := s.store(ctx, row.Name, row.MimeType, r)
	var refused *Error
	if errors.As(err, &refused) && refused.Code == CodeTooLarge {
		return errors.Join(err, s.FileNotFetched(ctx, on, fileID, FileTooLarge, time.Time{}))
	}
	if err != nil {
		return err
	}
	used := false
	err = s.changeWithRetry(ctx, func(c *change) error {
		return c.onRemoteFile(s, v, fileID, func(row *models.File) (tell bool, err error) {
			if used = row.StoredAs == u.id; used || row.State == "" { // by an earlier try, or it was stored another way
				return false, nil
			}
			used = true
			row.State, row.StoredAs, row.Size, row.MimeType, row.Source = "", u.id, u.size, u.mime, nil
			row.Name = withExtension(row.Name, row.MimeType)
			return true, nil
		})
	})
	// After an internal error the commit may have happened all the same. The file
	// stays, and Sweep removes it when no row refers to it.
	if err == nil && !used || errors.As(err, &refused) {
		u.Discard()
	}
	return err
}

// FileNotFetched records that an attachment could not be fetched. In the state pending
// it is tried again after notBefore; in the other states it is not tried again. A
// change of the state causes an event.
func (s *Service) FileNotFetched(ctx context.Context, on Line, fileID, state string, notBefore time.Time) error {
	if absent[state] == "" {
		return Invalid("state", "must be pending, failed, expired or tooLarge")
	}
	v, err := s.renderer(ctx, on)
	if err != nil {
		return err
	}
	return s.changeWithRetry(ctx, func(c *change) error {
		return c.onRemoteFile(s, v, fileID, func(row *models.File) (tell bool, err error) {
			if row.State == "" {
				return false, nil
			}
			tell = row.State != state
			row.State, row.NotBefore = state, 0
			row.Attempts++
			if !notBefore.IsZero() {
				row.NotBefore = notBefore.Unix()
			}
			return tell, nil
		})
	})
}

// remoteFile finds a file of the line that was announced before it was stored.
func (s *Service) remoteFile(tx *models.Tx, on Line, fileID string) (*models.File, error) {
	row, err := tx.FileByID(fileID)
	if err != nil {
		return nil, orNotFound(err, "file")
	}
	chat, err := tx.ChatRow(row.ChatID)
	if err != nil {
		return nil, orNotFound(err, "file")
	}
	if chat.LicenseID != on.LicenseID || chat.MessengerType != on.Messenger || row.MessageID == nil {
		return nil, notFound("file")
	}
	return row, nil
}

// onRemoteFile locks the row of an announced file, runs f on it and saves it. When f
// returns tell, the message is updated too, and an event is emitted.
func (c *change) onRemoteFile(s *Service, v renderer, fileID string, f func(row *models.File) (tell bool, err error)) error {
	found, err := s.remoteFile(c.tx, v.line, fileID)
	if err != nil {
		return err
	}
	chat, err := c.tx.ChatRow(found.ChatID)
	if err != nil {
		return orNotFound(err, "file")
	}
	chat, err = c.tx.LockChat(chat.LicenseID, chat.MessengerType, chat.ExternalID)
	if err != nil {
		return orNotFound(err, "file")
	}
	row, err := c.tx.LockFile(fileID)
	if err != nil {
		return orNotFound(err, "file")
	}
	tell, err := f(row)
	if err != nil {
		return err
	}
	if err := c.tx.SaveFile(row); err != nil || !tell {
		return err
	}
	m, err := c.tx.MessageRow(chat.ID, *row.MessageID)
	if err != nil {
		return orNotFound(err, "message")
	}
	content, err := v.stored(m)
	if err != nil || content.File == nil || m.DeletedAt != nil {
		return err
	}
	content.File.State = row.State
	if row.State == "" {
		content.File.Size, content.File.MimeType, content.File.Name = &row.Size, given(row.MimeType), row.Name
		if m.FromAPI && m.Type == MessageDocument { // the address did not tell the type
			m.Type = typeOfFile(row.MimeType)
		}
	}
	if m.Content, err = encodeContent(content); err != nil {
		return err
	}
	if err := c.saveContent(m); err != nil {
		return err
	}
	return c.emitContent(v, chat, m, MessageEditItem{Time: c.now.Unix(), Cause: CauseFile})
}

// abandon marks the file of an outgoing message as failed if it is still pending,
// because the message has failed. It emits no event; the caller does when news is true.
func (c *change) abandon(v renderer, m *models.Message) (news bool, err error) {
	row, err := c.tx.FileOfMessage(m.ID)
	if errors.Is(err, models.ErrNotFound) || err == nil && row.State != FilePending {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	row.State = FileFailed
	if err := c.tx.SaveFile(row); err != nil {
		return false, err
	}
	content, err := v.stored(m)
	if err != nil || content.File == nil {
		return false, err
	}
	content.File.State = FileFailed
	if m.Content, err = encodeContent(content); err != nil {
		return false, err
	}
	return true, c.saveContent(m)
}
