package docs_test

import (
	"compress/gzip"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/server/api/apitest"
	"chatcast/server/api/docs"
)

// routes returns the handler, which is made once, like the page.
var routes = sync.OnceValue(func() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	(&docs.Docs{URL: "https://chat.example"}).Register(engine)
	return engine
})

func serve(t *testing.T, method, path string, headers map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	apitest.Documented(t, routes(), nil).ServeHTTP(w, r)
	return w
}

func get(t *testing.T) string {
	t.Helper()
	w := serve(t, http.MethodGet, "/docs", nil)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	return w.Body.String()
}

// TestPageHasEverything checks that all operations, events and named schemas are on the
// page once, that every link of the page leads somewhere, and that the pages for browsers
// are not there.
func TestPageHasEverything(t *testing.T) {
	ref, err := apitest.Load()
	if err != nil {
		t.Fatal(err)
	}
	html, places := get(t), map[string]int{}
	for _, m := range regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(html, -1) {
		if places[m[1]]++; places[m[1]] > 1 {
			t.Errorf("the place %s is there twice", m[1])
		}
	}
	want := []string{"post-v1-tokens", "patch-v1-tags-id", "get-openapi-3-0-json", "authentication", "errors", "tag-quick-responses", "channel-line", "frame-pusher-ping", "frame-chatcast-resume-failed"}
	for _, op := range ref.Operations {
		if op.Page {
			if strings.Contains(html, template.HTMLEscapeString(op.Summary)) {
				t.Errorf("%s is there, but it is no API", op)
			}
			continue
		}
		want = append(want, regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(strings.Trim(strings.ToLower(op.Method)+op.Path, "/}"), "-"))
		if !strings.Contains(html, template.HTMLEscapeString(op.Summary)) {
			t.Errorf("%s is not there", op)
		}
	}
	for _, event := range crm.EventNames() {
		want = append(want, "event-"+event)
		if !strings.Contains(html, `href="schemas/`+event+`.json"`) {
			t.Errorf("the schema of %s is not linked", event)
		}
	}
	for name, schema := range ref.Doc.Components.Schemas {
		if len(schema.Value.Properties) > 0 {
			want = append(want, "schema-"+name)
		}
	}
	for _, place := range want {
		if places[place] == 0 {
			t.Errorf("there is no place %s", place)
		}
	}
	links := regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(html, -1)
	for _, m := range links {
		if places[m[1]] == 0 {
			t.Errorf("a link leads to #%s, which is not there", m[1])
		}
	}
	if len(links) < 500 {
		t.Errorf("only %d links were found", len(links))
	}
}

// TestPageSays checks the HTML of the parts of an operation and of an event.
func TestPageSays(t *testing.T) {
	html := get(t)
	for what, want := range map[string]string{
		"a call":              "curl https://chat.example/v1/licenses/1229/messengers/grWhatsApp/chats/79990001122@c.us/tags",
		"a body":              "-d &#39;{&#34;text&#34;: &#34;Good day&#34;, &#34;tracking&#34;: &#34;order 7&#34;}&#39;",
		"a body of any type":  "-d &#39;{&#34;order&#34;: 7}&#39;",
		"a socket":            `new WebSocket(&#39;wss://chat.example/app/ChatsAppApiProdKey?protocol=7&#39;)`,
		"an enumeration":      `one of <code>&#34;open&#34;</code> <code>&#34;close&#34;</code>`,
		"what is caused":      `May cause <a href="#event-chatStatus"><code>chatStatus</code></a>, <a href="#event-chatLevel">`,
		"the right":           `<p class="causes">Right: <code>writeList</code></p>`,
		"the id":              `<p class="causes">In generated clients: <code>updateQuickResponse</code></p>`,
		"a link of a file":    `<a href="/openapi-3.0.json"><code>/openapi-3.0.json</code></a>`,
		"a channel's right":   `<p class="causes">Right: <code>readAll</code></p>`,
		"what a right means":  `<code>readList</code> and <code>writeList</code>: access`,
		"who may":             `<span class="open">open to everybody</span>`,
		"bold and code":       `<strong>Who.</strong> <code>Authorization: &lt;accessToken&gt;</code>`,
		"a link of the texts": `<a href="#post-broadcasting-auth"><code>POST /broadcasting/auth</code></a>`,
		"an error":            `<code>ApiValidationError</code>`,
		"an event's data":     `&#34;eventId&#34;: 41`,
		"who says a frame":    `Said by the client`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("%s: the page does not have %s", what, want)
		}
	}
	for _, unwanted := range []string{"[object", "%!", "map[", "<nil>", "ZgotmplZ"} {
		if strings.Contains(html, unwanted) {
			t.Errorf("the page has %q", unwanted)
		}
	}
}

// TestPageIsStrict checks that nothing is inline or of another origin, and that the
// policy would block it.
func TestPageIsStrict(t *testing.T) {
	w := serve(t, http.MethodGet, "/docs", nil)
	html := w.Body.String()
	if found := regexp.MustCompile(`<script(?: [^>]*)?>[^<]|<style| style=| on[a-z]+="|javascript:`).FindString(html); found != "" {
		t.Errorf("the page has %s", found)
	}
	for _, m := range regexp.MustCompile(`(?:src|<link[^>]* href)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if !strings.HasPrefix(m[1], "docs/") && m[1] != "data:," {
			t.Errorf("the page loads %s", m[1])
		}
	}
	csp := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy %q lacks %s", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("the policy is %q", csp)
	}
}

// TestFilesTravelLight checks that browsers get the files compressed, and can cache them.
func TestFilesTravelLight(t *testing.T) {
	total := 0
	for _, path := range []string{"/docs", "/docs/docs.css", "/docs/docs.js"} {
		plain := serve(t, http.MethodGet, path, map[string]string{"Accept-Encoding": "br, gzip;q=0"})
		zipped := serve(t, http.MethodGet, path, map[string]string{"Accept-Encoding": "br, gzip"})
		if plain.Header().Get("Content-Encoding") != "" || zipped.Header().Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s: encodings %q, %q", path, plain.Header().Get("Content-Encoding"), zipped.Header().Get("Content-Encoding"))
		}
		total += zipped.Body.Len()
		unzip, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatal(err)
		}
		same, err := io.ReadAll(unzip)
		if err != nil || string(same) != plain.Body.String() {
			t.Errorf("%s: gzip says something else: %v", path, err)
		}
		if vary := plain.Header().Get("Vary"); vary != "Accept-Encoding" {
			t.Errorf("%s: Vary is %q", path, vary)
		}
		tag := zipped.Header().Get("ETag")
		if tag == "" || tag == plain.Header().Get("ETag") {
			t.Errorf("%s: ETags %s, %s", path, tag, plain.Header().Get("ETag"))
		}
		again := serve(t, http.MethodGet, path, map[string]string{"Accept-Encoding": "gzip", "If-None-Match": "W/" + tag})
		if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s: again %d, %d bytes", path, again.Code, again.Body.Len())
		}
		changed := serve(t, http.MethodGet, path, map[string]string{"If-None-Match": `"other"`})
		if changed.Code != http.StatusOK {
			t.Errorf("%s: of another version %d", path, changed.Code)
		}
		if head := serve(t, http.MethodHead, path, nil); head.Code != http.StatusOK || head.Header().Get("ETag") == "" {
			t.Errorf("%s: HEAD %d", path, head.Code)
		}
	}
	ref, err := apitest.Load()
	if err != nil {
		t.Fatal(err)
	}
	// Compressed. An operation says what a key needs for it, too, and a message has parts that only
	// clients of other dialects need.
	if operations := len(ref.Operations); total > 600*operations {
		t.Errorf("the page and its files weigh %d bytes, for %d operations", total, operations)
	}
}
