package crm

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"chatcast/models"
)

const (
	// DefaultMaxFile is the default maximum size of an attachment, in bytes.
	DefaultMaxFile = 100 << 20
	// LinkLife is how long a signed link to an attachment works, in seconds.
	LinkLife = 24 * 60 * 60

	fileSecretName = "files.secret"
)

// fileSecret holds the key that signs links. The key is stored in the settings and is
// the same for all nodes.
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

func filePath(l Line, id string) string {
	return "/v1/licenses/" + strconv.FormatInt(l.LicenseID, 10) + "/messengers/" + l.Messenger + "/files/" + id
}

// signFile signs a link. It is good for whoever has it, until it expires or the epoch of
// the line's company ends, see endLinks.
func signFile(key []byte, l Line, id string, expires, epoch int64) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(filePath(l, id) + "?" + strconv.FormatInt(expires, 10) + "&" + strconv.FormatInt(epoch, 10)))
	return hex.EncodeToString(mac.Sum(nil))
}

func isStored(link string) bool { return strings.HasPrefix(link, storedLink) }

// Attachment is an open stored file. The caller must close Content, which works only
// until the context it was opened with ends.
type Attachment struct {
	Name     string
	MimeType string
	Size     int64 // bytes
	ModTime  time.Time
	Picture  bool // of a chat: the file of a link never changes
	Content  io.ReadSeekCloser
}

// OpenFile opens an attachment for an actor who may see its chat.
func (s *Service) OpenFile(ctx context.Context, a Actor, on Line, id string) (*Attachment, error) {
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, read)
	if err != nil {
		return nil, err
	}
	return s.openFile(ctx, on, id, func(chat *models.Chat) (bool, error) { return l.sees(tx, a, chat) })
}

// OpenStored is OpenFile for the line's connector, which reads an outgoing file.
func (s *Service) OpenStored(ctx context.Context, on Line, id string) (*Attachment, error) {
	return s.openFile(ctx, on, id, everybody)
}

// OpenSigned opens an attachment for anybody who has a valid link to it.
func (s *Service) OpenSigned(ctx context.Context, on Line, id, expires, signature string) (*Attachment, error) {
	key, err := s.fileKey(ctx)
	if err != nil {
		return nil, err
	}
	epoch, err := s.Store.Read(ctx).LinkEpoch(on.LicenseID)
	if err != nil {
		return nil, err
	}
	until, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || !hmac.Equal([]byte(signature), []byte(signFile(key, on, id, until, epoch))) {
		return nil, denied("the link's signature is wrong, or the link was revoked")
	}
	if until <= s.Now().Unix() {
		return nil, denied("the link has expired")
	}
	return s.openFile(ctx, on, id, everybody)
}

// ErrFilePending is the error for a file that is still being fetched.
var ErrFilePending = &Error{Code: CodeNotFound, Message: "file not found: " + absent[FilePending]}

// IsFilePending reports whether an error says that a file is still being fetched.
func IsFilePending(err error) bool { return errors.Is(err, ErrFilePending) }

// FileOfLink returns the id of the file of a line that a link leads to. The link is without the
// address of the server.
func FileOfLink(on Line, link string) (id string, ok bool) {
	path, _, _ := strings.Cut(link, "?")
	id, ok = strings.CutPrefix(path, filePath(on, ""))
	return id, ok && IsFileID(id)
}

// everybody is for files that were asked for by other rights than those of a chat.
func everybody(*models.Chat) (bool, error) { return true, nil }

func (s *Service) openFile(ctx context.Context, on Line, id string, sees func(*models.Chat) (bool, error)) (*Attachment, error) {
	if !IsFileID(id) {
		return nil, notFound("file")
	}
	tx := s.Store.Read(ctx)
	row, err := tx.FileByID(id)
	if err != nil {
		return nil, orNotFound(err, "file")
	}
	chat, err := tx.ChatRow(row.ChatID)
	if err != nil {
		return nil, orNotFound(err, "file")
	}
	if chat.LicenseID != on.LicenseID || chat.MessengerType != on.Messenger || row.DeletedAt != nil {
		return nil, notFound("file")
	}
	if seen, err := sees(chat); err != nil || !seen {
		return nil, cmp.Or(err, error(notFound("file")))
	}
	if row.State == FilePending {
		return nil, ErrFilePending
	}
	if row.State != "" {
		return nil, &Error{Code: CodeNotFound, Message: "file not found: " + absent[row.State]}
	}
	content, size, err := s.Files.Open(ctx, row.StoredID())
	if err != nil {
		return nil, s.fileStoreError(ctx, err)
	}
	return &Attachment{Name: row.Name, MimeType: row.MimeType, Size: size, ModTime: time.Unix(row.CreatedAt, 0), Picture: row.Picture, Content: content}, nil
}

// storedLink and the file's id stand for the link of a stored attachment in rows,
// because links expire and are made when a message is shown. Otherwise rows store
// contents and authors as the wire's JSON.
const storedLink = "stored:"
