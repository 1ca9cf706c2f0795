package app

import (
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatcast/broadcasting"
)

// measures are the metrics that the components measure while they work. The components
// know them as functions and interfaces of their own.
type measures struct {
	queued  prometheus.Histogram
	written prometheus.Histogram
	http    *httpMeasures
}

// Bounds of the histograms, in seconds.
var (
	deliveryBounds = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
	requestBounds  = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60}
)

func newMeasures() *measures {
	return &measures{
		queued: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "chatcast_event_queue_seconds", Buckets: deliveryBounds,
			Help: "Time from the publish of an event until it was queued for all its sockets of this node.",
		}),
		written: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "chatcast_event_delivery_seconds", Buckets: deliveryBounds,
			Help: "Time from the change that caused a CRM event until its frame was handed to the network, of the last WebSocket in the channel.",
		}),
		http: newHTTPMeasures(),
	}
}

// delivered is server.Options.Written.
func (m *measures) delivered(mark *broadcasting.Mark) { m.written.Observe(mark.Since()) }

// collectors are the metrics of all components but those of metrics.
func (r *components) collectors() []prometheus.Collector {
	m := r.measures
	return []prometheus.Collector{
		m.queued, m.written, m.http.requests, m.http.seconds, stateMetrics{r.apps, r.rules, r.whatsapp, r.health}, busMetrics{r.nodes, r.tail},
	}
}

// httpMeasures counts requests by method, route and status, and measures how long they
// took by method and route. A request that has been seen before takes no lock.
type httpMeasures struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec

	known atomic.Pointer[map[request]series]
	mu    sync.Mutex // guards changes of known
}

type request struct {
	method, route string
	status        int
}

type series struct {
	requests prometheus.Counter
	seconds  prometheus.Observer
}

func newHTTPMeasures() *httpMeasures {
	m := &httpMeasures{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chatcast_http_requests_total",
			Help: "Requests to the main address, by method, route and status.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chatcast_http_request_seconds", Buckets: requestBounds,
			Help: "Time that requests to the main address took, by method and route. Long polls and streams take as long as they wait.",
		}, []string{"method", "route"}),
	}
	m.known.Store(&map[request]series{})
	return m
}

// observe is server.RouterOptions.Observe.
func (m *httpMeasures) observe(method, route string, status int, took time.Duration) {
	r := request{method, route, status}
	s, known := (*m.known.Load())[r]
	if !known {
		s = m.add(r)
	}
	s.requests.Inc()
	s.seconds.Observe(took.Seconds())
}

func (m *httpMeasures) add(r request) series {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := series{
		requests: m.requests.WithLabelValues(r.method, r.route, strconv.Itoa(r.status)),
		seconds:  m.seconds.WithLabelValues(r.method, r.route),
	}
	next := maps.Clone(*m.known.Load())
	next[r] = s
	m.known.Store(&next)
	return s
}
