package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/minio/minio-go/v7"
)

// check tries all operations on a small file. The file's name has the form of all
// others, so that a file that a crash leaves is swept with them.
func (s *Store) check(ctx context.Context) error {
	var random [16]byte
	rand.Read(random[:]) // never fails
	id, content := hex.EncodeToString(random[:]), []byte("chatcast looks whether it can write here")
	if err := s.locate(ctx); err != nil {
		return s.unchecked(ctx, err)
	}
	if err := s.Put(ctx, id, bytes.NewReader(content)); err != nil {
		return s.unchecked(ctx, err)
	}
	if err := s.checkReading(ctx, id, content); err != nil {
		_ = s.Delete(ctx, id) // Old yields the file if this fails
		return s.unchecked(ctx, err)
	}
	if err := s.Delete(ctx, id); err != nil {
		return s.unchecked(ctx, err)
	}
	return s.unchecked(ctx, s.abortOld(ctx, time.Time{})) // checks the right to list uploads; none is that old
}

// locate asks for the bucket's region when none is set. It retries here, because
// minio caches the region but asks for it only once.
func (s *Store) locate(ctx context.Context) error {
	for try := 1; ; try++ {
		_, err := s.client.GetBucketLocation(ctx, s.bucket)
		if err == nil {
			return nil
		}
		var resp minio.ErrorResponse
		if try == tries || ctx.Err() != nil || errors.As(err, &resp) {
			return asError(ctx, "ask for the region", err)
		}
		timer := time.NewTimer(min(s.calm<<(try-1), time.Second))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (s *Store) checkReading(ctx context.Context, id string, content []byte) error {
	f, _, err := s.Open(ctx, id)
	if err != nil {
		return err
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, content) {
		return &Error{Op: "get", Setting: "endpoint", Message: "what comes back is not what was put"}
	}
	for o := range s.client.Client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.key(id), Recursive: true}) {
		if o.Err != nil {
			return asError(ctx, "list", o.Err)
		}
		if o.Key == s.key(id) {
			return nil
		}
	}
	return &Error{Op: "list", Setting: "bucket", Message: "what was put is not listed"}
}

// unchecked returns err, or an error about the endpoint when err is not nil and the
// time of the check is over.
func (s *Store) unchecked(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == context.DeadlineExceeded {
		return &Error{Op: "open", Setting: "endpoint", Message: "does not answer", Err: err}
	}
	return err
}
