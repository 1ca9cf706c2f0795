package program_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"chatcast/cmd/chatcast/app"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm/crmtest"
)

// bucket is an S3 server with one bucket.
type bucket struct {
	*s3mem.Backend
	away atomic.Bool // it answers that it is unavailable
}

// startBucket starts an S3 server and points the configuration to its bucket.
func startBucket(t *testing.T, cfg *config.Config) *bucket {
	t.Helper()
	b := &bucket{Backend: s3mem.New()}
	if err := b.CreateBucket("attachments"); err != nil {
		t.Fatal(err)
	}
	service := gofakes3.New(b.Backend).Server()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		service.ServeHTTP(w, r)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	cfg.Files.S3 = config.S3Config{Endpoint: srv.URL, Bucket: "attachments", Prefix: "chatcast", AccessKey: "AK", SecretKey: "SK", PathStyle: true}
	return b
}

// objects returns the names in the bucket.
func objects(t *testing.T, b *bucket) (names []string) {
	t.Helper()
	list, err := b.ListBucket("attachments", nil, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Contents {
		names = append(names, o.Key)
	}
	return names
}

// ask sends a request and reads the whole answer.
func ask(c *e2e.Client, method, url string, body io.Reader, headers ...string) (status int, answer string) {
	c.T.Helper()
	req, err := http.NewRequestWithContext(c.T.Context(), method, url, body)
	if err != nil {
		c.T.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.T.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.T.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestFilesInABucket sends files through the routes and through WhatsApp, with nothing in
// the folder, also while the bucket is unavailable and after that.
func TestFilesInABucket(t *testing.T) {
	cfg := e2e.Config(t)
	w := e2e.StartPhones(t, &cfg)
	files := startBucket(t, &cfg)
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	if names := objects(t, files); len(names) > 0 {
		t.Errorf("the check at the start leaves %v", names)
	}
	const chat = "/v1/licenses/1229/messengers/telegram/chats/42"
	owner.Must("POST", "/v1/licenses/1229/messengers/telegram/inbound", e2e.Inbound("M1", "42", "Hello"), nil)

	film := crmtest.Bytes(12 << 20) // three parts
	if status, answer := owner.SendFile(chat, "film.mp4", film); status != http.StatusOK {
		t.Fatalf("sending answers %d %s", status, answer)
	}
	var page struct {
		Items []struct {
			Message struct{ File *struct{ Link string } }
		}
	}
	owner.Must("GET", chat+"/messages?limit=1", nil, &page)
	if len(page.Items) != 1 || page.Items[0].Message.File == nil {
		t.Fatalf("the last message is %+v", page)
	}
	link := page.Items[0].Message.File.Link
	for _, c := range []struct {
		method, asked string
		status        int
		want          []byte
	}{
		{"GET", "", 200, film}, {"GET", "bytes=0-99", 206, film[:100]}, {"GET", "bytes=7000000-7000999", 206, film[7000000:7001000]},
		{"GET", "bytes=-10", 206, film[len(film)-10:]}, {"HEAD", "", 200, nil},
	} {
		status, got := ask(owner, c.method, link, http.NoBody, "Range", c.asked)
		if status != c.status || got != string(c.want) {
			t.Errorf("%s %q: %d with %d bytes, want %d with %d", c.method, c.asked, status, len(got), c.status, len(c.want))
		}
	}
	if names := objects(t, files); len(names) != 1 || !strings.HasPrefix(names[0], "chatcast/") {
		t.Errorf("in the bucket are %v", names)
	}

	files.away.Store(true)
	if status, _ := ask(owner, "GET", link, http.NoBody); status != http.StatusServiceUnavailable {
		t.Errorf("with the bucket away a file answers %d", status)
	}
	if status, answer := owner.SendFile(chat, "cat.txt", []byte("the cat")); status != http.StatusServiceUnavailable || !strings.Contains(answer, "try again") {
		t.Errorf("with the bucket away sending answers %d %s", status, answer)
	}
	// Only attachments need the bucket, so readiness does not ask for it.
	owner.Must("POST", chat+"/messages/text", map[string]string{"text": "A text"}, nil)
	e2e.AwaitReady(t, p.Base, http.StatusOK, `{"checks":{"database":"ok","relay":"ok","writes":"ok"},"status":"ok"}`)
	files.away.Store(false)
	if status, _ := ask(owner, "GET", link, http.NoBody); status != http.StatusOK {
		t.Errorf("with the bucket back a file answers %d", status)
	}

	if _, err := w.Shop.ScanQR(t.Context(), owner.PairingCode()); err != nil {
		t.Fatal(err)
	}
	owner.AwaitLine("connected")
	w.Anna.SendText(w.Shop, "Do you have tea?")
	owner.AwaitEvent("message", "Do you have tea?")
	owner.PicturesBothWays(w, e2e.WhatsAppPath+"/chats/79995554433")
	if names := objects(t, files); len(names) != 3 {
		t.Errorf("in the bucket are %v", names)
	}
	if _, err := os.Stat(cfg.Files.Dir); !os.IsNotExist(err) {
		t.Errorf("the folder is there: %v", err)
	}
}

// TestStartNamesTheBucketsError checks that an unusable bucket stops the start.
func TestStartNamesTheBucketsError(t *testing.T) {
	cfg := e2e.Config(t)
	startBucket(t, &cfg)
	for key, change := range map[string]func(s *config.S3Config){
		"files.s3.bucket: there is no such bucket": func(s *config.S3Config) { s.Bucket = "another" },
		"files.s3.endpoint: cannot be reached":     func(s *config.S3Config) { s.Endpoint = "http://127.0.0.1:1" },
	} {
		wrong := cfg
		wrong.Database.URL = "sqlite:" + filepath.Join(t.TempDir(), "chatcast.db")
		change(&wrong.Files.S3)
		p, err := app.New(context.Background(), wrong, app.Options{Log: e2e.Log(t)})
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%v, want %s", err, key)
		}
		if p != nil {
			_ = p.Close()
		}
	}
}
