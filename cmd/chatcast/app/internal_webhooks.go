package app

import (
	"maps"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"chatcast/broadcasting/webhook"
)

// webhookMetrics has the metrics of each endpoint. The label of an endpoint is its
// index in the app's list, because its URL may contain a secret.
var webhookMetrics = []struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(webhook.EndpointStats) uint64
}{
	{hookDesc("pending", "Events that wait for the endpoint."), prometheus.GaugeValue, func(e webhook.EndpointStats) uint64 { return uint64(e.Pending) }},
	{hookDesc("posts_total", "POSTs that the endpoint took."), prometheus.CounterValue, func(e webhook.EndpointStats) uint64 { return e.Posts }},
	{hookDesc("delivered_total", "Events that the endpoint took."), prometheus.CounterValue, func(e webhook.EndpointStats) uint64 { return e.Delivered }},
	{hookDesc("failed_total", "Attempts in vain."), prometheus.CounterValue, func(e webhook.EndpointStats) uint64 { return e.Failed }},
	{hookDesc("retried_total", "Attempts after one in vain."), prometheus.CounterValue, func(e webhook.EndpointStats) uint64 { return e.Retried }},
	{hookDesc("given_up_total", "Events that were given up."), prometheus.CounterValue, func(e webhook.EndpointStats) uint64 { return e.GivenUp }},
	{hookDesc("dropped_total", "Events that found the endpoint's queue full."), prometheus.CounterValue, func(e webhook.EndpointStats) uint64 { return e.Dropped }},
}

var (
	descHookOldest = hookDesc("oldest_seconds", "How long the first event that waits for the endpoint has waited in this process.")
	descHookState  = desc("webhook_state", "1 for the state of the endpoint: active, failing or suspended.", "app", "endpoint", "state")
	descHookLost   = desc("webhook_lost_total", "Events of webhooks that found the memory full.", "app")
	descHookErrors = desc("webhook_store_errors_total", "Commits of webhooks that failed and were tried again.")
)

func hookDesc(name, help string) *prometheus.Desc {
	return desc("webhook_"+name, help, "app", "endpoint")
}

func describeWebhooks(ch chan<- *prometheus.Desc) {
	for _, m := range webhookMetrics {
		ch <- m.desc
	}
	ch <- descHookOldest
	ch <- descHookState
	ch <- descHookLost
	ch <- descHookErrors
}

func collectWebhooks(st webhook.Stats, ch chan<- prometheus.Metric) {
	for _, e := range st.Endpoints {
		ch <- prometheus.MustNewConstMetric(descHookOldest, prometheus.GaugeValue, e.Oldest, e.App, strconv.Itoa(e.Endpoint))
		for _, state := range []string{webhook.StateActive, webhook.StateFailing, webhook.StateSuspended} {
			ch <- prometheus.MustNewConstMetric(descHookState, prometheus.GaugeValue, oneIf(e.State == state), e.App, strconv.Itoa(e.Endpoint), state)
		}
		for _, m := range webhookMetrics {
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, float64(m.of(e)), e.App, strconv.Itoa(e.Endpoint))
		}
	}
	lost := map[string]uint64{}
	for _, e := range st.Endpoints {
		lost[e.App] = 0
	}
	maps.Copy(lost, st.Lost)
	for app, n := range lost {
		ch <- prometheus.MustNewConstMetric(descHookLost, prometheus.CounterValue, float64(n), app)
	}
	ch <- prometheus.MustNewConstMetric(descHookErrors, prometheus.CounterValue, float64(st.StoreErrors))
}
