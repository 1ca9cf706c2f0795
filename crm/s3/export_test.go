package s3

import (
	"context"
	"net"
	"time"

	"github.com/minio/minio-go/v7"
)

// Exported for the external tests of this package.

// Quick returns an unchecked store with a shorter timeout for stalled connections, and
// a shorter pause before a cut read resumes.
func Quick(o Options, stall, calm time.Duration) (*Store, error) {
	s, err := open(o)
	if err != nil {
		return nil, err
	}
	s.calm = calm
	s.transport.DialContext = newTransport(stall).DialContext
	return s, nil
}

// DialTo sends every dial of a store to one address, as a wildcard in the DNS does.
func (s *Store) DialTo(address string) {
	dial := s.transport.DialContext
	s.transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) { return dial(ctx, network, address) }
}

// Check is (*Store).check.
func (s *Store) Check(ctx context.Context) error { return s.check(ctx) }

// BeginUpload begins an upload that is never continued.
func (s *Store) BeginUpload(ctx context.Context, key string) error {
	_, err := s.client.NewMultipartUpload(ctx, s.bucket, key, minio.PutObjectOptions{})
	return err
}

// Unfinished lists the names of the uploads that have not ended.
func (s *Store) Unfinished(ctx context.Context) (keys []string, err error) {
	page, err := s.client.ListMultipartUploads(ctx, s.bucket, "", "", "", "", 1000)
	for _, u := range page.Uploads {
		keys = append(keys, u.Key)
	}
	return keys, err
}

// Sizes of this package.
const (
	PartSize = partSize
	Uploads  = uploads
)
