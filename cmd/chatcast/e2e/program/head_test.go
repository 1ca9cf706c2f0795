package program_test

import (
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/pusher"
)

// TestHeadWhereverGetIs asks every route that answers GET with HEAD as well: the status
// and the headers are the same, and there is no body.
func TestHeadWhereverGetIs(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Apps[0].Secret = "s"
	p := e2e.Start(t, cfg)
	pair, err := p.Components().Rules.IssueToken(t.Context(), e2e.OwnerEmail)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{
		":licenseId": "1229", ":messengerType": "telegram", ":companyId": "2224", ":userId": "685", ":file": "message.json",
		":key": cfg.Apps[0].Key, ":name": "news",
	}
	param := regexp.MustCompile(`:[A-Za-z]+`)
	paths := []string{"/nowhere", "/v1/nowhere", "/v1/chats?limit=1"}
	for _, r := range p.Components().Router.Routes() {
		if r.Method == http.MethodGet {
			paths = append(paths, param.ReplaceAllStringFunc(r.Path, func(name string) string {
				if value, ok := values[name]; ok {
					return value
				}
				return "1"
			}))
		}
	}
	if len(paths) < 50 {
		t.Fatalf("only %d routes", len(paths))
	}
	for end := time.Now().Add(testwait.Long); time.Now().Before(end); {
		if status, _ := e2e.Get(t, p.Base+"/readyz"); status == http.StatusOK {
			break // its answer changes no more
		}
	}
	for _, path := range paths {
		if strings.HasPrefix(path, "/apps/") { // signed, for the method too
			query := func(method string) string {
				return "?" + pusher.SignRequest(cfg.Apps[0].Key, "s", method, path, nil, nil, time.Now())
			}
			sameHeads(t, p.Base+path+query("GET"), p.Base+path+query("HEAD"), "")
		}
		for _, token := range []string{"", pair.AccessToken} {
			sameHeads(t, p.Base+path, p.Base+path, token)
		}
	}
	if get, _ := fetch(t, "GET", p.Base+"/apps/1/channels?"+pusher.SignRequest(cfg.Apps[0].Key, "s", "HEAD", "/apps/1/channels", nil, nil, time.Now()), ""); get.StatusCode != 401 {
		t.Errorf("a GET with the signature of a HEAD: %s", get.Status)
	}
	if post, _ := fetch(t, "HEAD", p.Base+"/v1/tokens", ""); post.StatusCode != http.StatusMethodNotAllowed || post.Header.Get("Allow") == "" {
		t.Errorf("HEAD of a route without GET: %s, Allow %q", post.Status, post.Header.Get("Allow"))
	}
}

// sameHeads compares the answers to a GET and a HEAD.
func sameHeads(t *testing.T, getURL, headURL, token string) {
	t.Helper()
	get, _ := fetch(t, http.MethodGet, getURL, token)
	head, body := fetch(t, http.MethodHead, headURL, token)
	for _, h := range []http.Header{get.Header, head.Header} {
		h.Del("Date")
		if strings.HasSuffix(getURL, "/v1/server") { // its figures change
			h.Del("Content-Length")
		}
	}
	if get.StatusCode != head.StatusCode || len(body) > 0 || !maps.EqualFunc(get.Header, head.Header, slices.Equal) {
		t.Errorf("%s: GET is answered %s %v, HEAD %s %v and %d bytes", getURL, get.Status, get.Header, head.Status, head.Header, len(body))
	}
}

// uncompressed asks for no compression, which Go's client would ask for with GET alone.
var uncompressed = &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}

func fetch(t *testing.T, method, target, token string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", token)
	res, err := uncompressed.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return res, body
}
