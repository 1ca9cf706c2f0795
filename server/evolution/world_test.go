package evolution_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting/apps"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server"
	"chatcast/server/evolution"
)

// world is the dialect on real rules, with a key of the company and one of a line.
type world struct {
	*crmtest.World
	t       *testing.T
	base    string
	api     *evolution.Evolution
	company string // keys
	line    string // of shop
	strange string // of the other company
}

// shop is the name of the instance of crmtest's first line, a bridge.
const shop = "shop"

func newWorld(t *testing.T, store *models.Store) *world {
	t.Helper()
	w := &world{World: crmtest.New(t, store), t: t}
	if err := w.LoadInstances(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ChangeInstance(t.Context(), w.Owner, "1229-grWhatsApp", crm.InstanceChanges{Name: crm.Value(shop)}); err != nil {
		t.Fatal(err)
	}
	w.company = w.key(w.Owner, crm.KeyInput{Name: "all", Rights: crm.KeyRights()})
	w.line = w.key(w.Owner, crm.KeyInput{Name: "line", Rights: crm.KeyRights(), LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"})
	w.strange = w.key(w.Stranger, crm.KeyInput{Name: "strange", Rights: crm.KeyRights()})
	log := slog.New(slog.DiscardHandler)
	origins, err := apps.ParseOrigins(nil)
	if err != nil {
		t.Fatal(err)
	}
	router, err := server.NewRouter(server.RouterOptions{Origins: origins, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	e := &evolution.Evolution{CRM: w.Service, Log: log, PublicURL: "https://chat.example", ExposeTokens: w.ExposeTokens}
	router.Use(func(c *gin.Context) {
		if e.Welcome(c) {
			c.Abort()
		}
	})
	w.api = e
	e.Register(router)
	lost := func(c *gin.Context) {
		switch {
		case e.NotFound(c, router):
		case c.Request.URL.Path == "/":
			c.Data(http.StatusOK, "text/html; charset=utf-8", []byte("the page"))
		default:
			c.String(http.StatusNotFound, "not of the dialect")
		}
	}
	router.NoRoute(lost)
	router.NoMethod(lost)
	srv := httptest.NewServer(documented(t, router))
	t.Cleanup(srv.Close)
	w.base = srv.URL
	return w
}

// expose makes the server keep and show the keys of instances.
func (w *world) expose() { w.ExposeTokens, w.api.ExposeTokens = true, true }

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, store *models.Store) { test(t, newWorld(t, store)) })
}

// onSQLite returns a world on SQLite, for what no database changes.
func onSQLite(t *testing.T) *world {
	t.Helper()
	return newWorld(t, testdb.Open(t, testdb.SQLiteURL(t)))
}

func (w *world) key(a crm.Actor, in crm.KeyInput) string {
	w.t.Helper()
	made, err := w.CreateKey(w.t.Context(), a, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return made.Key
}

// request is a request with a body; header lines follow, as "name: value".
func (w *world) request(key, request, body string, header ...string) (int, string, http.Header) {
	w.t.Helper()
	method, path, _ := strings.Cut(request, " ")
	var r io.Reader = http.NoBody
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.base+path, r)
	if err != nil {
		w.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("apikey", key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, string(answer), res.Header
}

// changing replaces what differs from run to run by names.
var changing = []struct {
	form *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}`), "TOKEN"},
	{regexp.MustCompile(`"(id|stanzaId)":"3EB0([0-9A-F]{18,}|PLUG[0-9]+)"`), `"$1":"ID"`},
	{regexp.MustCompile(`"[^"]*/files/[0-9a-f]{32}\?[^"]*"`), `"LINK"`},
}

func settled(text string) string {
	for _, c := range changing {
		text = c.form.ReplaceAllString(text, c.name)
	}
	return text
}

// want sends a request and compares the status and the exact answer.
func (w *world) want(key, request, body string, status int, answer string, header ...string) {
	w.t.Helper()
	got, text, h := w.request(key, request, body, header...)
	if text = settled(text); got != status || text != answer {
		w.t.Errorf("%s %.300s:\n got %d %s\nwant %d %s", request, body, got, text, status, answer)
	}
	if typ := h.Get("Content-Type"); typ != "application/json; charset=utf-8" {
		w.t.Errorf("%s: the type is %q", request, typ)
	}
	if !json.Valid([]byte(text)) && text != "" {
		w.t.Errorf("%s: %s is no JSON", request, text)
	}
}

const unauthorizedText = `{"status":401,"error":"Unauthorized","response":{"message":"Unauthorized"}}`

func badText(text string) string {
	quoted, _ := json.Marshal(text)
	return `{"status":400,"error":"Bad Request","response":{"message":[` + string(quoted) + `]}}`
}

// invalid returns the answer to a body that its schema refuses.
func invalid(texts ...string) string {
	list, _ := json.Marshal([][]string{texts})
	return `{"status":400,"error":"Bad Request","response":{"message":` + string(list) + `}}`
}
