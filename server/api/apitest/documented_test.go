package apitest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"chatcast/server/api/apitest"
)

// listener is a testing.TB that only records its failures.
type listener struct {
	testing.TB
	mu         sync.Mutex
	violations []string
}

func (l *listener) Errorf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violations = append(l.violations, fmt.Sprintf(format, args...))
}

func (l *listener) heard() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.violations, "\n")
}

// answer returns a handler that always gives the same answer.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const (
	object  = "application/json; charset=utf-8"
	refusal = `{"success":false,"error":{"code":"ApiNotFoundError","message":"no"}}`
	read    = `{"payload":{"data":[{"chat":{"id":"1"},"edited":null%s}],"meta":{"type":"chatRead","licenseId":1,"messengerType":"telegram","eventId":1}}}`
)

func listed(event, more string) string {
	return `{"success":true,"data":{"items":[{"id":1,"event":"` + event + `","channel":"private-v1.users.1","time":1,"data":` +
		fmt.Sprintf(read, more) + `}],"nextAfter":1,"lastId":1}}`
}

// TestDocumentedSees spoils an answer or a request in each way that must be detected.
func TestDocumentedSees(t *testing.T) {
	const events = "GET /v1/events?channel=private-v1.users.1"
	for name, c := range map[string]struct {
		request, body string
		answer        http.HandlerFunc
		want          string // of the error; empty: none
	}{
		"what is right":               {"GET /healthz", "", answer(200, object, `{"status":"ok"}`), ""},
		"a route":                     {"GET /v1/secrets", "", answer(200, object, `{}`), "no such operation"},
		"a route that is not there":   {"GET /v1/secrets", "", answer(404, object, `{}`), ""},
		"a route that is not offered": {"PUT /dify/update/1/shop", "", answer(501, object, `{}`), ""},
		"a method":                    {"DELETE /healthz", "", answer(200, object, `{}`), "no such operation"},
		"a status":                    {"GET /healthz", "", answer(418, object, `{"status":"ok"}`), "status 418 is not among"},
		"a status that nobody wrote":  {"GET /readyz", "", func(http.ResponseWriter, *http.Request) {}, "Content-Type"},
		"a field too many":            {"GET /healthz", "", answer(200, object, `{"status":"ok","secret":1}`), "secret"},
		"a field too few":             {"GET /healthz", "", answer(200, object, `{}`), "status"},
		"a type":                      {"GET /healthz", "", answer(200, object, `{"status":1}`), "status"},
		"no type of the content":      {"GET /healthz", "", answer(200, "", `{"status":"ok"}`), "Content-Type"},
		"another type of the content": {"GET /healthz", "", answer(200, "text/html", `{"status":"ok"}`), "Content-Type"},
		"what is no JSON":             {"GET /healthz", "", answer(200, object, `ok`), "body"},
		"an error of another shape":   {"GET /v1/me", "", answer(403, object, refusal), "ApiNotFoundError"},
		"a header that is missing":    {"POST /v1/tokens", "{}", answer(429, object, strings.Replace(refusal, "NotFound", "TooManyRequests", 1)), "Retry-After"},
		"a parameter":                 {"GET /v1/tags?secret=1", "", answer(200, object, `{"success":true,"data":{"items":[],"nextPage":null}}`), `"secret" is not documented`},
		"a body that was taken":       {"POST /v1/levels", `{"name":1}`, answer(200, object, `{"success":true,"data":{"id":1,"name":"x","sort":1}}`), "request"},
		"a body that was refused":     {"POST /v1/levels", `{"name":1}`, answer(422, object, `{"success":false,"error":{"code":"ApiValidationError","message":"no","fields":{"name":"no"}}}`), ""},
		"events that are right":       {events, "", answer(200, object, listed("chatRead", "")), ""},
		"an event":                    {events, "", answer(200, object, listed("chatSecret", "")), "no schema of the event"},
		"a field of an event":         {events, "", answer(200, object, listed("chatRead", `,"secret":1`)), "secret"},
	} {
		t.Run(name, func(t *testing.T) {
			heard := &listener{TB: t}
			method, target, _ := strings.Cut(c.request, " ")
			apitest.Documented(heard, c.answer, nil).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, target, strings.NewReader(c.body)))
			if got := heard.heard(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("heard %q, want %q", got, c.want)
			}
		})
	}
}

func TestCheckFrame(t *testing.T) {
	frame := func(event, channel, more string) string {
		return fmt.Sprintf(`{"event":%q,"channel":%q,"data":%q}`, event, channel, fmt.Sprintf(read, more))
	}
	const line = "private-v1.licenses.1.messengers.telegram"
	for text, sound := range map[string]bool{
		frame("chatRead", line, ""):                               true,
		frame("chatRead", line, `,"secret":1`):                    false,
		frame("chatSecret", line, ""):                             false,
		frame("shipped", "orders", `,"secret":1`):                 true, // a user's own event
		`{"event":"pusher:pong","data":{}}`:                       true,
		`{"event":"chatRead","channel":"` + line + `","data":{}}`: false,
		`{"event":`: false,
	} {
		if err := apitest.CheckFrame([]byte(text)); (err == nil) != sound {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestDocumentedLetsThrough checks that an answer is passed on as it is written, not at
// its end, and that a request may become a socket.
func TestDocumentedLetsThrough(t *testing.T) {
	goOn := make(chan struct{})
	srv := httptest.NewServer(apitest.Documented(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/app/key" {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\nhello\n")
			_ = conn.Close()
			return
		}
		w.Header().Set("Content-Type", object)
		_, _ = io.WriteString(w, `{"status":`)
		w.(http.Flusher).Flush()
		<-goOn
		_, _ = io.WriteString(w, `"ok"}`)
	}), nil))
	t.Cleanup(srv.Close)

	res, err := http.Get(srv.URL + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, len(`{"status":`))
	if _, err := io.ReadFull(res.Body, first); err != nil { // before the rest is written
		t.Error(err)
	}
	close(goOn)
	rest, err := io.ReadAll(res.Body)
	if err != nil || string(first)+string(rest) != `{"status":"ok"}` {
		t.Errorf("%s%s, %v", first, rest, err)
	}
	res.Body.Close()

	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /app/key?protocol=7 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil || !strings.HasSuffix(string(all), "hello\n") {
		t.Errorf("%s, %v", all, err)
	}
}
