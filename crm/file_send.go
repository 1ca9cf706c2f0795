package crm

import (
	"context"
	"errors"
	"net/url"
	"path"
	"strings"

	"chatcast/models"
)

// SendFile sends an attachment that StoreUpload kept; m.Content.Caption may go
// with it. name, when not empty, is the name to show. The Upload is spent,
// whatever the outcome.
func (s *Service) SendFile(ctx context.Context, a Actor, at ChatAddress, u *Upload, name string, m Outgoing) (sent Sent, err error) {
	var id string
	defer func() {
		// After an error that is ours the commit may have happened all the same:
		// the file stays, and Sweep removes it when no message has it.
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
	m.Type = typeOfFile(u.mime)
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
// bridge is given the address; of a line with an account its connector fetches the file
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
		name = fileName(path.Base(u.Path))
	}
	m.Content.File = &FileData{Link: link, Name: name}
	if kind, ok := mimeByExtension[strings.ToLower(path.Ext(name))]; ok {
		m.Content.File.MimeType = &kind
		m.Type = typeOfFile(kind)
	} else {
		m.Type = MessageDocument
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

// attachment is a file that goes with a message: an Upload, or one that is linked.
type attachment interface {
	digest() string
	row(licenseID, chatID, now int64) *models.File
}

var (
	_ attachment = (*Upload)(nil)
	_ attachment = linked{}
)

// linked is a file that lies elsewhere and is to be fetched. Its id is the one that
// it will have here.
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

// pending is the file as its message shows it until it was fetched.
func (l linked) pending() *FileData {
	return &FileData{Link: storedLink + l.id, Name: l.file.Name, MimeType: l.file.MimeType, State: FilePending}
}
