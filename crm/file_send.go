package crm

import (
	"context"
	"errors"
	"net/url"
	"path"
	"strings"

	"chatcast/models"
)

// SendFile sends an attachment that StoreUpload stored, with m.Content.Caption, as the
// m.Type that is asked for. name, when not empty, is the name to show. SendFile consumes the Upload, even when it
// fails.
func (s *Service) SendFile(ctx context.Context, a Actor, at ChatAddress, u *Upload, name string, m Outgoing) (sent Sent, err error) {
	var id string
	defer func() {
		// After an internal error the commit may have happened all the same. The
		// file stays, and Sweep removes it when no message has it.
		var refused *Error
		if errors.As(err, &refused) || err == nil && sent.ID.String() != id {
			u.Discard()
		}
	}()
	if name != "" {
		if err := checkText("fileName", name, maxName); err != nil {
			return sent, err
		}
		u.name = fileName(name)
	}
	if err := m.kindAsked(u.mime); err != nil {
		return sent, err
	}
	m.Content.File = nil
	if err := m.check(); err != nil {
		return sent, err
	}
	connector, err := s.connected(ctx, a, at.Line)
	if err != nil {
		return sent, err
	}
	id = connector.MessageID(at.Line)
	m.Content.File = &FileData{Link: storedLink + u.id, Name: u.name, Size: &u.size, MimeType: &u.mime}
	return s.send(ctx, a, at, id, m, u)
}

// SendLink sends an attachment that lies elsewhere, at an http or https address. A
// bridge gets the address. The connector of a line with an account fetches the file
// before it sends it (see FileToFetch.Link).
func (s *Service) SendLink(ctx context.Context, a Actor, at ChatAddress, link, name string, m Outgoing) (Sent, error) {
	if err := allViolations(checkLink("file", link), checkText("fileName", name, maxName)); err != nil {
		return Sent{}, err
	}
	u, err := url.Parse(link)
	if err != nil {
		return Sent{}, Invalid("file", "must be an address")
	}
	if name == "" {
		name = path.Base(u.Path)
	}
	name = fileName(name)
	m.Content.File = &FileData{Link: link, Name: name}
	kind := mimeByExtension[strings.ToLower(path.Ext(name))]
	m.Content.File.MimeType = given(kind)
	if err := m.kindAsked(kind); err != nil {
		return Sent{}, err
	}
	if err := m.check(); err != nil {
		return Sent{}, err
	}
	connector, err := s.connected(ctx, a, at.Line)
	if err != nil {
		return Sent{}, err
	}
	return s.send(ctx, a, at, connector.MessageID(at.Line), m, linked{randomHex(16), m.Content.File})
}

// attachment is the file of a message: an Upload or a linked file.
type attachment interface {
	digest() string
	row(licenseID, chatID, now int64) *models.File
}

var (
	_ attachment = (*Upload)(nil)
	_ attachment = linked{}
)

// linked is a file that lies elsewhere and is to be fetched. id is its future id in
// the file store.
type linked struct {
	id   string
	file *FileData
}

func (l linked) digest() string { return l.file.Link }

func (l linked) row(licenseID, chatID, now int64) *models.File {
	f := &models.File{
		ID: l.id, LicenseID: licenseID, ChatID: chatID, Name: l.file.Name, CreatedAt: now, State: FilePending, Source: &l.file.Link,
	}
	if l.file.MimeType != nil {
		f.MimeType = *l.file.MimeType
	}
	return f
}

// pending returns the file as its message shows it until it is fetched.
func (l linked) pending() *FileData {
	return &FileData{Link: storedLink + l.id, Name: l.file.Name, MimeType: l.file.MimeType, State: FilePending}
}
