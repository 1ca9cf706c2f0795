package crm

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// Limits of status posts, as WhatsApp has them.
const (
	maxStatusText = 700 // characters
	maxStatusFont = 10
)

// StatusPost is a status to post for people who have the account's number. It is in no chat.
type StatusPost struct {
	Text       string   `json:"text"` // of a post without a file
	Caption    string   `json:"caption"`
	Background string   `json:"background"` // "#rrggbb", behind a text or a voice message; empty: the messenger's own
	Font       int64    `json:"font"`       // of a text, as the messenger numbers them
	Receivers  []string `json:"receivers"`  // phone numbers or ids; empty: all contacts of the phone
}

// StatusFile is the file of a status post: an image, a video or a sound.
type StatusFile struct {
	ID, Name, MimeType string
}

// PostedStatus is the answer to a status post.
type PostedStatus struct {
	ID   string `json:"id"`
	Time int64  `json:"time"` // unix seconds
}

// StatusMessenger is a Messenger whose accounts post statuses.
type StatusMessenger interface {
	Messenger
	// PostStatus posts a status under an id and returns when, in unix seconds. A second
	// time under the same id it is the same post. file is nil for a text.
	PostStatus(ctx context.Context, l Line, id string, p StatusPost, file *StatusFile) (at int64, err error)
}

var statusColor = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

// check checks the post, and returns the receivers' ids on the wire.
func (p *StatusPost) check(messenger string, file *Upload) (receivers []string, err error) {
	var errs []error
	if file == nil {
		errs = append(errs, checkRequired("text", p.Text, maxStatusText))
		if p.Caption != "" {
			errs = append(errs, Invalid("caption", "must be empty in a post without a file"))
		}
	} else {
		errs = append(errs, file.postable())
		if p.Text != "" {
			errs = append(errs, Invalid("text", "must be empty in a post with a file: use caption"))
		}
	}
	errs = append(errs, checkText("caption", p.Caption, MaxCaption))
	if p.Background != "" && !statusColor.MatchString(p.Background) {
		errs = append(errs, Invalid("background", "must be # and six hex digits, or absent"))
	}
	if p.Font < 0 || p.Font > maxStatusFont {
		errs = append(errs, Invalid("font", "must be from 0 to %d", maxStatusFont))
	}
	receivers, err = peopleOf(messenger, "receivers", p.Receivers, 0)
	return receivers, allViolations(append(errs, err)...)
}

// statusTypes begin the types of files that may be posted.
var statusTypes = []string{"image", "video", "audio"}

// statusesOf authorises the actor, and returns what posts statuses. Only owners and admins
// may: a post is seen by everybody.
func (s *Service) statusesOf(ctx context.Context, a Actor, on Line) (StatusMessenger, error) {
	_, connector, err := s.connectorFor(ctx, a, on, manage)
	if err != nil {
		return nil, err
	}
	to, ok := connector.(StatusMessenger)
	if !ok || !IsWhatsApp(on.Messenger) {
		return nil, conflict("lines of this type have no account that could post a status")
	}
	return to, nil
}

// StoreStatusFile stores the file of a status post. The caller passes it to PostStatus, or
// else must discard it.
func (s *Service) StoreStatusFile(ctx context.Context, a Actor, on Line, name, mimeType string, r io.Reader) (*Upload, error) {
	if _, err := s.statusesOf(ctx, a, on); err != nil { // before the store is used
		return nil, err
	}
	u, err := s.store(ctx, name, mimeType, r)
	if err != nil {
		return nil, err
	}
	if err := u.postable(); err != nil {
		u.Discard()
		return nil, err
	}
	return u, nil
}

// postable returns an error unless the attachment may be a status.
func (u *Upload) postable() error {
	if kind, _, _ := strings.Cut(u.mime, "/"); !slices.Contains(statusTypes, kind) {
		return Invalid("file", "must be an image, a video or a sound")
	}
	return nil
}

// PostStatus posts a status for those people who have the account's number and whom its
// settings let see it. It is sent now or not at all, and is not stored here. PostStatus
// consumes the Upload.
func (s *Service) PostStatus(ctx context.Context, a Actor, on Line, p StatusPost, u *Upload) (*PostedStatus, error) {
	defer u.Discard()
	to, err := s.statusesOf(ctx, a, on)
	if err != nil {
		return nil, err
	}
	if p.Receivers, err = p.check(on.Messenger, u); err != nil {
		return nil, err
	}
	var file *StatusFile
	kind := MessageText
	if u != nil {
		file, kind = &StatusFile{ID: u.id, Name: u.name, MimeType: u.mime}, typeOfFile(u.mime)
	}
	id := to.MessageID(on)
	at, err := to.PostStatus(asking(ctx, a), on, id, p, file)
	if err != nil {
		return nil, err
	}
	return &PostedStatus{ID: id, Time: at}, s.recordAccount(ctx, a, on, AuditStatusPosted, map[string]string{"id": id, "type": kind})
}

// OpenPost opens the file of a status post for the line's connector, which sends it.
func (s *Service) OpenPost(ctx context.Context, on Line, f StatusFile) (*Attachment, error) {
	if _, err := lineForConnector(s.Store.Read(ctx), on); err != nil {
		return nil, err
	}
	if !IsFileID(f.ID) {
		return nil, notFound("file")
	}
	content, size, err := s.Files.Open(ctx, f.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound("file")
	}
	if err != nil {
		return nil, s.fileStoreError(ctx, err)
	}
	return &Attachment{Name: f.Name, MimeType: f.MimeType, Size: size, Content: content}, nil
}
