package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/minio/minio-go/v7"
)

const (
	// partSize is the size of the parts of a large file, in bytes: S3's minimum.
	partSize = 5 << 20
	// firstSize is how many bytes of a file are read before memory for a part is
	// allocated.
	firstSize = 256 << 10
	// maxParts is S3's limit of parts per upload.
	maxParts = 10_000
)

// Put implements crm.FileStore. A small file is sent in one request. Of a larger file
// one part at a time is in memory, and the object exists when all parts are stored.
func (s *Store) Put(ctx context.Context, id string, r io.Reader) error {
	part := make([]byte, firstSize)
	n, ended, err := fill(r, part)
	if err != nil {
		return err
	}
	if !ended {
		select {
		case s.places <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		defer func() { <-s.places }()
		part = append(make([]byte, 0, partSize), part...)[:partSize]
		if n, ended, err = fill(r, part[firstSize:]); err != nil {
			return err
		}
		n += firstSize
	}
	if ended {
		return s.putWhole(ctx, s.key(id), part[:n])
	}
	return s.putParts(ctx, s.key(id), part, r)
}

// fill reads until p is full or r has ended.
func fill(r io.Reader, p []byte) (n int, ended bool, err error) {
	for n < len(p) {
		m, err := r.Read(p[n:])
		n += m
		if err == io.EOF {
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
	}
	return n, false, nil
}

func (s *Store) putWhole(ctx context.Context, key string, b []byte) error {
	_, err := s.client.PutObject(ctx, s.bucket, key, bytes.NewReader(b), int64(len(b)), "", sumOf(b), minio.PutObjectOptions{DisableContentSha256: true})
	if err != nil {
		return asError(ctx, "put", err)
	}
	return nil
}

// sumOf returns the SHA-256 against which the service checks the bytes, in hex.
func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// putParts uploads part, which is full, and then the rest of r. It reuses the memory
// of part.
func (s *Store) putParts(ctx context.Context, key string, part []byte, r io.Reader) (err error) {
	upload, err := s.client.NewMultipartUpload(ctx, s.bucket, key, minio.PutObjectOptions{})
	if err != nil {
		return asError(ctx, "begin an upload", err)
	}
	defer func() {
		if err != nil { // Old removes the upload if this fails
			_ = s.abort(context.WithoutCancel(ctx), key, upload)
		}
	}()
	var done []minio.CompletePart
	for n, ended := len(part), false; n > 0; {
		if len(done) == maxParts {
			return &Error{Op: "put", Message: "the file is too large for S3"}
		}
		p, err := s.client.PutObjectPart(ctx, s.bucket, key, upload, len(done)+1, bytes.NewReader(part[:n]), int64(n),
			minio.PutObjectPartOptions{Sha256Hex: sumOf(part[:n]), DisableContentSha256: true})
		if err != nil {
			return asError(ctx, "put a part", err)
		}
		done = append(done, minio.CompletePart{PartNumber: p.PartNumber, ETag: p.ETag})
		if ended {
			break
		}
		if n, ended, err = fill(r, part); err != nil {
			return err
		}
	}
	if _, err := s.client.CompleteMultipartUpload(ctx, s.bucket, key, upload, done, minio.PutObjectOptions{}); err != nil {
		return asError(ctx, "complete an upload", err)
	}
	return nil
}
