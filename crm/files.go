package crm

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"chatcast/models"
)

const (
	// DefaultMaxFile is the greatest attachment, in bytes, when Options say none.
	DefaultMaxFile = 100 << 20
	// LinkLife is how long a signed link to an attachment works, in seconds.
	LinkLife = 7 * 24 * 60 * 60

	fileSecretName = "files.secret"
	partSuffix     = ".part" // of a file that is still being written
)

// fileSecret is the key that links are signed with: kept in the settings, the
// same for all nodes.
type fileSecret struct {
	mu  sync.Mutex
	key []byte // guarded by mu; nil: not read yet
}

func (s *Service) fileKey(ctx context.Context) ([]byte, error) {
	s.secret.mu.Lock()
	defer s.secret.mu.Unlock()
	if s.secret.key != nil {
		return s.secret.key, nil
	}
	text, err := s.Store.Read(ctx).Setting(fileSecretName)
	if errors.Is(err, models.ErrNotFound) {
		err = s.Store.Tx(ctx, func(tx *models.Tx) (err error) {
			text, err = tx.EnsureSetting(fileSecretName, randomHex(32))
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	s.secret.key = []byte(text)
	return s.secret.key, nil
}

// shower returns what makes shapes out of the line's rows.
func (s *Service) shower(ctx context.Context, on Line) (shower, error) {
	key, err := s.fileKey(ctx)
	if err != nil {
		return shower{}, err
	}
	expires := s.Now().Unix() + LinkLife
	return shower{line: on, link: func(l Line, id string) string {
		return s.PublicURL + filePath(l, id) + "?expires=" + strconv.FormatInt(expires, 10) + "&signature=" + signFile(key, l, id, expires)
	}}, nil
}

func filePath(l Line, id string) string {
	return "/v1/licenses/" + strconv.FormatInt(l.LicenseID, 10) + "/messengers/" + l.Messenger + "/files/" + id
}

func signFile(key []byte, l Line, id string, expires int64) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(filePath(l, id) + "?" + strconv.FormatInt(expires, 10)))
	return hex.EncodeToString(mac.Sum(nil))
}

func isStored(link string) bool { return strings.HasPrefix(link, storedLink) }

// Upload is an attachment that lies in the file store and belongs to no message
// yet. Whoever made it must send it (SendFile) or Discard it.
type Upload struct {
	id, path   string
	name, mime string
	size       int64  // bytes
	sum        string // hex SHA-256
}

// StoreUpload reads an attachment to the end and keeps it on disk. CodeTooLarge
// when it is over the limit; nothing is left behind then. mimeType may be empty.
func (s *Service) StoreUpload(ctx context.Context, a Actor, at ChatAddress, name, mimeType string, r io.Reader) (*Upload, error) {
	if _, err := s.connected(ctx, a, at.Line); err != nil { // before the disk is used
		return nil, err
	}
	return s.store(name, mimeType, r)
}

// StoreFile is StoreUpload for a plug, of an attachment that the outside brings.
// Take spends it with its message; else it must be discarded.
func (s *Service) StoreFile(ctx context.Context, on Line, name, mimeType string, r io.Reader) (*Upload, error) {
	if _, err := outside(s.Store.Read(ctx), on); err != nil {
		return nil, err
	}
	return s.store(name, mimeType, r)
}

func (s *Service) store(name, mimeType string, r io.Reader) (*Upload, error) {
	id := randomHex(16)
	final := s.fileAt(id)
	if err := os.MkdirAll(filepath.Dir(final), 0o700); err != nil {
		return nil, fmt.Errorf("crm: file store: %w", err)
	}
	f, err := os.OpenFile(final+partSuffix, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("crm: file store: %w", err)
	}
	u := &Upload{id: id, path: final, name: fileName(name)}
	err = u.fill(f, r, s.FileLimit())
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(final+partSuffix, final)
	}
	if err != nil {
		os.Remove(final + partSuffix)
		return nil, err
	}
	u.mime = mimeOf(mimeType, u.mime)
	return u, nil
}

// fill copies r to f, and learns the attachment's size, sum and kind.
func (u *Upload) fill(f *os.File, r io.Reader, limit int64) error {
	sum, head := sha256.New(), make([]byte, 512)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return unread(err)
	}
	head = head[:n]
	if n == 0 {
		return Invalid("file", "is empty")
	}
	u.mime = http.DetectContentType(head)
	out := io.MultiWriter(f, sum)
	if _, err := out.Write(head); err != nil {
		return fmt.Errorf("crm: file store: %w", err)
	}
	rest, err := io.Copy(out, unreadErrors{io.LimitReader(r, limit-int64(n)+1)})
	if err != nil {
		return err
	}
	if u.size = int64(n) + rest; u.size > limit {
		return &Error{Code: CodeTooLarge, Message: fmt.Sprintf("the file is over %d bytes", limit)}
	}
	u.sum = hex.EncodeToString(sum.Sum(nil))
	return f.Sync()
}

// unreadErrors tells the faults of reading an upload, which are the sender's,
// from those of writing it.
type unreadErrors struct{ io.Reader }

func (r unreadErrors) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = unread(err)
	}
	return n, err
}

func unread(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &Error{Code: CodeTooLarge, Message: fmt.Sprintf("the request is over %d bytes", tooLarge.Limit)}
	}
	return Invalid("file", "could not be read whole")
}

// Discard removes an attachment that was not sent. Of a nil Upload it is a
// no-op. What a crash leaves behind, Sweep removes.
func (u *Upload) Discard() {
	if u != nil {
		os.Remove(u.path)
	}
}

func (u *Upload) digest() string {
	if u == nil {
		return ""
	}
	return u.sum
}

func (u *Upload) row(licenseID, chatID, now int64) *models.File {
	return &models.File{ID: u.id, LicenseID: licenseID, ChatID: chatID, Name: u.name, Size: u.size, MimeType: u.mime, CreatedAt: now}
}

// Attachment is a stored file, opened. The reader must be closed.
type Attachment struct {
	Name     string
	MimeType string
	Size     int64 // bytes
	ModTime  time.Time
	Content  *os.File
}

// OpenFile opens an attachment for an actor who may see its chat.
func (s *Service) OpenFile(ctx context.Context, a Actor, on Line, id string) (*Attachment, error) {
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, read)
	if err != nil {
		return nil, err
	}
	return s.openFile(tx, on, id, func(chat *models.Chat) bool { return l.sees(a, chat.ResponsibleID) })
}

// OpenStored is OpenFile for the line's plug, of a file that goes out.
func (s *Service) OpenStored(ctx context.Context, on Line, id string) (*Attachment, error) {
	return s.openFile(s.Store.Read(ctx), on, id, func(*models.Chat) bool { return true })
}

// OpenSigned opens an attachment for whoever has a link to it.
func (s *Service) OpenSigned(ctx context.Context, on Line, id, expires, signature string) (*Attachment, error) {
	key, err := s.fileKey(ctx)
	if err != nil {
		return nil, err
	}
	until, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || !hmac.Equal([]byte(signature), []byte(signFile(key, on, id, until))) {
		return nil, denied("the link's signature is wrong")
	}
	if until <= s.Now().Unix() {
		return nil, denied("the link has expired")
	}
	return s.openFile(s.Store.Read(ctx), on, id, func(*models.Chat) bool { return true })
}

var fileIDForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (s *Service) openFile(tx *models.Tx, on Line, id string, sees func(*models.Chat) bool) (*Attachment, error) {
	if !fileIDForm.MatchString(id) {
		return nil, notFound("file")
	}
	row, err := tx.FileByID(id)
	if err != nil {
		return nil, orNotFound(err, "file")
	}
	chat, err := tx.ChatRow(row.ChatID)
	if err != nil {
		return nil, orNotFound(err, "file")
	}
	if chat.LicenseID != on.LicenseID || chat.MessengerType != on.Messenger || !sees(chat) {
		return nil, notFound("file")
	}
	if row.State != "" {
		return nil, &Error{Code: CodeNotFound, Message: "file not found: " + absent[row.State]}
	}
	f, err := os.Open(s.fileAt(id))
	if err != nil {
		return nil, fmt.Errorf("crm: file store: %w", err)
	}
	return &Attachment{Name: row.Name, MimeType: row.MimeType, Size: row.Size, ModTime: time.Unix(row.CreatedAt, 0), Content: f}, nil
}

// fileAt is where the attachment lies. id must have the form of one.
func (s *Service) fileAt(id string) string { return filepath.Join(s.FilesDir, id[:2], id) }

// FileLimit is the size of the greatest attachment, in bytes.
func (s *Service) FileLimit() int64 {
	if s.MaxFile > 0 {
		return s.MaxFile
	}
	return DefaultMaxFile
}
