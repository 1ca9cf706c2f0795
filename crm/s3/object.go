package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// maxCuts is how often the reading of one file resumes after a cut.
const maxCuts = 8

// Open implements crm.FileStore. Bytes are requested when they are read, from the
// reader's offset on.
func (s *Store) Open(ctx context.Context, id string) (io.ReadSeekCloser, int64, error) {
	limited, cancel := context.WithTimeout(ctx, smallTime)
	defer cancel()
	info, err := s.client.StatObject(limited, s.bucket, s.key(id), minio.StatObjectOptions{})
	if err != nil {
		return nil, 0, asError(ctx, "open", err)
	}
	return &object{ctx: ctx, store: s, key: s.key(id), etag: info.ETag, size: info.Size}, info.Size, nil
}

// object reads a file. It is for one goroutine.
type object struct {
	ctx       context.Context
	store     *Store
	key, etag string
	size      int64

	offset int64         // of the next Read
	body   io.ReadCloser // the bytes from offset on; nil: not requested
	cuts   int
	closed bool
}

// Read implements io.Reader.
func (o *object) Read(p []byte) (int, error) {
	if o.closed {
		return 0, fs.ErrClosed
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if o.offset >= o.size {
			return 0, io.EOF
		}
		n, err := o.readOnce(p)
		if n > 0 {
			return n, nil
		}
		if cause := context.Cause(o.ctx); cause != nil {
			return 0, cause
		}
		var refused *Error
		if errors.As(err, &refused) { // after its tries
			return 0, err
		}
		if err := o.pause(err); err != nil {
			return 0, err
		}
	}
}

// readOnce reads some bytes, and requests them first when there is no body. An error
// that is not an *Error means that the connection was cut.
func (o *object) readOnce(p []byte) (int, error) {
	if o.body == nil {
		body, err := o.get()
		if err != nil {
			return 0, err
		}
		o.body = body
	}
	n, err := o.body.Read(p[:min(int64(len(p)), o.size-o.offset)])
	o.offset += int64(n)
	if err != nil {
		o.drop()
	}
	return n, err
}

// get requests all bytes from the offset on.
func (o *object) get() (io.ReadCloser, error) {
	var opts minio.GetObjectOptions
	opts.Set("Range", fmt.Sprintf("bytes=%d-%d", o.offset, o.size-1))
	if err := opts.SetMatchETag(o.etag); err != nil {
		return nil, &Error{Op: "get", Message: "the service names no version of the object", Err: err}
	}
	body, info, head, err := o.store.client.GetObject(o.ctx, o.store.bucket, o.key, opts)
	if err != nil {
		return nil, asError(o.ctx, "get", err)
	}
	if info.ETag != o.etag { // not all services honour If-Match
		body.Close()
		return nil, &Error{Op: "get", Message: "the object was changed while it was read"}
	}
	given := head.Get("Content-Range")
	if o.offset > 0 && !strings.HasPrefix(given, fmt.Sprintf("bytes %d-", o.offset)) {
		body.Close()
		return nil, &Error{Op: "get", Message: fmt.Sprintf("the service gives the range %q for what begins at %d", given, o.offset)}
	}
	return body, nil
}

// pause waits before a cut read resumes. It returns an error when the read must not
// resume.
func (o *object) pause(cut error) error {
	if o.cuts++; o.cuts > maxCuts {
		return &Error{Op: "get", Setting: "endpoint", Message: "the connection is cut again and again", Err: cut}
	}
	timer := time.NewTimer(min(o.store.calm<<(o.cuts-1), 2*time.Second))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-o.ctx.Done():
		return context.Cause(o.ctx)
	}
}

// Seek implements io.Seeker. It sends no request.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	if o.closed {
		return 0, fs.ErrClosed
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += o.offset
	case io.SeekEnd:
		offset += o.size
	default:
		return 0, fmt.Errorf("s3: seek: whence %d is none", whence)
	}
	if offset < 0 {
		return 0, errors.New("s3: seek: before the beginning")
	}
	if offset != o.offset {
		o.drop()
	}
	o.offset = offset
	return offset, nil
}

// Close implements io.Closer.
func (o *object) Close() error {
	if o.closed {
		return fs.ErrClosed
	}
	o.closed = true
	o.drop()
	return nil
}

func (o *object) drop() {
	if o.body != nil {
		o.body.Close()
		o.body = nil
	}
}
