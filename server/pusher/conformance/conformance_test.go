package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/server/pusher/conformance"
)

func TestMain(m *testing.M) { testwait.Main(m) }

var (
	target      = flag.String("target", "", "ws://HOST:PORT of the server to look at; empty: chatcast, started by the test")
	httpTarget  = flag.String("http", "", "http://HOST:PORT of its HTTP API; empty: that of -target")
	appID       = flag.String("app-id", "1", "the app's id")
	appKey      = flag.String("app-key", "", "the app's key")
	appSecret   = flag.String("app-secret", "", "the app's secret")
	claims      = flag.String("features", "", "what the server claims to have, with commas; empty: it is found out")
	otherApp    = flag.String("other-app", "", "ID,KEY,SECRET of a second app")
	timeoutApp  = flag.String("timeout-app", "", "ID,KEY,SECRET of an app that closes sockets which prove no user in time")
	disabledKey = flag.String("disabled-key", "", "key of an app that is switched off")
	smallKey    = flag.String("small-key", "", "key of an app that allows one connection")
	quietKey    = flag.String("quiet-key", "", "key of an app without client events")
	hookListen  = flag.String("webhook-listen", "", "HOST:PORT to receive the app's webhooks on; the server must be set up to send them there")
	xhrPath     = flag.String("xhr-path", "", "the path before /app/KEY of the HTTP fallback; empty: /pusher")
	pingWait    = flag.Duration("ping-wait", 0, "how long to wait for the server to ask a silent socket and then close it; 0: not")
	patience    = flag.Duration("patience", 0, "how long to wait for what should come at once; 0: 5s")
	table       = flag.Bool("table", false, "print the results as a table of Markdown")
)

func TestConformance(t *testing.T) {
	if *target != "" {
		report(t, conformance.Check(t, given(t), conformance.Cases()))
		return
	}
	// Two cases against one house would disturb each other: in some, clients wait
	// silently; in another, a silent client waits for a ping.
	silence := func(c conformance.Case) bool { return c.Name == "silence" }
	isNot := slices.DeleteFunc(conformance.Cases(), silence)
	is := slices.DeleteFunc(conformance.Cases(), func(c conformance.Case) bool { return !silence(c) })
	house := newHouse(t, 2*time.Minute)
	house.Claims = conformance.Chatcast
	results := conformance.Check(t, house, isNot)
	house = newHouse(t, time.Second)
	house.Claims = conformance.Chatcast
	report(t, append(results, conformance.Check(t, house, is)...))
}

// given returns the target described by the flags.
func given(t *testing.T) conformance.Target {
	t.Helper()
	g := conformance.Target{
		URL: *target, HTTP: *httpTarget, App: conformance.App{ID: *appID, Key: *appKey, Secret: *appSecret}, Patience: *patience,
		Other: appOf(t, *otherApp), Timeout: appOf(t, *timeoutApp), DisabledKey: *disabledKey, SmallKey: *smallKey, QuietKey: *quietKey,
		XHRPath: *xhrPath, PingWait: *pingWait,
	}
	if *appKey == "" || *appSecret == "" {
		t.Fatal("-target needs -app-key and -app-secret")
	}
	if *claims != "" {
		for _, name := range strings.Split(*claims, ",") {
			if !slices.Contains(conformance.AllFeatures(), conformance.Feature(name)) {
				t.Fatalf("-features: there is no feature %q; there are %v", name, conformance.AllFeatures())
			}
			g.Claims = append(g.Claims, conformance.Feature(name))
		}
	}
	if *hookListen != "" {
		r, err := conformance.Listen(*hookListen)
		if err != nil {
			t.Fatalf("-webhook-listen: %v", err)
		}
		t.Cleanup(r.Close)
		g.Hooks = r
	}
	return g
}

func appOf(t *testing.T, text string) conformance.App {
	t.Helper()
	if text == "" {
		return conformance.App{}
	}
	parts := strings.SplitN(text, ",", 3)
	if len(parts) != 3 {
		t.Fatalf("%q is not ID,KEY,SECRET", text)
	}
	return conformance.App{ID: parts[0], Key: parts[1], Secret: parts[2]}
}

// report logs the sum of the results, and prints the table on request.
func report(t *testing.T, results []conformance.Result) {
	t.Helper()
	t.Log(conformance.Sum(results))
	if *table {
		fmt.Println()
		if err := conformance.WriteTable(os.Stdout, results); err != nil {
			t.Error(err)
		}
	}
}

// TestTable: every case can be found by its name and says what it checks.
func TestTable(t *testing.T) {
	seen, first := map[string]bool{}, map[conformance.Feature]bool{}
	for _, c := range conformance.Cases() {
		name := c.Group + "/" + c.Name
		if seen[name] || c.Group == "" || c.Name == "" {
			t.Errorf("%q is there twice, or without a name", name)
		}
		seen[name] = true
		if !strings.HasSuffix(c.Rule, ".") {
			t.Errorf("%s: the rule %q is no sentence", name, c.Rule)
		}
		if !slices.Contains(conformance.AllFeatures(), c.Feature) {
			t.Errorf("%s: the feature %q is not in the list", name, c.Feature)
		}
		first[c.Feature] = true
	}
	for _, f := range conformance.AllFeatures() {
		if !first[f] {
			t.Errorf("no case is about %s", f)
		}
	}
}

const selfPatience = 20 * time.Second // on a busy machine
