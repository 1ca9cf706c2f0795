package crm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"regexp"
	"time"

	"chatcast/models"
)

// FileStore stores the bytes of attachments. A stored file never changes, and its id
// has the form that IsFileID checks. A FileStore is safe for concurrent use. Its
// errors are the store's own, or those of the reader given to Put.
type FileStore interface {
	// Put stores the contents of r under a new id, reading r as a stream to its end.
	// When it returns an error, nothing is stored. When it returns nil, the file is
	// durable.
	Put(ctx context.Context, id string, r io.Reader) error
	// Open opens the file with this id, and returns its size in bytes. ctx must last
	// while content is read. The error is fs.ErrNotExist when there is no such file.
	Open(ctx context.Context, id string) (content io.ReadSeekCloser, size int64, err error)
	// Delete removes the file with this id. A missing file is not an error.
	Delete(ctx context.Context, id string) error
	// Old yields the ids of files that were put before t, and removes the remains of
	// unfinished Puts that began before t. The caller may delete the files meanwhile.
	// It ends after an error.
	Old(ctx context.Context, t time.Time) iter.Seq2[string, error]
}

var fileIDForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// IsFileID reports whether id has the form of a file's id. Such an id is safe to use
// as a file name.
func IsFileID(id string) bool { return fileIDForm.MatchString(id) }

// Upload is an attachment that is in the file store and belongs to no message yet.
// The caller that created it must pass it to SendFile or Discard it.
type Upload struct {
	files      FileStore
	id         string
	name, mime string
	size       int64  // bytes
	sum        string // hex SHA-256
	head       []byte // the first bytes, which tell the type
}

// Describe gives the attachment the name and the type that its sender told after the bytes.
// Both may be empty.
func (u *Upload) Describe(name, mimeType string) {
	u.name, u.mime = fileName(name), mimeOf(mimeType, name, u.head)
}

// MimeType returns the type of the attachment.
func (u *Upload) MimeType() string { return u.mime }

// Size returns the size of the attachment in bytes.
func (u *Upload) Size() int64 { return u.size }

// StoreUpload reads an attachment to the end and stores it. It returns CodeTooLarge
// when the attachment is over the limit, and CodeUnavailable when the file store
// cannot take it now; nothing is stored then. mimeType may be empty.
func (s *Service) StoreUpload(ctx context.Context, a Actor, at ChatAddress, name, mimeType string, r io.Reader) (*Upload, error) {
	if _, err := s.connected(ctx, a, at.Line); err != nil { // before the store is used
		return nil, err
	}
	return s.store(ctx, name, mimeType, r)
}

// StoreFile is StoreUpload for a connector, for an inbound attachment. The caller
// passes it to Ingest with its message, or else must discard it.
func (s *Service) StoreFile(ctx context.Context, on Line, name, mimeType string, r io.Reader) (*Upload, error) {
	if _, err := lineForConnector(s.Store.Read(ctx), on); err != nil {
		return nil, err
	}
	u, err := s.store(ctx, name, mimeType, r)
	if err == nil {
		u.name = withExtension(u.name, u.mime)
	}
	return u, err
}

func (s *Service) store(ctx context.Context, name, mimeType string, r io.Reader) (*Upload, error) {
	in := &incoming{from: r, limit: s.FileLimit(), sum: sha256.New()}
	head := make([]byte, sniffed)
	n, _ := io.ReadFull(in, head)
	if in.refused != nil {
		return nil, in.refused
	}
	if n == 0 {
		return nil, Invalid("file", "is empty")
	}
	u := &Upload{files: s.Files, id: randomHex(16), name: fileName(name)}
	err := s.Files.Put(ctx, u.id, io.MultiReader(bytes.NewReader(head[:n]), in))
	if in.refused != nil { // the sender's error, whatever the store returned
		return nil, in.refused
	}
	if err != nil {
		return nil, s.fileStoreError(ctx, err)
	}
	u.mime, u.head = mimeOf(mimeType, name, head[:n]), head[:n]
	u.size, u.sum = in.size, hex.EncodeToString(in.sum.Sum(nil))
	return u, nil
}

// fileStoreError returns the error that a caller gets for an error of the file store,
// usually CodeUnavailable, to try again later. The log has the cause.
func (s *Service) fileStoreError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if errors.Is(err, fs.ErrNotExist) { // a row refers to the file; trying again does not help
		return fmt.Errorf("crm: file store: %w", err)
	}
	s.Log.ErrorContext(ctx, "the file store failed", "error", err)
	if DiskFull(err) {
		return Unavailable("the file cannot be stored: the disk of the file store is full; try again later")
	}
	return Unavailable("the file store cannot be used now; try again later")
}

// incoming reads an attachment. It records the size, the sum and, in refused, the
// error that ended it when that is the sender's and not the store's.
type incoming struct {
	from    io.Reader
	limit   int64
	size    int64
	sum     hash.Hash
	refused error
}

func (in *incoming) Read(p []byte) (int, error) {
	if in.refused != nil {
		return 0, in.refused
	}
	n, err := in.from.Read(p)
	in.sum.Write(p[:n])
	if in.size += int64(n); in.size > in.limit {
		in.refused = &Error{Code: CodeTooLarge, Message: fmt.Sprintf("the file is over %d bytes", in.limit)}
	} else if err != nil && err != io.EOF {
		in.refused = unread(err)
	}
	if in.refused != nil {
		err = in.refused
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

// discardTime is how long Discard may take.
const discardTime = 5 * time.Second

// Discard removes an attachment that was not sent. It is a no-op for a nil or zero
// Upload. Sweep removes files that Discard could not remove or that a crash left.
func (u *Upload) Discard() {
	if u == nil || u.files == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), discardTime)
	defer cancel()
	_ = u.files.Delete(ctx, u.id)
}

func (u *Upload) digest() string {
	if u == nil {
		return ""
	}
	return u.sum
}

// FileLimit returns the maximum size of an attachment, in bytes.
func (s *Service) FileLimit() int64 {
	if s.MaxFile > 0 {
		return s.MaxFile
	}
	return DefaultMaxFile
}

// noFiles is the FileStore of a Service without one.
type noFiles struct{}

var _ FileStore = noFiles{}

var errNoFiles = errors.New("crm: there is no file store")

func (noFiles) Put(context.Context, string, io.Reader) error { return errNoFiles }
func (noFiles) Open(context.Context, string) (io.ReadSeekCloser, int64, error) {
	return nil, 0, errNoFiles
}
func (noFiles) Delete(context.Context, string) error { return errNoFiles }
func (noFiles) Old(context.Context, time.Time) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

func (u *Upload) row(licenseID, chatID, now int64) *models.File {
	return &models.File{ID: u.id, LicenseID: licenseID, ChatID: chatID, Name: u.name, Size: u.size, MimeType: u.mime, CreatedAt: now}
}
