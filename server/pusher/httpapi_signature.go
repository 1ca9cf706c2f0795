package pusher

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"chatcast/server"
)

// The signature of a request to the HTTP API:
//
//	METHOD \n path \n key=value&key=value...
//
// with the keys in lower case and sorted, the values not escaped, auth_signature
// left out, and body_md5 (hex, of the raw body) whenever there is a body.

// maxClockSkew is how far auth_timestamp may be from our clock, in either direction.
const maxClockSkew = 600 * time.Second

// param is one parameter of a query.
type param struct{ key, value string }

// query is the parameters of a request in the order of the URL, with keys in lower
// case.
type query []param

// get returns the value of a parameter, "" if there is none.
func (q query) get(key string) string {
	for _, p := range q {
		if p.key == key {
			return p.value
		}
	}
	return ""
}

// all returns the values of a list: key[]=a&key[]=b.
func (q query) all(key string) (values []string) {
	for _, p := range q {
		if p.key == key+"[]" {
			values = append(values, p.value)
		}
	}
	return values
}

// splitQuery splits a raw query and decodes each key and value. net/url is not used,
// because it drops a pair with ";", which channel names may contain.
func splitQuery(raw string, decode func(string) (string, error)) (query, error) {
	q := make(query, 0, 8)
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		key, err := decode(k)
		if err != nil {
			return nil, err
		}
		value, err := decode(v)
		if err != nil {
			return nil, err
		}
		q = append(q, param{strings.ToLower(key), value})
	}
	return q, nil
}

// The libraries write values in different ways: literally (Go, Node), with %XX escapes,
// and as a form, where + is a space (PHP). The signature covers the value itself, so
// each decoding is tried, the literal one first.
var decodings = []func(string) (string, error){
	func(s string) (string, error) { return s, nil },
	url.PathUnescape,
	url.QueryUnescape,
}

var errAmbiguous = errors.New("a parameter is given twice, or in two spellings that differ only by case")

// checkUnique refuses a repeated parameter, so that the signer and the reader of a
// request cannot use different values. Only lists, key[], may repeat.
func (q query) checkUnique() error {
	seen := make(map[string]bool, len(q))
	for _, p := range q {
		if seen[p.key] && !strings.HasSuffix(p.key, "[]") {
			return errAmbiguous
		}
		seen[p.key] = true
	}
	return nil
}

// canonical returns the query as it is signed.
func (q query) canonical() string {
	sorted := make(query, 0, len(q))
	for _, p := range q {
		if p.key != "auth_signature" {
			sorted = append(sorted, p)
		}
	}
	slices.SortStableFunc(sorted, func(a, b param) int { return strings.Compare(a.key, b.key) })
	var b strings.Builder
	size := 0
	for _, p := range sorted {
		size += len(p.key) + len(p.value) + 2
	}
	b.Grow(size)
	for i, p := range sorted {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.key)
		b.WriteByte('=')
		b.WriteString(p.value)
	}
	return b.String()
}

// verifyRequest checks the signature of r for the app that the path names (nil: there
// is none). It returns the parameters as decoded for the signature, or an error with
// status 401, or 403 when the request is valid but the app is disabled.
//
// Of the body only its MD5 is signed, so a request is verified before its body is read,
// and the body of a stranger is never read. The reader of the body must call checkMD5.
func verifyRequest(app *App, r *http.Request, basePath string, now time.Time) (query, *apiError) {
	raw, err := splitQuery(r.URL.RawQuery, decodings[0])
	if err == nil {
		err = raw.checkUnique()
	}
	if err != nil {
		return nil, unauthorized("%v", err)
	}
	for _, key := range []string{"auth_key", "auth_timestamp", "auth_version", "auth_signature"} {
		if raw.get(key) == "" {
			return nil, unauthorized("%s is missing from the query", key)
		}
	}
	if v := raw.get("auth_version"); v != "1.0" {
		return nil, unauthorized("auth_version must be 1.0")
	}
	if e := checkTimestamp(raw.get("auth_timestamp"), now); e != nil {
		return nil, e
	}
	if r.ContentLength > 0 && raw.get("body_md5") == "" {
		return nil, errNoMD5()
	}
	// An unknown app and a key of another app get the same answer.
	if app == nil || !equal(raw.get("auth_key"), app.Key) {
		return nil, unauthorized("this auth_key does not belong to this app id, or there is no such app")
	}
	q, ok := signedReading(app, r, basePath, now)
	if !ok {
		return nil, unauthorized("auth_signature is not the HMAC-SHA256 of %s, the path and the sorted query with the app's secret", server.Method(r))
	}
	if !app.Enabled {
		return nil, errAppDisabled
	}
	return q, nil
}

// signedReading finds the decoding of r's path and query that was signed with a secret
// of the app. The path may be signed with or without basePath: libraries that know of it
// as a part of the host leave it out.
func signedReading(app *App, r *http.Request, basePath string, now time.Time) (query, bool) {
	paths := []string{r.URL.EscapedPath()}
	if r.URL.Path != paths[0] {
		paths = append(paths, r.URL.Path)
	}
	if basePath != "" {
		for _, path := range slices.Clone(paths) {
			paths = append(paths, basePath+path)
		}
	}
	var tried []string
	for _, decode := range decodings {
		q, err := splitQuery(r.URL.RawQuery, decode)
		if err != nil || q.checkUnique() != nil {
			continue
		}
		canonical := q.canonical()
		if slices.Contains(tried, canonical) {
			continue
		}
		tried = append(tried, canonical)
		given := strings.ToLower(q.get("auth_signature"))
		for _, path := range paths {
			if app.signed(given, now, server.Method(r), "\n", path, "\n", canonical) {
				return q, true
			}
		}
	}
	return nil, false
}

func checkTimestamp(s string, now time.Time) *apiError {
	at, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return unauthorized("auth_timestamp must be unix seconds")
	}
	limit := int64(maxClockSkew / time.Second)
	if at < now.Unix()-limit || at > now.Unix()+limit {
		return unauthorized("auth_timestamp is more than %d seconds from the server's clock, which says %d", limit, now.Unix())
	}
	return nil
}

func errNoMD5() *apiError {
	return unauthorized("body_md5 is missing from the query: it must cover the body")
}

// checkMD5 compares the body, as received, with the signed body_md5.
func checkMD5(given string, body []byte) *apiError {
	if given == "" {
		if len(body) > 0 {
			return errNoMD5()
		}
		return nil
	}
	sum := md5.Sum(body)
	if strings.ToLower(given) != hex.EncodeToString(sum[:]) {
		return unauthorized("body_md5 is not the MD5 of the body")
	}
	return nil
}

// SignRequest returns the raw query, auth_signature included, that makes a request to
// the HTTP API valid. path is as it is signed, not escaped; body may be nil.
func SignRequest(key, secret, method, path string, params map[string]string, body []byte, now time.Time) string {
	q := query{
		{"auth_key", key},
		{"auth_timestamp", strconv.FormatInt(now.Unix(), 10)},
		{"auth_version", "1.0"},
	}
	if len(body) > 0 {
		sum := md5.Sum(body)
		q = append(q, param{"body_md5", hex.EncodeToString(sum[:])})
	}
	for k, v := range params {
		q = append(q, param{strings.ToLower(k), v})
	}
	q = append(q, param{"auth_signature", sign(secret, method, "\n", path, "\n", q.canonical())})
	pairs := make([]string, len(q))
	for i, p := range q {
		pairs[i] = url.QueryEscape(p.key) + "=" + url.QueryEscape(p.value)
	}
	return strings.Join(pairs, "&")
}

// apiError is an error response of the HTTP API. SDKs look only at the status; people
// read the message.
type apiError struct {
	Message string `json:"error"`
	Status  int    `json:"status"`

	// Of a history that no longer has what was asked for.
	OldestEventID *int64 `json:"oldest_event_id,omitempty"`
	LastEventID   *int64 `json:"last_event_id,omitempty"`

	retryAfter time.Duration // 0: a retry will not help
}

func (e *apiError) Error() string { return fmt.Sprintf("%d: %s", e.Status, e.Message) }

var errAppDisabled = &apiError{Status: http.StatusForbidden, Message: "the app is disabled"}

func unauthorized(format string, args ...any) *apiError {
	return &apiError{Status: http.StatusUnauthorized, Message: fmt.Sprintf(format, args...)}
}
