package pusher_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	sdk "github.com/pusher/pusher-http-go/v5"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/server"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

func init() { gin.SetMode(gin.ReleaseMode) }

// recorder is an engine that records what was published.
type recorder struct {
	err error

	mu     sync.Mutex
	events []broadcasting.Event // guarded by mu
}

func (r *recorder) Publish(_ context.Context, ev broadcasting.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.events = append(r.events, ev)
	}
	return r.err
}

func (r *recorder) take() []broadcasting.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.events
	r.events = nil
	return events
}

// counting is a recorder that also counts subscribers.
type counting struct{ *recorder }

func (counting) Count(_ context.Context, app, channel string) (subscriptions, users int, err error) {
	if channel == "lost" {
		return 0, 0, errors.New("a secret reason")
	}
	return len(channel), len(app), nil
}

// docTime is the time of the signatures in Pusher's documentation.
var docTime = time.Unix(1353088179, 0)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func apiOf(t testing.TB, engine pusher.Publisher, now func() time.Time, more ...apps.App) http.Handler {
	t.Helper()
	app := docApp()
	app.SubscriptionCount = true
	return apiOfApps(t, engine, now, append([]apps.App{app}, more...)...)
}

// apiOfApps is apiOf with only these apps.
func apiOfApps(t testing.TB, engine pusher.Publisher, now func() time.Time, apps ...apps.App) http.Handler {
	t.Helper()
	return apiWith(t, &pusher.HTTPAPI{Apps: newApps(t, apps...), Engine: engine, Log: quiet(), Now: now})
}

// apiWith serves an API.
func apiWith(t testing.TB, h *pusher.HTTPAPI) http.Handler {
	t.Helper()
	r, err := server.NewRouter(server.RouterOptions{Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	h.Register(r)
	r.NoRoute(func(c *gin.Context) { h.NotFound(c) })
	return apitest.Documented(t, r, nil)
}

// signed sends a signed request to the documentation's app. path is not escaped.
func signed(h http.Handler, method, path string, params map[string]string, body string) *httptest.ResponseRecorder {
	query := pusher.SignRequest(docKey, docSecret, method, path, params, []byte(body), docTime)
	return serve(h, method, (&url.URL{Path: path}).EscapedPath()+"?"+query, body)
}

func atDocTime() time.Time { return docTime }

func serve(h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w
}

// publish posts a signed body to the documentation's app.
func publish(h http.Handler, body string) *httptest.ResponseRecorder {
	query := pusher.SignRequest(docKey, docSecret, "POST", "/apps/3/events", nil, []byte(body), docTime)
	return serve(h, "POST", "/apps/3/events?"+query, body)
}

const (
	docBody  = `{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}`
	docQuery = "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0&body_md5=ec365a775a4cd0599faeb73354201b6f"
	docSig   = "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"
)

func TestDocumentedRequest(t *testing.T) {
	engine := new(recorder)
	w := serve(apiOf(t, engine, atDocTime), "POST", "/apps/3/events?"+docQuery+"&auth_signature="+docSig, docBody)
	if w.Code != 200 || w.Body.String() != "{}" || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	want := broadcasting.Event{App: "3", Channel: "project-3", Name: "foo", Data: `{"some":"data"}`}
	if got := engine.take(); len(got) != 1 || got[0] != want {
		t.Errorf("published %+v, want %+v", got, want)
	}
	if got := pusher.SignRequest(docKey, docSecret, "POST", "/apps/3/events", nil, []byte(docBody), docTime); got != docQuery+"&auth_signature="+docSig {
		t.Errorf("SignRequest = %s", got)
	}
}

func TestPublish(t *testing.T) {
	long := strings.Repeat("é", 5000) // 10,000 bytes
	for name, test := range map[string]struct {
		body string
		want []broadcasting.Event
	}{
		"channel":       {`{"name":"e","channel":"a","data":"x"}`, []broadcasting.Event{{App: "3", Channel: "a", Name: "e", Data: "x"}}},
		"empty data":    {`{"name":"e","channel":"a","data":""}`, []broadcasting.Event{{App: "3", Channel: "a", Name: "e"}}},
		"largest data":  {`{"name":"e","channel":"a","data":"` + long + `"}`, []broadcasting.Event{{App: "3", Channel: "a", Name: "e", Data: long}}},
		"escaped data":  {`{"name":"e","channel":"a","data":"` + strings.Repeat(`\u0001`, 10_000) + `"}`, []broadcasting.Event{{App: "3", Channel: "a", Name: "e", Data: strings.Repeat("\x01", 10_000)}}},
		"longest name":  {`{"name":"` + strings.Repeat("n", 200) + `","channel":"a","data":"x"}`, []broadcasting.Event{{App: "3", Channel: "a", Name: strings.Repeat("n", 200), Data: "x"}}},
		"client- event": {`{"name":"client-e","channel":"a","data":"x"}`, []broadcasting.Event{{App: "3", Channel: "a", Name: "client-e", Data: "x"}}},
		"exclusion":     {`{"name":"e","channels":["a"],"data":"x","socket_id":"1.2"}`, []broadcasting.Event{{App: "3", Channel: "a", Name: "e", Data: "x", Except: "1.2"}}},
		"no exclusion":  {`{"name":"e","channels":["a"],"data":"x","socket_id":null,"info":null}`, []broadcasting.Event{{App: "3", Channel: "a", Name: "e", Data: "x"}}},
		"several, once": {`{"name":"e","channels":["b","a;x","b"],"data":"x"}`, []broadcasting.Event{{App: "3", Channel: "b", Name: "e", Data: "x"}, {App: "3", Channel: "a;x", Name: "e", Data: "x"}}},
		"short socket":  {`{"name":"e","channels":["a"],"data":"x","socket_id":"123123"}`, []broadcasting.Event{{App: "3", Channel: "a", Name: "e", Data: "x", Except: "123123"}}},
		"several encrypted": {`{"name":"e","channels":["private-encrypted-a","b","private-encrypted-c"],"data":"x"}`, []broadcasting.Event{
			{App: "3", Channel: "private-encrypted-a", Name: "e", Data: "x"}, {App: "3", Channel: "b", Name: "e", Data: "x"}, {App: "3", Channel: "private-encrypted-c", Name: "e", Data: "x"}}},
		"encrypted":                   {`{"name":"e","channels":["private-encrypted-a"],"data":"x"}`, []broadcasting.Event{{App: "3", Channel: "private-encrypted-a", Name: "e", Data: "x"}}},
		"fields of fields, not twice": {`{"tags":{"name":1,"data":[{"name":2}]},"name":"e","channels":["a"],"data":"\"name\":"}`, []broadcasting.Event{{App: "3", Channel: "a", Name: "e", Data: `"name":`}}},
		"unknown fields":              {`{"name":"e","channels":["a"],"data":"x","tags":{"a":1}}`, []broadcasting.Event{{App: "3", Channel: "a", Name: "e", Data: "x"}}},
	} {
		t.Run(name, func(t *testing.T) {
			engine := new(recorder)
			w := publish(apiOf(t, engine, atDocTime), test.body)
			if w.Code != 200 || w.Body.String() != "{}" {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if got := engine.take(); !slices.Equal(got, test.want) {
				t.Errorf("published %.200v, want %.200v", fmt.Sprint(got), fmt.Sprint(test.want))
			}
		})
	}
}

func names(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("c%d", i)
	}
	text, _ := json.Marshal(list)
	return string(text)
}

func TestPublishRefuses(t *testing.T) {
	engine := new(recorder)
	h := apiOf(t, engine, atDocTime)
	for name, test := range map[string]struct {
		body    string
		status  int
		wantErr string
	}{
		"no JSON":            {`{"name":`, 400, "the body is not JSON: unexpected end of JSON input"},
		"two values":         {`{"name":"e","channel":"a","data":"x"} {}`, 400, "the body is not JSON: invalid character '{' after top-level value"},
		"an array":           {`[]`, 400, "the body must be a JSON object, not array"},
		"a form":             {`name=e&channel=a&data=x`, 400, "the body is not JSON: invalid character 'a' in literal null (expecting 'u')"},
		"null":               {`null`, 400, "the body must be a JSON object, not null"},
		"a number":           {`5`, 400, "the body must be a JSON object, not number"},
		"blank":              {" \n", 400, "the body is not JSON: unexpected end of JSON input"},
		"NaN":                {`{"name":NaN,"channel":"a","data":"x"}`, 400, "the body is not JSON: invalid character 'N' looking for beginning of value"},
		"infinity":           {`{"name":"e","channel":"a","data":"x","tags":-Infinity}`, 400, "the body is not JSON: invalid character 'I' in numeric literal"},
		"nested deep":        {`{"name":"e","tags":` + strings.Repeat("[", 12_000) + `}`, 400, "the body is not JSON: invalid character '[' exceeded max depth"},
		"name twice":         {`{"name":"e","channel":"a","data":"x","name":"f"}`, 400, "name is given twice"},
		"data twice":         {`{"name":"e","data":"x","channel":"a","d\u0061ta":"y"}`, 400, "data is given twice"},
		"channel twice":      {`{"name":"e","tags":{"channel":["{\"}"]},"channel":"a","data":"x","Channel":"b"}`, 400, "channel is given twice"},
		"channels twice":     {`{"channels":["a"],"name":"e","channels":["a"],"data":"x"}`, 400, "channels is given twice"},
		"socket twice":       {`{"name":"e","channel":"a","data":"x","socket_id":"1.1","socket_id":null}`, 400, "socket_id is given twice"},
		"info twice":         {`{"name":"e","channel":"a","data":"x","info":"","info":""}`, 400, "info is given twice"},
		"name of 1 MB":       {`{"name":"` + strings.Repeat("n", 1<<20) + `","channel":"a","data":"x"}`, 413, "the body is over 88992 bytes"},
		"channel of 50 kB":   {`{"name":"e","channel":"` + strings.Repeat("c", 50_000) + `","data":"x"}`, 400, "channels[0]: the name is longer than 200 bytes"},
		"object as name":     {`{"name":{},"channel":"a","data":"x"}`, 400, "name may not be object"},
		"true as data":       {`{"name":"e","channel":"a","data":true}`, 400, "data must be a string, not bool: encode the JSON yourself"},
		"number as data":     {`{"name":"e","channel":"a","data":1e400}`, 400, "data must be a string, not number: encode the JSON yourself"},
		"object as channel":  {`{"name":"e","channel":{},"data":"x"}`, 400, "channel may not be object"},
		"object as channels": {`{"name":"e","channels":{},"data":"x"}`, 400, "channels may not be object"},
		"list as info":       {`{"name":"e","channel":"a","data":"x","info":["user_count"]}`, 400, "info may not be array"},
		"not UTF-8":          {"{\"name\":\"e\",\"channel\":\"a\",\"data\":\"\xff\"}", 400, "the body is not valid UTF-8"},
		"no name":            {`{"channel":"a","data":"x"}`, 400, "name is missing"},
		"a number as name":   {`{"name":5,"channel":"a","data":"x"}`, 400, "name may not be number"},
		"long name":          {`{"name":"` + strings.Repeat("n", 201) + `","channel":"a","data":"x"}`, 400, "name is over 200 bytes"},
		"protocol's name":    {`{"name":"pusher:ping","channel":"a","data":"x"}`, 400, "name may not start with pusher: or pusher_internal:"},
		"protocol's name 2":  {`{"name":"pusher_internal:x","channel":"a","data":"x"}`, 400, "name may not start with pusher: or pusher_internal:"},
		"no data":            {`{"name":"e","channel":"a"}`, 400, "data is missing: it must be a string, which may be empty"},
		"null data":          {`{"name":"e","channel":"a","data":null}`, 400, "data is missing: it must be a string, which may be empty"},
		"an object as data":  {`{"name":"e","channel":"a","data":{"a":1}}`, 400, "data must be a string, not object: encode the JSON yourself"},
		"large data":         {`{"name":"e","channel":"a","data":"` + strings.Repeat("x", 10_001) + `"}`, 413, "data: the content of this event is over 10000 bytes"},
		"large body":         {`{"name":"e","channel":"a","data":"` + strings.Repeat("x", 200_000) + `"}`, 413, "the body is over 88992 bytes"},
		"no channel":         {`{"name":"e","data":"x"}`, 400, "channels is missing"},
		"empty channels":     {`{"name":"e","channels":[],"data":"x"}`, 400, "channels is missing"},
		"channel, channels":  {`{"name":"e","channel":"a","channels":["b"],"data":"x"}`, 400, "give channel or channels, not both"},
		"a string as list":   {`{"name":"e","channels":"a","data":"x"}`, 400, "channels may not be string"},
		"number in the list": {`{"name":"e","channels":["a",1],"data":"x"}`, 400, "channels may not be number"},
		"empty channel":      {`{"name":"e","channels":["a",""],"data":"x"}`, 400, "channels[1]: the name is empty"},
		"bad channel":        {`{"name":"e","channels":["a b"],"data":"x"}`, 400, "channels[0]: the name may hold only A-Z a-z 0-9 _ - = @ , . ;"},
		"long channel":       {`{"name":"e","channel":"` + strings.Repeat("c", 201) + `","data":"x"}`, 400, "channels[0]: the name is longer than 200 bytes"},
		"101 channels":       {`{"name":"e","channels":` + names(101) + `,"data":"x"}`, 400, "101 channels are named, at most 100 are allowed"},
		"a user without id":  {`{"name":"e","channels":["#server-to-user-"],"data":"x"}`, 400, "channels[0]: a user id must have 1 to 128 characters, none of them a control character"},
		"bad socket":         {`{"name":"e","channels":["a"],"data":"x","socket_id":"1."}`, 400, badSocketID},
		"smuggling socket":   {`{"name":"e","channels":["a"],"data":"x","socket_id":"1.1:private-a"}`, 400, badSocketID},
		"undefined socket":   {`{"name":"e","channels":["a"],"data":"x","socket_id":"undefined"}`, 400, badSocketID},
		"long socket":        {`{"name":"e","channels":["a"],"data":"x","socket_id":"` + strings.Repeat("1", 21) + `"}`, 400, badSocketID},
		"number as socket":   {`{"name":"e","channels":["a"],"data":"x","socket_id":1.5}`, 400, "socket_id may not be number"},
		"unknown info":       {`{"name":"e","channels":["a"],"data":"x","info":"cache"}`, 400, `info may ask for user_count and subscription_count, not for "cache"`},
		"no counts":          {`{"name":"e","channels":["a"],"data":"x","info":"user_count"}`, 400, "info: this server does not count user_count"},
	} {
		t.Run(name, func(t *testing.T) {
			w := publish(h, test.body)
			checkError(t, w, test.status, test.wantErr)
			if got := engine.take(); len(got) != 0 {
				t.Errorf("a refused event was published: %+v", got)
			}
		})
	}
}

const badSocketID = "socket_id must be digits, or digits, a dot and digits"

func checkError(t *testing.T, w *httptest.ResponseRecorder, status int, wantErr string) {
	t.Helper()
	want, _ := json.Marshal(struct {
		Error  string `json:"error"`
		Status int    `json:"status"`
	}{wantErr, status})
	if w.Code != status || w.Body.String() != string(want) || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %s, want %s", w.Code, w.Body, want)
	}
}

func TestPublishInfo(t *testing.T) {
	h := apiOf(t, counting{new(recorder)}, atDocTime)
	for info, want := range map[string]string{
		"user_count":                    `{"channels":{"another":{},"presence-x":{"user_count":1}}}`,
		"subscription_count":            `{"channels":{"another":{"subscription_count":7},"presence-x":{"subscription_count":10}}}`,
		"user_count,subscription_count": `{"channels":{"another":{"subscription_count":7},"presence-x":{"user_count":1,"subscription_count":10}}}`,
	} {
		w := publish(h, `{"name":"e","channels":["presence-x","another"],"data":"x","info":"`+info+`"}`)
		if w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s, want %s", info, w.Code, w.Body, want)
		}
	}
	// An app with the setting off does not report subscription counts.
	off := apiOfApps(t, counting{new(recorder)}, atDocTime, docApp())
	w := publish(off, `{"name":"e","channels":["presence-x","another"],"data":"x","info":"user_count,subscription_count"}`)
	if want := `{"channels":{"another":{},"presence-x":{"user_count":1}}}`; w.Code != 200 || w.Body.String() != want {
		t.Errorf("the switch is off: %d %s, want %s", w.Code, w.Body, want)
	}
	w = publish(h, `{"name":"e","channels":["lost"],"data":"x","info":"user_count"}`)
	checkError(t, w, 503, "the event is published, but the counts are not available now")
}

func TestPublishFails(t *testing.T) {
	w := publish(apiOf(t, &recorder{err: errors.New("a secret reason")}, atDocTime), docBody)
	checkError(t, w, 503, "the event could not be published to project-3; channels named before it have it")
}

// The official Go library, unmodified.
func TestPusherHTTPGo(t *testing.T) {
	engine := counting{new(recorder)}
	srv := httptest.NewServer(apiOf(t, engine, nil))
	defer srv.Close()
	client := sdk.Client{AppID: "3", Key: docKey, Secret: docSecret, Host: strings.TrimPrefix(srv.URL, "http://"), HTTPClient: srv.Client()}

	if err := client.Trigger("a;b,c=d@e.f", "e + & ü", map[string]string{"text": "ü & + %"}); err != nil {
		t.Fatal(err)
	}
	want := broadcasting.Event{App: "3", Channel: "a;b,c=d@e.f", Name: "e + & ü", Data: `{"text":"ü \u0026 + %"}`}
	if got := engine.take(); len(got) != 1 || got[0] != want {
		t.Errorf("published %+v, want %+v", got, want)
	}

	socket, info := "1.2", "user_count,subscription_count"
	counts, err := client.TriggerMultiWithParams([]string{"presence-a", "b"}, "e", "plain", sdk.TriggerParams{SocketID: &socket, Info: &info})
	if err != nil {
		t.Fatal(err)
	}
	if c := counts.Channels["presence-a"]; c.UserCount == nil || *c.UserCount != 1 || c.SubscriptionCount == nil || *c.SubscriptionCount != 10 {
		t.Errorf("counts %+v", counts)
	}
	if got := engine.take(); len(got) != 2 || got[0].Except != socket || got[1].Data != "plain" {
		t.Errorf("published %+v", got)
	}

	client.Secret = "wrong"
	if err := client.Trigger("a", "e", "x"); err == nil || !strings.Contains(err.Error(), "auth_signature") {
		t.Errorf("a wrong secret: %v", err)
	}
	if got := engine.take(); len(got) != 0 {
		t.Errorf("published %+v", got)
	}

	client.Secret, client.EncryptionMasterKeyBase64 = docSecret, "zyrm8pvV2C9fJcBfhyXzvxbJVN/H7QLmbe0xJi1GhPU="
	if err := client.Trigger("private-encrypted-bla", "e", "x"); err != nil {
		t.Fatal(err)
	}
	if got := engine.take(); len(got) != 1 || !strings.Contains(got[0].Data, "ciphertext") {
		t.Errorf("published %+v", got)
	}
}

// A client that hangs up in the middle of its body publishes nothing.
func TestPublishTruncated(t *testing.T) {
	engine := new(recorder)
	query := pusher.SignRequest(docKey, docSecret, "POST", "/apps/3/events", nil, []byte(docBody), docTime)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/apps/3/events?"+query, io.MultiReader(strings.NewReader(docBody), brokenReader{}))
	apiOf(t, engine, atDocTime).ServeHTTP(w, r)
	checkError(t, w, 400, "the body could not be read to its end")
	if got := engine.take(); len(got) != 0 {
		t.Errorf("published %+v", got)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
