package crm

import (
	"context"
	"errors"
	"net/url"
	"path"
	"strings"
)

// SendFile sends an attachment that StoreUpload kept; m.Content.Caption may go
// with it. name, when not empty, is the name to show. The Upload is spent,
// whatever the outcome.
func (s *Service) SendFile(ctx context.Context, a Actor, at ChatAddress, u *Upload, name string, m Outgoing) (sent Sent, err error) {
	var id string
	defer func() {
		// After a fault that is ours the commit may have happened all the same:
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
	plug, err := s.connected(ctx, a, at.Line)
	if err != nil {
		return sent, err
	}
	id = plug.MessageID(at.Line)
	m.Content.File = &FileData{Link: storedLink + u.id, Name: u.name, Size: &u.size, MimeType: &u.mime}
	return s.send(ctx, a, at, id, m, u)
}

// SendLink sends an attachment that lies elsewhere: an http or https address,
// which is passed on and not fetched.
func (s *Service) SendLink(ctx context.Context, a Actor, at ChatAddress, link, name string, m Outgoing) (Sent, error) {
	if err := allFaults(checkLink("file", link), checkText("fileName", name, maxName)); err != nil {
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
	return s.Send(ctx, a, at, m)
}
