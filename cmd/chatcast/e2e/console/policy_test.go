package console

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/gin-gonic/gin"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/api"
	"chatcast/server/console"
)

// attempts is a script of the console's origin that tries what its pages may do and
// what they may not, and logs the results.
const attempts = `
document.addEventListener('securitypolicyviolation', (e) => e.stopPropagation()); // they are what is tested
const works = (what) => { try { what(); return true; } catch { return false; } };
const runs = (url) => new Promise((done) => {
	const script = document.createElement('script');
	script.onload = () => done(true);
	script.onerror = () => done(false);
	if (works(() => { script.src = url; })) document.head.append(script); else done(false);
});
const answers = (url) => fetch(url).then((r) => r.ok, () => false);
addEventListener('load', async () => {
	const did = {
		inline: window.inline === true,
		eval: works(() => eval('1')),
		html: works(() => { document.body.innerHTML = '<b>made of text</b>'; }),
		data: await runs('data:text/javascript,1'),
		blob: await runs(URL.createObjectURL(new Blob(['window.fromBlob = true']))),
		ownServer: await answers('/console.json'),
		elsewhere: await answers('ELSEWHERE'),
	};
	const socket = new WebSocket('ws://' + location.host + '/socket');
	socket.onclose = () => console.log(did);
});`

// TestConsolePoliciesInABrowser checks the policies' effects. Only /try may run blobs.
func TestConsolePoliciesInABrowser(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*") // would let the page read the answer
	}))
	t.Cleanup(elsewhere.Close)
	page := []byte(`<!doctype html><title>x</title><body><script src="/assets/a-aaaabbbb.js"></script><script>window.inline = true</script>`)
	build, err := console.Load(fstest.MapFS{
		"index.html": {Data: page}, "try.html": {Data: page},
		"assets/a-aaaabbbb.js": {Data: []byte(strings.ReplaceAll(attempts, "ELSEWHERE", elsewhere.URL))},
	})
	if err != nil {
		t.Fatal(err)
	}
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	(&console.Console{Build: build, NotFound: (&api.API{}).NoRoute}).Register(router)
	var sockets atomic.Int32
	router.GET("/socket", func(c *gin.Context) {
		sockets.Add(1)
		c.Status(http.StatusTeapot)
	})
	srv := httptest.NewServer(router)
	t.Cleanup(srv.Close)

	for path, want := range map[string]map[string]bool{
		"/":    {"inline": false, "eval": false, "html": false, "data": false, "blob": false, "ownServer": true, "elsewhere": false},
		"/try": {"inline": false, "eval": false, "html": true, "data": false, "blob": true, "ownServer": true, "elsewhere": false},
	} {
		before := sockets.Load()
		b := e2e.OpenTab(t, srv.URL+path)
		var did []map[string]bool
		b.Wait("what the page could do", func(logged []json.RawMessage, _ []string) bool {
			return len(logged) > 0 && json.Unmarshal(logged[0], &did) == nil
		})
		if len(did) != 1 || !maps.Equal(did[0], want) {
			t.Errorf("%s could do\n%v, want\n%v", path, did, want)
		}
		if sockets.Load() == before {
			t.Errorf("%s could open no socket to its own server", path)
		}
	}
}
