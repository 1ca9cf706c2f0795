package s3_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"

	"chatcast/channels/testwait"
	"chatcast/crm/s3"
)

func TestMain(m *testing.M) {
	minio.DefaultRetryUnit = 5 * time.Millisecond // the test is about the tries, not the pauses
	testwait.Main(m)
}

const (
	bucket    = "attachments"
	accessKey = "AKCHATCAST"
	secretKey = "the-secret-of-the-key"
)

// startService serves an S3 with one bucket that accepts one key, and returns the
// options for it.
func startService(t *testing.T) s3.Options {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	served := gofakes3.New(backend, gofakes3.WithHostBucketBase("s3.test")).Server()
	srv := httptest.NewUnstartedServer(authorizer(served))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // requests that are cut confuse the service
	srv.Start()
	t.Cleanup(srv.Close)
	return options(srv.URL)
}

func options(url string) s3.Options {
	return s3.Options{Endpoint: url, Bucket: bucket, Prefix: "chat/files", AccessKey: accessKey, SecretKey: secretKey, PathStyle: true}
}

// authorizer checks signatures as S3 does (version 4), because the service behind it
// does not.
func authorizer(next http.Handler) http.Handler {
	refuse := func(w http.ResponseWriter, code string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>refused</Message></Error>", code)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := map[string]string{}
		for _, p := range strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "), ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
			parts[name] = value
		}
		key, scope, _ := strings.Cut(parts["Credential"], "/")
		switch {
		case key == "":
			refuse(w, "AccessDenied")
		case key != accessKey:
			refuse(w, "InvalidAccessKeyId")
		case signature(r, scope, parts["SignedHeaders"]) != parts["Signature"]:
			refuse(w, "SignatureDoesNotMatch")
		case forbidden(r):
			refuse(w, "AccessDenied")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// forbidden reports whether the key may not send r. The object's prefix, such as
// "no-put", names the forbidden operation.
func forbidden(r *http.Request) bool {
	path, query := r.URL.Path, r.URL.Query()
	for what, is := range map[string]bool{
		"no-put": r.Method == "PUT", "no-get": r.Method == "GET", "no-delete": r.Method == "DELETE",
		"no-list": query.Has("list-type"), "no-uploads": query.Has("uploads") && r.Method == "GET",
	} {
		if is && strings.Contains(path+query.Get("prefix"), what) {
			return true
		}
	}
	return false
}

func signature(r *http.Request, scope, signed string) string {
	var headers strings.Builder
	for _, name := range strings.Split(signed, ";") {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		headers.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	canonical := strings.Join([]string{
		r.Method, r.URL.EscapedPath(), strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20"), headers.String(), signed, r.Header.Get("X-Amz-Content-Sha256"),
	}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + secretKey)
	for _, part := range append(strings.Split(scope, "/"), "AWS4-HMAC-SHA256\n"+r.Header.Get("X-Amz-Date")+"\n"+scope+"\n"+hex.EncodeToString(sum[:])) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// wire is a TCP proxy that cuts the connections through it.
type wire struct {
	t      *testing.T
	to     string // host:port
	listen net.Listener
	done   sync.WaitGroup

	mu    sync.Mutex
	cuts  int               // of the next connections, which end early; guarded by mu
	up    int64             // after so many bytes to the service
	down  int64             // or from it
	open  map[net.Conn]bool // guarded by mu
	dials int               // guarded by mu
}

// through puts a wire in front of the service, and returns the options for the wire.
func through(t *testing.T, o s3.Options) (s3.Options, *wire) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, to: strings.TrimPrefix(o.Endpoint, "http://"), listen: l, open: map[net.Conn]bool{}}
	w.done.Go(w.run)
	t.Cleanup(func() {
		l.Close()
		w.hangUp()
		w.done.Wait()
	})
	o.Endpoint = "http://" + l.Addr().String()
	return o, w
}

// cut ends the open connections at once, and each of the next n after so many bytes up
// or down. If both are 0, it ends them at once too.
func (w *wire) cut(n int, up, down int64) {
	w.mu.Lock()
	w.cuts, w.up, w.down, w.dials = n, up, down, 0
	w.mu.Unlock()
	w.hangUp()
}

// left returns how many connections are still to be cut.
func (w *wire) left() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cuts
}

func (w *wire) dialled() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dials
}

func (w *wire) hangUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		c.Close()
	}
}

func (w *wire) run() {
	for {
		c, err := w.listen.Accept()
		if err != nil {
			return
		}
		w.done.Go(func() { w.serve(c) })
	}
}

func (w *wire) serve(c net.Conn) {
	defer c.Close()
	w.mu.Lock()
	w.dials++
	up, down, cut := w.up, w.down, w.cuts > 0
	if cut {
		w.cuts--
	}
	w.mu.Unlock()
	if cut && up == 0 && down == 0 {
		return
	}
	s, err := net.Dial("tcp", w.to)
	if err != nil {
		w.t.Error(err)
		return
	}
	defer s.Close()
	w.mu.Lock()
	w.open[c], w.open[s] = true, true
	w.mu.Unlock()
	var both sync.WaitGroup
	pass := func(dst, src net.Conn, limit int64) {
		var from io.Reader = src
		if cut && limit > 0 {
			from = io.LimitReader(src, limit)
		}
		_, _ = io.Copy(dst, from)
		c.Close()
		s.Close()
	}
	both.Go(func() { pass(s, c, up) })
	both.Go(func() { pass(c, s, down) })
	both.Wait()
	w.mu.Lock()
	delete(w.open, c)
	delete(w.open, s)
	w.mu.Unlock()
}

// quick returns an unchecked store over o with short waits.
func quick(t *testing.T, o s3.Options) *s3.Store {
	t.Helper()
	s, err := s3.Quick(o, 10*time.Second, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// unfinished returns the names of the uploads that have not ended.
func unfinished(t *testing.T, s *s3.Store) []string {
	t.Helper()
	keys, err := s.Unfinished(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}
