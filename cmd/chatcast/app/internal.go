package app

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"chatcast/broadcasting/webhook"
	"chatcast/channels/refusals"
	callbacks "chatcast/crm/webhook"
	"chatcast/server"
	"chatcast/server/api"
	"chatcast/server/socketio"
)

// internalRoutes returns the routes for the operator of the program: metrics,
// profiles, and the connections with their queues.
func internalRoutes(m metrics, more ...prometheus.Collector) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(more...)
	reg.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/connz", m.connz)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", commandLine)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"status":"ok"}`))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server.BoundBody(w, r)
		if !namesMachine(r.Host) {
			http.Error(w, "use an address instead of the name "+r.Host+": any web page can make a name point here", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// commandLine shows the program and its command, in the form that go tool pprof reads. It
// leaves out the flags, whose values are nobody else's business.
func commandLine(w http.ResponseWriter, _ *http.Request) {
	args := os.Args[:1]
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		args = os.Args[:2]
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, strings.Join(args, "\x00"))
}

// namesMachine reports whether a Host header is an address or a name without dots,
// such as localhost or a container's name. A web page cannot be served under such a
// name, so a page cannot read the internal routes by pointing its own domain to
// loopback.
func namesMachine(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	return !strings.Contains(name, ".") || net.ParseIP(strings.Trim(name, "[]")) != nil
}

// metrics collects the counters of the components on each scrape: the components do
// not know Prometheus.
type metrics struct {
	sockets   *server.Server
	streams   *api.EventStreams
	instances *socketio.Server
	monitor   *server.Monitor
	hooks     *webhook.Hooks

	callbacks *callbacks.Hooks

	refusals *refusals.Log

	version, commit string
}

var _ prometheus.Collector = metrics{}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("chatcast_"+name, help, labels, nil)
}

var (
	descBuild     = desc("build_info", "The program; always 1.", "version", "commit")
	descOpen      = desc("sockets_open", "Sockets that are open.")
	descAccepted  = desc("sockets_accepted_total", "Sockets that were accepted.")
	descEnded     = desc("sockets_ended_total", "Sockets that ended, by reason.", "reason")
	descChannels  = desc("channels", "Channels with subscribers on this node.")
	descUsers     = desc("users", "Users known to have sockets on this node.")
	descResumes   = desc("resumes_total", "Subscriptions that resumed from a last event id on this node, by the result: complete, or failed when the journal could not be continued from there.", "result")
	descReplayed  = desc("events_replayed_total", "Missed events that were queued for resuming sockets on this node.")
	descPublished = desc("events_published_total", "Events given to the engine on this node.")
	descDelivered = desc("events_delivered_total", "Frames of events queued for sockets of this node.")
	descLeading   = desc("relay_leading", "1 when this node publishes the journal.")
	descSeq       = desc("relay_published_seq", "The last journal number that this node published.")
	descReady     = desc("relay_ready", "1 when the relay works.")
	descRefused   = desc("refused_total", "What was refused: sign-ins, authorizations, subscriptions, publishes.", "what", "reason")
)

// Describe implements prometheus.Collector.
func (m metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descBuild, descOpen, descAccepted, descEnded, descChannels, descUsers, descResumes, descReplayed, descPublished, descDelivered, descLeading, descSeq, descReady, descRefused,
	} {
		ch <- d
	}
	describeWebhooks(ch)
	describeStreams(ch)
	describeSocketIO(ch)
	describeCallbacks(ch)
}

// Collect implements prometheus.Collector.
func (m metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge(descBuild, 1, m.version, m.commit)
	now := m.monitor.Counters()
	sockets, engine, relay := now.Sockets, now.Engine, now.Relay
	gauge(descOpen, float64(sockets.Open))
	counter(descAccepted, sockets.Accepted)
	for reason, n := range sockets.Ended {
		counter(descEnded, n, string(reason))
	}
	gauge(descChannels, float64(engine.Channels))
	gauge(descUsers, float64(engine.Users))
	counter(descResumes, engine.Resumed, "complete")
	counter(descResumes, engine.ResumeFailed, "failed")
	counter(descReplayed, engine.Replayed)
	counter(descPublished, engine.Published)
	counter(descDelivered, engine.Delivered)
	gauge(descLeading, oneIf(relay.Leading))
	gauge(descSeq, float64(relay.Published))
	gauge(descReady, oneIf(now.Ready))
	for kind, n := range m.refusals.Counts() {
		counter(descRefused, n, string(kind.What), string(kind.Reason))
	}
	collectWebhooks(m.hooks.Stats(), ch)
	collectStreams(m.streams.Stats(), ch)
	collectSocketIO(m.instances.Stats(), ch)
	collectCallbacks(m.callbacks.Stats(), ch)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// connz lists the sockets, sorted by queued bytes, the largest first.
func (m metrics) connz(w http.ResponseWriter, _ *http.Request) {
	conns := m.sockets.Connz()
	slices.SortFunc(conns, func(a, b server.Conn) int {
		if a.QueuedBytes != b.QueuedBytes {
			return b.QueuedBytes - a.QueuedBytes
		}
		return strings.Compare(a.ID, b.ID)
	})
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(map[string]any{"sockets": len(conns), "engine": m.monitor.Counters().Engine, "webhooks": m.hooks.Stats(), "callbackUrls": m.callbacks.Stats(), "connections": conns})
}
