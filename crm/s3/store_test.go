package s3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/crm/crmtest"
	"chatcast/crm/s3"
)

// TestBucket runs the same checks that crm runs on the folder.
func TestBucket(t *testing.T) {
	for name, change := range map[string]func(o *s3.Options){
		"prefix":    func(*s3.Options) {},
		"no prefix": func(o *s3.Options) { o.Prefix = "" },
		"region":    func(o *s3.Options) { o.Region = "eu-central-1" },
	} {
		t.Run(name, func(t *testing.T) {
			o := startService(t)
			change(&o)
			s, err := s3.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			crmtest.CheckFileStore(t, s, 2*s3.PartSize+12345)
			if keys := unfinished(t, s); len(keys) > 0 {
				t.Errorf("uploads are left: %v", keys)
			}
		})
	}
}

// TestBucketInTheHostsName checks a store with PathStyle false.
func TestBucketInTheHostsName(t *testing.T) {
	o := startService(t)
	address := strings.TrimPrefix(o.Endpoint, "http://")
	o.Endpoint, o.PathStyle = "http://s3.test", false
	s := quick(t, o)
	s.DialTo(address)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	crmtest.Put(t, s, crmtest.FileID("ab"), []byte("hello"))
	if b, err := crmtest.Get(t, s, crmtest.FileID("ab")); err != nil || string(b) != "hello" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestOpenNamesTheSetting checks that an error of Open names the wrong setting.
func TestOpenNamesTheSetting(t *testing.T) {
	good := startService(t)
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts connections, and nothing answers
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, c := range []struct {
		setting, says string
		change        func(o *s3.Options)
	}{
		{"endpoint", "cannot be reached", func(o *s3.Options) { o.Endpoint = "http://" + closed.Addr().String() }},
		{"endpoint", "does not answer", func(o *s3.Options) { o.Endpoint = "http://" + deaf.Addr().String() }},
		{"endpoint", "cannot be reached", func(o *s3.Options) { o.Endpoint = strings.Replace(o.Endpoint, "http:", "https:", 1) }},
		{"endpoint", "nothing after the host", func(o *s3.Options) { o.Endpoint += "/attachments" }},
		{"endpoint", "https://", func(o *s3.Options) { o.Endpoint = "s3.example.com" }},
		{"endpoint", "https://", func(o *s3.Options) { o.Endpoint = "http://u:p@s3.example.com" }},
		{"bucket", "no such bucket", func(o *s3.Options) { o.Bucket = "another" }},
		{"bucket", "lower-case", func(o *s3.Options) { o.Bucket = "No_Bucket" }},
		{"prefix", "path", func(o *s3.Options) { o.Prefix = "/files/" }},
		{"prefix", "path", func(o *s3.Options) { o.Prefix = "../files" }},
		{"region", "eu-central-1", func(o *s3.Options) { o.Region = "eu central" }},
		{"access_key", "does not know it", func(o *s3.Options) { o.AccessKey = "AKOTHER" }},
		{"access_key", "needed", func(o *s3.Options) { o.AccessKey = "" }},
		{"access_key", "not allowed to do this in the bucket: put", func(o *s3.Options) { o.Prefix = "no-put" }},
		{"access_key", "not allowed to do this in the bucket: get", func(o *s3.Options) { o.Prefix = "no-get" }},
		{"access_key", "not allowed to do this in the bucket: delete", func(o *s3.Options) { o.Prefix = "no-delete" }},
		{"access_key", "not allowed to do this in the bucket: list", func(o *s3.Options) { o.Prefix = "no-list" }},
		{"access_key", "not allowed to do this in the bucket: list uploads", func(o *s3.Options) { o.Prefix = "no-uploads" }},
		{"secret_key", "does not belong", func(o *s3.Options) { o.SecretKey = "hunter2-hunter2" }},
		{"secret_key", "needed", func(o *s3.Options) { o.SecretKey = "" }},
	} {
		o := good
		c.change(&o)
		ctx, cancel := context.WithCancel(t.Context())
		if c.says == "does not answer" {
			cancel()
			ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
		}
		s, err := s3.Open(ctx, o)
		cancel()
		var wrong *s3.Error
		if s != nil || !errors.As(err, &wrong) || wrong.Setting != c.setting || !strings.Contains(wrong.Reason(), c.says) {
			t.Errorf("%+v: %v, want %s: %s", o, err, c.setting, c.says)
		}
		if err != nil && (strings.Contains(err.Error(), secretKey) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("the error has the secret in it: %v", err)
		}
	}
	s, err := s3.Open(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for id, err := range s.Old(t.Context(), time.Now().Add(time.Hour)) {
		t.Errorf("the check leaves %s behind, %v", id, err)
	}
}

// TestOldEndsUploads checks that Old ends the old uploads of this store only.
func TestOldEndsUploads(t *testing.T) {
	o := startService(t)
	s := quick(t, o)
	ours, other := "chat/files/ab/"+crmtest.FileID("ab"), "chat/files/backup.tar"
	for _, key := range []string{ours, other, "elsewhere/ab/" + crmtest.FileID("ab")} {
		if err := s.BeginUpload(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	foreign := o
	foreign.Prefix = "chat"
	crmtest.Put(t, quick(t, foreign), crmtest.FileID("ab"), []byte("of another"))
	old := func(at time.Time) (n int) {
		for _, err := range s.Old(t.Context(), at) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	if n := old(time.Now().Add(-time.Hour)); n != 0 || len(unfinished(t, s)) != 3 {
		t.Errorf("an hour ago were %d files, left are %v", n, unfinished(t, s))
	}
	if n := old(time.Now().Add(time.Hour)); n != 0 || slices.Contains(unfinished(t, s), ours) || len(unfinished(t, s)) != 2 {
		t.Errorf("%d files are ours, left are %v", n, unfinished(t, s))
	}
}

// TestPlaces checks that the memory of large files is bounded, and that small files do
// not wait for large ones.
func TestPlaces(t *testing.T) {
	s := quick(t, startService(t))
	begun, release := make(chan bool), make(chan struct{})
	ended := make(chan error)
	large := func(id string) {
		ended <- s.Put(t.Context(), id, io.MultiReader(bytes.NewReader(crmtest.Bytes(1<<20)), &gate{begun: begun, open: release}))
	}
	for i := range s3.Uploads {
		go large(crmtest.FileID("a" + string("0123456789abcdef"[i])))
		<-begun
	}
	crmtest.Put(t, s, crmtest.FileID("b0"), []byte("small"))
	ctx, cancel := context.WithCancelCause(t.Context())
	impatient := errors.New("nobody waits any more")
	go func() { ended <- s.Put(ctx, crmtest.FileID("b1"), bytes.NewReader(crmtest.Bytes(1<<20))) }()
	cancel(impatient)
	if err := <-ended; !errors.Is(err, impatient) {
		t.Errorf("one too many: %v", err)
	}
	close(release)
	for range s3.Uploads {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	crmtest.Put(t, s, crmtest.FileID("b1"), crmtest.Bytes(1<<20))
}

// gate is a reader that signals on begun when it is read, and ends when open is closed.
type gate struct {
	begun chan bool
	open  chan struct{}
}

func (g *gate) Read([]byte) (int, error) {
	g.begun <- true
	<-g.open
	return 0, io.EOF
}
