package conformance

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// param is one pair of a query. The signed pairs and the sent ones may differ.
type param struct{ key, value string }

// call is one request of the HTTP API, made invalid where a case needs it.
type call struct {
	app    App
	method string
	path   string // below /apps/ID, with its slash
	id     string // in the path; the app's when empty
	params []param
	body   string

	at      time.Time                       // auth_timestamp, now when zero
	spoil   func(signed []param) []param    // changes the query before it is signed
	after   func(query []param) []param     // changes the query after it is signed
	escape  func(string) string             // escapes keys and values, url.QueryEscape when nil
	headers map[string]string               // additional headers
	swap    func(body string) (sent string) // replaces the body after it is signed
	endless bool                            // the server may hang up before it has the whole body
}

// answer is a response of the HTTP API.
type answer struct {
	x      *exchange
	status int
	body   string
	header http.Header
}

// md5Of returns the hex MD5 of a body, as the protocol requires it.
func md5Of(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// stringToSign returns METHOD, path and the sorted query, unescaped.
func stringToSign(method, path string, query []param) string {
	pairs := make([]string, len(query))
	sorted := append([]param(nil), query...)
	for i := range sorted {
		sorted[i].key = strings.ToLower(sorted[i].key)
	}
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].key < sorted[j].key })
	for i, p := range sorted {
		pairs[i] = p.key + "=" + p.value
	}
	return method + "\n" + path + "\n" + strings.Join(pairs, "&")
}

// do signs the call and sends it.
func (x *exchange) do(c call) *answer {
	if c.app == (App{}) {
		c.app = x.target.App
	}
	if c.id == "" {
		c.id = c.app.ID
	}
	if c.at.IsZero() {
		c.at = time.Now()
	}
	if c.escape == nil {
		c.escape = url.QueryEscape
	}
	path := "/apps/" + c.id + c.path
	query := append(append([]param(nil), c.params...),
		param{"auth_key", c.app.Key}, param{"auth_timestamp", strconv.FormatInt(c.at.Unix(), 10)}, param{"auth_version", "1.0"})
	if c.body != "" {
		query = append(query, param{"body_md5", md5Of(c.body)})
	}
	if c.spoil != nil {
		query = c.spoil(query)
	}
	query = append(query, param{"auth_signature", mac(c.app.Secret, stringToSign(c.method, path, query))})
	if c.after != nil {
		query = c.after(query)
	}
	body := c.body
	if c.swap != nil {
		body = c.swap(body)
	}
	return x.transmit(c, path, query, body)
}

func (x *exchange) transmit(c call, path string, query []param, body string) *answer {
	pairs := make([]string, len(query))
	for i, p := range query {
		pairs[i] = c.escape(p.key) + "=" + c.escape(p.value)
	}
	req, err := http.NewRequest(c.method, x.target.HTTP, strings.NewReader(body))
	if err != nil {
		x.failf("%v", err)
	}
	req.URL.Path, req.URL.RawQuery = path, strings.Join(pairs, "&")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range c.headers {
		req.Header.Set(name, value)
	}
	if c.endless {
		res, err := x.httpClient().Do(req)
		var late net.Error
		switch {
		case err == nil:
			return x.answerOf(res)
		case errors.As(err, &late) && late.Timeout():
			x.failf("%s %s: %v", req.Method, req.URL.Path, err)
		}
		x.notef("the server hung up while the body was sent")
		return &answer{x: x, status: http.StatusRequestEntityTooLarge}
	}
	return x.plain(req)
}

func (x *exchange) answerOf(res *http.Response) *answer {
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxFrame))
	if err != nil {
		x.failf("reading the answer: %v", err)
	}
	return &answer{x: x, status: res.StatusCode, body: strings.TrimSpace(string(body)), header: res.Header}
}

// is expects one of the statuses.
func (a *answer) is(what string, statuses ...int) *answer {
	for _, s := range statuses {
		if a.status == s {
			return a
		}
	}
	a.x.failf("%s: %d %s, want status %v", what, a.status, a.body, statuses)
	return nil
}

// exists is like is, for the first request of a feature: a server without the feature
// has no such route.
func (a *answer) exists(what string) *answer {
	if a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed || a.status == http.StatusNotImplemented {
		a.x.absentf("%s: %d %s", what, a.status, a.body)
	}
	return a.is(what, http.StatusOK)
}

// says expects 200 and JSON that equals want, with its keys in any order.
func (a *answer) says(what, want string) {
	a.is(what, http.StatusOK)
	if !sameJSON(a.body, want) {
		a.x.failf("%s: got %s, want %s", what, a.body, want)
	}
}

// into decodes the body into v.
func (a *answer) into(v any) {
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		a.x.failf("the answer %s is not JSON as expected: %v", a.body, err)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	return jsonOf(x) == jsonOf(y) // Marshal sorts the keys of maps
}

// post publishes with this body.
func (x *exchange) post(body any) *answer {
	return x.do(call{method: "POST", path: "/events", body: jsonOf(body)})
}

// publish publishes one event and expects it to be accepted.
func (x *exchange) publish(channel, name, data string) {
	x.post(map[string]any{"name": name, "channels": []string{channel}, "data": data}).is("publishing", http.StatusOK)
}

func (x *exchange) get(path string, params ...param) *answer {
	return x.do(call{method: "GET", path: path, params: params})
}
