package program_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// changingGets are the GETs that change something, and what. HEAD of them is a 405.
var changingGets = map[string]string{
	"/v1/licenses/:licenseId/messengers/:messengerType/qr": "it begins a pairing",
	"/v1/events/stream":                          "it uses up a ticket",
	"/instance/connect/:instance":                "it begins a pairing",
	"/whatsapp/instance/connect/:instance":       "it begins a pairing",
	"/group/acceptInviteCode/:instance":          "it joins the group",
	"/whatsapp/group/acceptInviteCode/:instance": "it joins the group",
	"/socket.io":              "it opens a session",
	"/socket.io/":             "it opens a session",
	"/whatsapp/socket.io":     "it opens a session",
	"/whatsapp/socket.io/":    "it opens a session",
	"/broadcasting/auth":      "the socket becomes the user's, and may enter the channel",
	"/broadcasting/user-auth": "the socket becomes the user's",
}

// getPaths returns a path for each route that answers GET: those that take HEAD, and those
// that do not.
func getPaths(t *testing.T, p *e2e.Running, appKey string) (same, changing []string) {
	t.Helper()
	values := map[string]string{
		":licenseId": "1229", ":messengerType": "telegram", ":companyId": "2224", ":userId": "685", ":file": "message.json",
		":key": appKey, ":name": "news",
	}
	param := regexp.MustCompile(`:[A-Za-z]+`)
	for _, r := range p.Components().Router.Routes() {
		if r.Method != http.MethodGet {
			continue
		}
		path := param.ReplaceAllStringFunc(r.Path, func(name string) string {
			if value, ok := values[name]; ok {
				return value
			}
			return "1"
		})
		if changingGets[r.Path] == "" {
			same = append(same, path)
		} else {
			changing = append(changing, path)
		}
		if apitest.OfEngineIO(r.Path) {
			continue
		}
		asked := httptest.NewRequestWithContext(t.Context(), r.Method, path, http.NoBody)
		op, _, _ := reference(t).Find(asked)
		if op == nil {
			if op, _, _ = evolution(t).Find(asked); op == nil {
				op, _, _ = multiwa(t).Find(asked)
			}
		}
		if documented := op != nil && op.Responses.Value("405") != nil; documented != (changingGets[r.Path] != "") {
			t.Errorf("%s: the reference has a 405: %v; it changes something: %q", r.Path, documented, changingGets[r.Path])
		}
	}
	if len(same) < 50 || len(changing) != len(changingGets) {
		t.Fatalf("only %d routes, and %d that change something", len(same), len(changing))
	}
	return same, changing
}

// TestHeadWhereverGetIs asks every route that answers GET with HEAD as well: the status
// and the headers are the same, and there is no body. A GET that changes something has no
// HEAD.
func TestHeadWhereverGetIs(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Apps[0].Secret = "s"
	p := e2e.Start(t, cfg)
	pair, err := p.Components().Rules.IssueToken(t.Context(), e2e.OwnerEmail)
	if err != nil {
		t.Fatal(err)
	}
	paths, changing := getPaths(t, p, cfg.Apps[0].Key)
	for end := time.Now().Add(testwait.Long); time.Now().Before(end); {
		if status, _ := e2e.Get(t, p.Base+"/readyz"); status == http.StatusOK {
			break // its answer changes no more
		}
	}
	for _, path := range append(paths, "/nowhere", "/v1/nowhere", "/v1/chats?limit=1") {
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
	for _, path := range append(changing, "/v1/tokens") {
		if head, body := fetch(t, "HEAD", p.Base+path, pair.AccessToken); head.StatusCode != http.StatusMethodNotAllowed || head.Header.Get("Allow") == "" || len(body) > 0 {
			t.Errorf("HEAD of %s: %s, Allow %q, %q", path, head.Status, head.Header.Get("Allow"), body)
		}
	}
}

// TestHeadChangesNothing sends HEAD to every route that answers GET, and compares what the
// database has. What changes without requests is left out: leases, and the setting that is
// written to see whether the database takes writes. The first answer to a HEAD is not a socket, and a socket that it
// names stays nobody's.
func TestHeadChangesNothing(t *testing.T) {
	cfg := e2e.Config(t)
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	bea, _ := owner.Hire(p)
	_, id := e2e.ConnectSocket(t, p.Base)
	paths, changing := getPaths(t, p, cfg.Apps[0].Key)
	before := testdb.Contents(t, p.Components().Store)
	for _, path := range append(paths, changing...) {
		if strings.HasPrefix(path, "/broadcasting/") {
			path += "?socket_id=" + id + "&channel_name=private-v1.users.685"
		}
		fetch(t, "HEAD", p.Base+path, owner.Token)
	}
	for _, table := range testdb.Changed(before, testdb.Contents(t, p.Components().Store)) {
		if table != "app_webhook_leases" && table != "line_nodes" && table != "settings" {
			t.Errorf("HEAD has changed the table %s", table)
		}
	}
	if status, answer := bea.Call("POST", "/broadcasting/user-auth", map[string]string{"socket_id": id}); status != http.StatusOK {
		t.Errorf("a HEAD has taken the socket: %d %s", status, answer)
	}
	sockets := p.Components().Sockets.Stats().Accepted
	for _, path := range []string{"/app/" + cfg.Apps[0].Key + "?protocol=7", "/nowhere"} {
		req, err := http.NewRequestWithContext(t.Context(), "HEAD", p.Base+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
			req.Header.Set(name, value)
		}
		res, err := uncompressed.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode == http.StatusSwitchingProtocols {
			t.Errorf("HEAD of %s became a socket", path)
		}
	}
	if n := p.Components().Sockets.Stats().Accepted; n != sockets {
		t.Errorf("HEAD has opened %d sockets", n-sockets)
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
