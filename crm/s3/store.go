package s3

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"chatcast/crm"
)

// Options holds the address of the bucket and its credentials. In an Error the names
// of the settings are those of the fields in lower case: endpoint, access_key.
type Options struct {
	Endpoint  string // "https://s3.example.com", "http://127.0.0.1:9000"
	Region    string // empty: the service is asked
	Bucket    string
	Prefix    string // of the names of all objects: a path without slashes around it; may be empty
	AccessKey string
	SecretKey string
	PathStyle bool // the bucket is in the path, not in the host name
}

const (
	// tries is how often a request is sent before it fails.
	tries = 5
	// uploads is how many Puts may hold a part in memory at once; the others wait.
	uploads = 16
	// smallTime is how long a request without a file may take, with its tries.
	smallTime = time.Minute
	// checkTime is how long Open may take.
	checkTime = 30 * time.Second
)

// Store is a bucket as a crm.FileStore. Safe for concurrent use.
type Store struct {
	bucket, prefix string // prefix: empty, or with a slash at its end
	client         minio.Core
	transport      *http.Transport
	places         chan struct{} // one for each Put that holds a part
	calm           time.Duration // the first pause before a cut read resumes
}

var _ crm.FileStore = (*Store)(nil)

// Check returns a message for each invalid setting, by its name, without asking the
// service. The result is empty when all settings are valid.
func (o Options) Check() map[string]string {
	wrong := map[string]string{}
	if u, err := url.Parse(o.Endpoint); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Host != strings.TrimPrefix(strings.TrimSuffix(o.Endpoint, "/"), u.Scheme+"://") {
		wrong["endpoint"] = "must be like https://s3.example.com, with nothing after the host and port"
	}
	if !bucketForm.MatchString(o.Bucket) {
		wrong["bucket"] = "must be 3 to 63 lower-case letters, digits, dots and dashes"
	}
	if !prefixForm.MatchString(o.Prefix) || len(o.Prefix) > 512 {
		wrong["prefix"] = "must be a path such as chatcast/files, of letters, digits and - _ . only, without slashes around it"
	}
	if !regionForm.MatchString(o.Region) {
		wrong["region"] = "must be a name such as eu-central-1, or empty"
	}
	if !keyForm.MatchString(o.AccessKey) {
		wrong["access_key"] = "is needed, without blanks"
	}
	if !keyForm.MatchString(o.SecretKey) {
		wrong["secret_key"] = "is needed, without blanks"
	}
	return wrong
}

var (
	bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	prefixForm = regexp.MustCompile(`^([A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?$`)
	regionForm = regexp.MustCompile(`^[A-Za-z0-9-]{0,64}$`)
	keyForm    = regexp.MustCompile(`^[!-~]+$`)
)

// Open returns the store, after it has written, read, listed and deleted a file in the
// bucket. When that fails, it returns an *Error that names the setting to look at.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := open(o)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if err := s.check(limited); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// open is Open without the check of the service.
func open(o Options) (*Store, error) {
	for name, what := range o.Check() {
		return nil, &Error{Op: "open", Setting: name, Message: what}
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, &Error{Op: "open", Setting: "endpoint", Message: "is not an address", Err: err}
	}
	lookup := minio.BucketLookupDNS
	if o.PathStyle {
		lookup = minio.BucketLookupPath
	}
	s := &Store{bucket: o.Bucket, transport: newTransport(stallTime), places: make(chan struct{}, uploads), calm: 200 * time.Millisecond}
	if o.Prefix != "" {
		s.prefix = o.Prefix + "/"
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Secure: u.Scheme == "https", Region: o.Region,
		Transport: s.transport, BucketLookup: lookup, MaxRetries: tries,
	})
	if err != nil {
		return nil, asError(context.Background(), "open", err)
	}
	s.client = minio.Core{Client: client}
	return s, nil
}

// Close closes the idle connections.
func (s *Store) Close() { s.transport.CloseIdleConnections() }

// key returns the name of a file in the bucket.
func (s *Store) key(id string) string { return s.prefix + id[:2] + "/" + id }

// Delete implements crm.FileStore.
func (s *Store) Delete(ctx context.Context, id string) error {
	limited, cancel := context.WithTimeout(ctx, smallTime)
	defer cancel()
	if err := s.client.RemoveObject(limited, s.bucket, s.key(id), minio.RemoveObjectOptions{}); err != nil {
		return notMissing(asError(ctx, "delete", err))
	}
	return nil
}

// Old implements crm.FileStore. The bucket is listed a page at a time.
func (s *Store) Old(ctx context.Context, t time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := s.abortOld(ctx, t); err != nil {
			yield("", err)
			return
		}
		for o := range s.client.Client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true}) {
			if o.Err != nil {
				yield("", asError(ctx, "list", o.Err))
				return
			}
			if id, ours := s.idOf(o.Key); ours && o.LastModified.Before(t) && !yield(id, nil) {
				return
			}
		}
	}
}

// idOf returns the id of the file with the name key, and whether this store made it.
func (s *Store) idOf(key string) (id string, ours bool) {
	id = key[strings.LastIndexByte(key, '/')+1:]
	return id, crm.IsFileID(id) && s.key(id) == key
}

// abortOld ends the uploads that began before t, which killed processes have left.
func (s *Store) abortOld(ctx context.Context, t time.Time) error {
	key, upload := "", ""
	for {
		limited, cancel := context.WithTimeout(ctx, smallTime)
		page, err := s.client.ListMultipartUploads(limited, s.bucket, s.prefix, key, upload, "", 1000)
		cancel()
		if minio.ToErrorResponse(err).StatusCode == http.StatusNotImplemented {
			return nil // such a service ends them by itself
		}
		if err != nil { // some services answer "does not exist" when there are no uploads
			return notMissing(asError(ctx, "list uploads", err))
		}
		for _, u := range page.Uploads {
			if _, ours := s.idOf(u.Key); ours && u.Initiated.Before(t) {
				if err := s.abort(ctx, u.Key, u.UploadID); err != nil {
					return err
				}
			}
		}
		if !page.IsTruncated || page.NextKeyMarker == key && page.NextUploadIDMarker == upload {
			return nil
		}
		key, upload = page.NextKeyMarker, page.NextUploadIDMarker
	}
}

// abort ends an upload. It returns nil when the upload has ended already.
func (s *Store) abort(ctx context.Context, key, upload string) error {
	limited, cancel := context.WithTimeout(ctx, smallTime)
	defer cancel()
	if err := s.client.AbortMultipartUpload(limited, s.bucket, key, upload); err != nil {
		return notMissing(asError(ctx, "end an upload", err))
	}
	return nil
}
