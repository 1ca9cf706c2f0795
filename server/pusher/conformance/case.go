package conformance

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Feature is something that a server may lack.
type Feature string

// The features of a complete server.
const (
	Core              Feature = "core"               // sockets, public, private and presence channels, POST events
	Encrypted         Feature = "encrypted"          // private-encrypted- channels
	Cache             Feature = "cache"              // cache channels
	ClientEvents      Feature = "client_events"      // client- events
	Signin            Feature = "signin"             // pusher:signin, channels of users, events to users
	Watchlist         Feature = "watchlist"          // which watched users are online
	Terminate         Feature = "terminate"          // terminate_connections
	SubscriptionCount Feature = "subscription_count" // subscription_count events
	AuthTimeout       Feature = "auth_timeout"       // sockets that never prove a user are closed
	Info              Feature = "info"               // info of POST events
	Batch             Feature = "batch"              // POST batch_events
	Channels          Feature = "channels"           // the GET routes of channels
	Deprecated        Feature = "deprecated"         // the two deprecated routes
	Webhooks          Feature = "webhooks"           // POSTs to the app's own server
	XHR               Feature = "xhr"                // xhr_streaming and xhr_polling
)

// AllFeatures returns the features of a complete server.
func AllFeatures() []Feature {
	return []Feature{
		Core, Encrypted, Cache, ClientEvents, Signin, Watchlist, Terminate, SubscriptionCount, AuthTimeout,
		Info, Batch, Channels, Deprecated, Webhooks, XHR,
	}
}

// Case is one row of the table.
type Case struct {
	Group   string
	Name    string
	Feature Feature
	Rule    string // what the server must do, in one sentence

	// basic marks the first case of each feature: a server that shows no sign of the
	// feature here does not have it.
	basic bool
	// needs names the flag that the case needs, "" for none.
	needs string
	run   func(x *exchange)
}

// Verdict is how a case ended.
type Verdict string

// The verdicts.
const (
	Pass        Verdict = "pass"
	Fail        Verdict = "fail"
	Unsupported Verdict = "unsupported"
	NotRun      Verdict = "not run"
)

// Result is the outcome of one case.
type Result struct {
	Case     Case
	Verdict  Verdict
	Observed string // one line; for a pass, only what the server was free to choose
}

// Cases returns the table.
func Cases() []Case {
	var all []Case
	for _, group := range []struct {
		name  string
		cases []Case
	}{
		{"handshake", handshakeCases()},
		{"handshake: refused", refusalCases()},
		{"ping and pong", pingCases()},
		{"public channels", publicCases()},
		{"private channels", privateCases()},
		{"presence channels", presenceCases()},
		{"presence members", memberCases()},
		{"encrypted channels", encryptedCases()},
		{"cache channels", cacheCases()},
		{"client events", clientEventCases()},
		{"client events: limits", clientLimitCases()},
		{"sign-in", signinCases()},
		{"events to users", userCases()},
		{"watchlist", watchlistCases()},
		{"terminate", terminateCases()},
		{"authorised connections", authTimeoutCases()},
		{"subscription_count", countCases()},
		{"names and limits", nameCases()},
		{"limits of an event", eventLimitCases()},
		{"malformed messages", messageCases()},
		{"malformed frames", frameCases()},
		{"HTTP: events", eventsCases()},
		{"HTTP: authentication", requestCases()},
		{"HTTP: query of a request", queryCases()},
		{"HTTP: batch_events", batchCases()},
		{"HTTP: channels", channelsCases()},
		{"HTTP: one channel", channelCases()},
		{"HTTP: deprecated", deprecatedCases()},
		{"webhooks", webhookCases()},
		{"webhooks: members and events", webhookEventCases()},
		{"HTTP fallback", xhrCases()},
	} {
		for _, c := range group.cases {
			c.Group = group.name
			all = append(all, c)
		}
	}
	return all
}

// Run runs cases against the target, in order. It calls each for every case; each must
// call run once, or not at all.
func Run(t Target, cases []Case, each func(c Case, run func() Result)) {
	t = t.withDefaults()
	absent := map[Feature]string{} // what a basic case observed
	for _, c := range cases {
		each(c, func() Result {
			r := Result{Case: c}
			missing, known := absent[c.Feature]
			if !known && (c.Feature == Watchlist || c.Feature == Terminate) {
				missing, known = absent[Signin] // both need a signed-in user
			}
			switch {
			case !t.claims(c.Feature):
				r.Verdict, r.Observed = Unsupported, "not claimed"
			case !t.given(c.needs):
				r.Verdict, r.Observed = NotRun, "needs "+c.needs
			case known:
				r.Verdict, r.Observed = Unsupported, missing
			default:
				r.Verdict, r.Observed = runCase(t, c)
			}
			if r.Verdict == Unsupported && c.basic {
				absent[c.Feature] = r.Observed
			}
			return r
		})
	}
}

// runCase runs c in a goroutine of its own, which c may end at any point.
func runCase(t Target, c Case) (Verdict, string) {
	x := &exchange{target: t, verdict: Pass, patience: t.Patience, basic: c.basic && len(t.Claims) == 0}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				x.verdict, x.observed = Fail, []string{fmt.Sprintf("the case broke: %v\n%s", p, debug.Stack())}
			}
		}()
		defer x.end()
		c.run(x)
	}()
	<-done
	return x.verdict, strings.Join(x.observed, "; ")
}

// exchange is one running case.
type exchange struct {
	target   Target
	verdict  Verdict
	observed []string
	patience time.Duration
	basic    bool // no sign of the feature means unsupported
	cleanups []func()
}

func (x *exchange) end() {
	for i := len(x.cleanups) - 1; i >= 0; i-- {
		x.cleanups[i]()
	}
}

// notef adds to the observations.
func (x *exchange) notef(format string, args ...any) {
	x.observed = append(x.observed, shorten(fmt.Sprintf(format, args...)))
}

// failf ends the case: the server violated the rule.
func (x *exchange) failf(format string, args ...any) {
	x.observed = []string{shorten(fmt.Sprintf(format, args...))}
	x.verdict = Fail
	runtime.Goexit()
}

// absentf ends the case: nothing shows that the server has the feature. A server that
// claims the feature fails.
func (x *exchange) absentf(format string, args ...any) {
	if !x.basic {
		x.failf(format, args...)
	}
	x.observed = []string{shorten(fmt.Sprintf(format, args...))}
	x.verdict = Unsupported
	runtime.Goexit()
}

// shorten keeps an observation on one readable line.
func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 300 {
		return strings.ToValidUTF8(s[:300], "") + "..."
	}
	return s
}
