package multiwa_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"chatcast/models/testdb"
)

// TestSlashAtTheEnd checks that a path with a slash at its end is the one without, with its body
// and its query, and that there is no other path than before.
func TestSlashAtTheEnd(t *testing.T) {
	r := newRest(t, testdb.Open(t, testdb.SQLiteURL(t)), onGr)
	profile := r.profileOf(t, onGr)
	r.want("POST", "/messages/text/", `{"to":"351912000001","text":"x"}`, 201, sentAnswer)
	r.want("GET", "/messages/profile/"+profile+"/?type=image", "", 200, "[]")
	r.want("GET", "/health/", "", 200, `{"status":"ok"}`)
	for _, request := range []string{"POST /messages/text//", "POST /messages/fax/", "DELETE /messages/text/", "GET /profiles//", "POST /", "GET /messages/profile//"} {
		method, path, _ := strings.Cut(request, " ")
		r.fails(method, path, "", 404, "NOT_FOUND", "Cannot "+method+" /api/v1"+path)
	}
	r.key = ""
	r.fails("POST", "/messages/text/", `{}`, 401, "UNAUTHORIZED", "Invalid API key")
}

// TestLargeAnswers checks that a large answer is compressed for clients that accept it, and a
// small one is not.
func TestLargeAnswers(t *testing.T) {
	r := newRest(t, testdb.Open(t, testdb.SQLiteURL(t)), onGr)
	r.say(t, onGr, "3A01", strings.Repeat("x", 5000))
	path := r.url + "/api/v1/messages/profile/" + r.profileOf(t, onGr)
	for _, c := range []struct {
		query, accept string
		compressed    bool
	}{{"", "gzip", true}, {"", "identity", false}, {"?limit=1&offset=1", "gzip", false}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path+c.query, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"X-Api-Key": {r.key}, "Accept-Encoding": {c.accept}}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var body io.Reader = res.Body
		if c.compressed {
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		text, err := io.ReadAll(body)
		if got := res.Header.Get("Content-Encoding") == "gzip"; err != nil || got != c.compressed || res.Header.Get("Vary") != "Accept-Encoding" || !strings.HasPrefix(string(text), "[") || !strings.HasSuffix(string(text), "]") {
			t.Errorf("%+v: %v, %.100s, %v", c, res.Header, text, err)
		}
	}
}
