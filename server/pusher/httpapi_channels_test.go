package pusher_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/server/pusher"
)

// complete is an engine that implements all interfaces of the HTTP API, with a cache of
// the test's own. It records who is terminated.
type complete struct {
	*broadcasting.Engine
	cache map[string]time.Duration // remaining time of each cache channel's event

	mu         sync.Mutex
	terminated []string // guarded by mu
}

var (
	_ pusher.Cacher     = (*complete)(nil)
	_ pusher.Terminator = (*complete)(nil)
)

func (e *complete) Cached(_ context.Context, app, channel string) (data string, ttl time.Duration, ok bool, err error) {
	ttl, ok = e.cache[app+" "+channel]
	return `{"last":"of ` + channel + `"}`, ttl, ok, nil
}

func (e *complete) Terminate(_ context.Context, app, userID string) (sockets int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.terminated = append(e.terminated, app+" "+userID)
	return len(e.terminated) - 1, nil
}

// crowd makes sockets in channels, and the HTTP API over their engine.
func crowd(t *testing.T) *complete {
	h := newHarness(t)
	member := func(r *raw, channel, user string) {
		data := `{"user_id":"` + user + `"}`
		r.subscribe(channel, r.auth(channel, data), data)
		for !strings.HasPrefix(r.read(), `{"event":"pusher_internal:subscription_succeeded","channel":"`+channel+`"`) {
		}
	}
	a, b := h.connect(t), h.connect(t)
	for _, channel := range []string{"news", "a;b,c=d@e.f", "cache-news"} {
		a.subscribe(channel, "", "")
		a.expect(succeeded(channel))
	}
	b.subscribe("news", "", "")
	b.expect(succeeded("news"))
	member(a, "presence-one", "A")
	member(a, "presence-two", "A;, /%?")
	member(b, "presence-two", "A;, /%?")
	h.connect(t).enter("private-x")
	third := h.connect(t)
	member(third, "presence-two", "B")
	small := h.dial(t, "/app/small?protocol=7", nil)
	small.read()
	small.subscribe("of-another-app", "", "")
	small.expect(succeeded("of-another-app"))
	return &complete{Engine: h.engine, cache: map[string]time.Duration{"3 cache-news": 90*time.Second - 1, "3 private-cache-gone": time.Second}}
}

func expectJSON(t *testing.T, w *httptest.ResponseRecorder, want string) {
	t.Helper()
	if w.Code != 200 || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %s\nwant %s", w.Code, w.Body, want)
	}
}

func TestChannels(t *testing.T) {
	engine := crowd(t)
	h := apiOf(t, engine, atDocTime)
	off := apiOfApps(t, engine, atDocTime, docApp()) // of an app without subscription counts
	for _, test := range []struct{ prefix, info, want string }{
		{"", "", `{"channels":{"a;b,c=d@e.f":{},"cache-news":{},"news":{},"presence-one":{},"presence-two":{},"private-x":{}}}`},
		{"presence-", "", `{"channels":{"presence-one":{},"presence-two":{}}}`},
		{"presence-", "user_count", `{"channels":{"presence-one":{"user_count":1},"presence-two":{"user_count":2}}}`},
		{"presence-two", "user_count,subscription_count", `{"channels":{"presence-two":{"user_count":2,"subscription_count":3}}}`},
		{"presence-two", "user_count", `{"channels":{"presence-two":{"user_count":2}}}`},
		{"a;b,", "", `{"channels":{"a;b,c=d@e.f":{}}}`},
		{"n", "subscription_count", `{"channels":{"news":{"subscription_count":2}}}`},
		{"nobody", "", `{"channels":{}}`},
		{"of-another", "", `{"channels":{}}`},
		{"no name + at all &", "", `{"channels":{}}`},
	} {
		params := map[string]string{}
		if test.prefix != "" {
			params["filter_by_prefix"] = test.prefix
		}
		if test.info != "" {
			params["info"] = test.info
		}
		w := signed(h, "GET", "/apps/3/channels", params, "")
		t.Run(test.prefix+" "+test.info, func(t *testing.T) { expectJSON(t, w, test.want) })
	}
	w := signed(off, "GET", "/apps/3/channels", map[string]string{"filter_by_prefix": "presence-two", "info": "subscription_count,user_count"}, "")
	expectJSON(t, w, `{"channels":{"presence-two":{"user_count":2}}}`)

	const noUsers = "info may ask for user_count only with a filter_by_prefix that begins with presence-"
	for _, test := range []struct{ prefix, info, wantErr string }{
		{"", "user_count", noUsers},
		{"p", "user_count", noUsers},
		{"presence", "user_count", noUsers},
		{"private-", "subscription_count,user_count", noUsers},
		{"presence-", "cache", `info may ask for user_count and subscription_count, not for "cache"`},
		{"presence-", "user_count, subscription_count", `info may ask for user_count and subscription_count, not for " subscription_count"`},
		{"presence-", "user_count,", `info may ask for user_count and subscription_count, not for ""`},
	} {
		w := signed(h, "GET", "/apps/3/channels", map[string]string{"filter_by_prefix": test.prefix, "info": test.info}, "")
		checkError(t, w, 400, test.wantErr)
	}
}

// usersOnly is an engine that lists channels of single users.
type usersOnly struct{ *recorder }

func (usersOnly) Channels(_ context.Context, app, prefix string) (list []broadcasting.Occupancy, err error) {
	for _, name := range []string{"#server-to-user-7", "news"} {
		if strings.HasPrefix(name, prefix) {
			list = append(list, broadcasting.Occupancy{App: app, Name: name, Subscriptions: 1})
		}
	}
	return list, nil
}

// Channels of single users are listed on request.
func TestChannelsOfUsers(t *testing.T) {
	h := apiOf(t, usersOnly{new(recorder)}, atDocTime)
	expectJSON(t, signed(h, "GET", "/apps/3/channels", nil, ""), `{"channels":{"news":{}}}`)
	expectJSON(t, signed(h, "GET", "/apps/3/channels", map[string]string{"filter_by_prefix": "#server-to-user-"}, ""), `{"channels":{"#server-to-user-7":{}}}`)
}

func TestChannel(t *testing.T) {
	h := apiOf(t, crowd(t), atDocTime)
	for _, test := range []struct{ channel, info, want string }{
		{"news", "", `{"occupied":true}`},
		{"news", "subscription_count", `{"occupied":true,"subscription_count":2}`},
		{"a;b,c=d@e.f", "subscription_count", `{"occupied":true,"subscription_count":1}`},
		{"presence-two", "", `{"occupied":true}`},
		{"presence-two", "user_count,subscription_count", `{"occupied":true,"user_count":2,"subscription_count":3}`},
		{"cache-news", "cache", `{"occupied":true,"cache":{"data":"{\"last\":\"of cache-news\"}","ttl":90}}`},
		{"private-cache-gone", "cache,subscription_count", `{"occupied":false,"subscription_count":0,"cache":{"data":"{\"last\":\"of private-cache-gone\"}","ttl":1}}`},
		{"presence-cache-never", "cache,user_count", `{"occupied":false,"user_count":0,"cache":null}`},
		{"nobody", "", `{"occupied":false}`},
		{"of-another-app", "", `{"occupied":false}`},
		{"..", "", `{"occupied":false}`},
		{strings.Repeat("n", 200), "", `{"occupied":false}`},
	} {
		for _, last := range []string{"", "/stats"} {
			t.Run(fmt.Sprintf("%.40s%s %s", test.channel, last, test.info), func(t *testing.T) {
				params := map[string]string{}
				if test.info != "" {
					params["info"] = test.info
				}
				expectJSON(t, signed(h, "GET", "/apps/3/channels/"+test.channel+last, params, ""), test.want)
			})
		}
	}
	for _, test := range []struct{ channel, info, wantErr string }{
		{"news", "user_count", "info may ask for user_count only on presence channels"},
		{"private-x", "subscription_count,user_count", "info may ask for user_count only on presence channels"},
		{"news", "cache", "info may ask for cache only on cache channels"},
		{"presence-one", "cache", "info may ask for cache only on cache channels"},
		{"news", "x", `info may ask for user_count, subscription_count and cache, not for "x"`},
		{"a b", "", "channel: the name may hold only A-Z a-z 0-9 _ - = @ , . ;"},
		{"ü", "", "channel: the name may hold only A-Z a-z 0-9 _ - = @ , . ;"},
		{"a+b", "", "channel: the name may hold only A-Z a-z 0-9 _ - = @ , . ;"},
		{strings.Repeat("n", 201), "", "channel: the name is longer than 200 bytes"},
	} {
		params := map[string]string{"info": test.info}
		checkError(t, signed(h, "GET", "/apps/3/channels/"+test.channel, params, ""), 400, test.wantErr)
	}
}

func TestUsers(t *testing.T) {
	h := apiOf(t, crowd(t), atDocTime)
	for channel, want := range map[string]string{
		"presence-one":    `{"users":[{"id":"A"}]}`,
		"presence-two":    `{"users":[{"id":"A;, /%?"},{"id":"B"}]}`,
		"presence-nobody": `{"users":[]}`,
	} {
		expectJSON(t, signed(h, "GET", "/apps/3/channels/"+channel+"/users", nil, ""), want)
	}
	for _, channel := range []string{"news", "private-x", "nobody", "#server-to-user-A"} {
		checkError(t, signed(h, "GET", "/apps/3/channels/"+channel+"/users", nil, ""), 400, "only presence channels have users")
	}
	checkError(t, signed(h, "GET", "/apps/3/channels/presence-a b/users", nil, ""), 400, "channel: the name may hold only A-Z a-z 0-9 _ - = @ , . ;")
}

func TestTerminateConnections(t *testing.T) {
	engine := &complete{Engine: broadcasting.NewEngine(broadcasting.Options{})}
	h := apiOf(t, engine, atDocTime)
	ids := []string{"7", "a;b,c=d@e.f", "ü", "a b", "a+b", "50%", "a?b#c", "a/b", "/", "..", strings.Repeat("u", 200)}
	for i, id := range ids {
		path := "/apps/3/users/" + id + "/terminate_connections"
		escaped := "/apps/3/users/" + url.PathEscape(id) + "/terminate_connections"
		for _, sign := range []string{path, escaped} { // some libraries sign the one, some the other
			target := escaped + "?" + pusher.SignRequest(docKey, docSecret, "POST", sign, nil, []byte(`{}`), docTime)
			if w := serve(h, "POST", target, `{}`); w.Code != 200 || w.Body.String() != `{}` {
				t.Errorf("%q: %d %s", id, w.Code, w.Body)
			}
		}
		if got := engine.terminated; len(got) != 2*i+2 || got[2*i] != "3 "+id || got[2*i+1] != "3 "+id {
			t.Fatalf("terminated %q, want %q", got[2*i:], id)
		}
	}
	if w := signed(h, "POST", "/apps/3/users/7/terminate_connections", nil, ""); w.Code != 200 {
		t.Errorf("without a body: %d %s", w.Code, w.Body)
	}
	engine.terminated = nil
	checkError(t, signed(h, "POST", "/apps/3/users/"+strings.Repeat("u", 201)+"/terminate_connections", nil, `{}`), 400, "the user's id is over 200 bytes")
	checkError(t, signed(h, "POST", "/apps/3/users/\xff/terminate_connections", nil, `{}`), 400, "the user's id is not valid UTF-8")
	checkError(t, signed(h, "POST", "/apps/3/users/7/terminate_connections", nil, strings.Repeat(" ", 8<<10+1)), 413, "the body is over 8192 bytes")
	for _, path := range []string{"/apps/3/users/a/b/terminate_connections", "/apps/3/users/a%2Fb/terminate", "/apps/3/users/7"} {
		if w := serve(h, "POST", path, ""); w.Code != 404 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if len(engine.terminated) != 0 {
		t.Errorf("terminated %q", engine.terminated)
	}
}

// The route that old libraries use.
func TestOldEvent(t *testing.T) {
	engine := new(recorder)
	h := apiOf(t, engine, atDocTime)
	const path = "/apps/3/channels/a;b/events"
	w := signed(h, "POST", path, map[string]string{"name": "e", "socket_id": "1.2"}, `{"not":"read"`)
	want := broadcasting.Event{App: "3", Channel: "a;b", Name: "e", Data: `{"not":"read"`, Except: "1.2"}
	if got := engine.take(); w.Code != 202 || w.Body.Len() != 0 || len(got) != 1 || got[0] != want {
		t.Errorf("%d %q published %+v", w.Code, w.Body, got)
	}
	w = signed(h, "POST", path, map[string]string{"name": "e"}, "")
	if got := engine.take(); w.Code != 202 || len(got) != 1 || got[0].Data != "" {
		t.Errorf("no data: %d published %+v", w.Code, got)
	}
	for _, test := range []struct {
		path    string
		params  map[string]string
		body    string
		status  int
		wantErr string
	}{
		{path, nil, "x", 400, "name is missing"},
		{path, map[string]string{"name": "pusher:x"}, "x", 400, "name may not start with pusher: or pusher_internal:"},
		{path, map[string]string{"name": "e", "socket_id": "x"}, "x", 400, badSocketID},
		{path, map[string]string{"name": "e"}, "\xff", 400, "data is not valid UTF-8"},
		{path, map[string]string{"name": "e"}, strings.Repeat("x", 10_001), 413, "the body is over 10000 bytes"},
		{"/apps/3/channels/a b/events", map[string]string{"name": "e"}, "x", 400, "channel: the name may hold only A-Z a-z 0-9 _ - = @ , . ;"},
	} {
		checkError(t, signed(h, "POST", test.path, test.params, test.body), test.status, test.wantErr)
	}
	if got := engine.take(); len(got) != 0 {
		t.Errorf("published %+v", got)
	}
	checkError(t, signed(apiOf(t, &recorder{err: errors.New("a secret reason")}, atDocTime), "POST", path, map[string]string{"name": "e"}, "x"), 503, "the event could not be published")
}

// lostOnes is an engine that cannot answer about channels.
type lostOnes struct{ counting }

func (lostOnes) Members(context.Context, string, string) ([]string, error) {
	return nil, errors.New("a secret reason")
}

func (lostOnes) Channels(context.Context, string, string) ([]broadcasting.Occupancy, error) {
	return nil, errors.New("a secret reason")
}

func (lostOnes) Cached(context.Context, string, string) (string, time.Duration, bool, error) {
	return "", 0, false, errors.New("a secret reason")
}

func (lostOnes) Terminate(context.Context, string, string) (int, error) {
	return 1, errors.New("a secret reason")
}

// What the engine does not know is reported as an error, not guessed.
func TestEngineThatCannot(t *testing.T) {
	h := apiOf(t, lostOnes{counting{new(recorder)}}, atDocTime)
	checkError(t, signed(h, "GET", "/apps/3/channels/lost", nil, ""), 503, "the counts are not available now")
	checkError(t, signed(h, "GET", "/apps/3/channels/presence-x/users", nil, ""), 503, "the users are not available now")
	checkError(t, signed(h, "GET", "/apps/3/channels", nil, ""), 503, "the channels are not available now")
	checkError(t, signed(h, "GET", "/apps/3/channels/cache-a", map[string]string{"info": "cache"}, ""), 503, "the cache is not available now")
	checkError(t, signed(h, "POST", "/apps/3/users/7/terminate_connections", nil, `{}`), 503, "not every connection of the user could be terminated")
	bare := apiOf(t, new(recorder), atDocTime)
	const cannot = "this server cannot answer that"
	for _, path := range []string{"/apps/3/channels", "/apps/3/channels/a", "/apps/3/channels/presence-a/users"} {
		checkError(t, signed(bare, "GET", path, nil, ""), 503, cannot)
	}
	checkError(t, signed(bare, "GET", "/apps/3/channels/cache-a", map[string]string{"info": "cache"}, ""), 503, cannot)
	checkError(t, signed(bare, "POST", "/apps/3/users/7/terminate_connections", nil, `{}`), 503, cannot)
}

// many is an engine with very many channels.
type many struct{ *recorder }

func (many) Channels(context.Context, string, string) ([]broadcasting.Occupancy, error) {
	list := make([]broadcasting.Occupancy, 10_000)
	for i := range list {
		list[i] = broadcasting.Occupancy{Name: fmt.Sprintf("private-my.users.%d", i), Subscriptions: 1}
	}
	return list, nil
}

// A large answer is compressed on request.
func TestLargeAnswer(t *testing.T) {
	h := apiOf(t, many{new(recorder)}, atDocTime)
	plain := signed(h, "GET", "/apps/3/channels", nil, "")
	if plain.Code != 200 || plain.Body.Len() < 200_000 || plain.Header().Get("Content-Encoding") != "" || !strings.Contains(plain.Header().Get("Vary")+strings.Join(plain.Header().Values("Vary"), ","), "Accept-Encoding") {
		t.Fatalf("%d, %d bytes, %v", plain.Code, plain.Body.Len(), plain.Header())
	}
	target := "/apps/3/channels?" + pusher.SignRequest(docKey, docSecret, "GET", "/apps/3/channels", nil, nil, docTime)
	for accept, zipped := range map[string]bool{
		"gzip": true, "gzip,deflate": true, "br, GZIP;q=0.5": true, "*": true, "deflate, *;q=0.1": true,
		"": false, "br": false, "gzip;q=0": false, "gzip;q=0, *": false, "*;q=0": false, "gzip;q=x": false, "xgzip": false,
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", target, nil)
		r.Header.Set("Accept-Encoding", accept)
		h.ServeHTTP(w, r)
		if (w.Header().Get("Content-Encoding") == "gzip") != zipped {
			t.Errorf("%q: %v", accept, w.Header())
		}
		if !zipped {
			continue
		}
		reader, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(reader); err != nil || string(text) != plain.Body.String() {
			t.Errorf("%q: decompressed to %d bytes, %v", accept, len(text), err)
		}
	}
	var answer struct{ Channels map[string]struct{} }
	if err := json.Unmarshal(plain.Body.Bytes(), &answer); err != nil || len(answer.Channels) != 10_000 {
		t.Errorf("%d channels, %v", len(answer.Channels), err)
	}
}
