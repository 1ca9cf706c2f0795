package app

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"chatcast/crm"
	callbacks "chatcast/crm/webhook"
)

// The metrics of callback URLs have their ids as label, because a URL may hold a secret.
var (
	descCallbackState     = callbackDesc("state", "1 for the state of the callback URL: active, failing or suspended.", "state")
	descCallbackFailures  = callbackDesc("failures", "Attempts in vain at the event that is next, in a row.")
	descCallbackLast      = callbackDesc("last_event", "Every event up to this one is done with.")
	descCallbackDelivered = callbackDesc("delivered_total", "Events that the callback URL took.")
	descCallbackFailed    = callbackDesc("failed_total", "Attempts in vain.")
	descCallbackLost      = callbackDesc("lost_total", "Events that were removed from the journal before they were delivered.")
	descCallbackGivenUp   = callbackDesc("given_up_total", "Requests of webhooks in other dialects that were given up.")
)

var callbackStates = []string{crm.CallbackActive, crm.CallbackFailing, crm.CallbackSuspended}

func callbackDesc(name, help string, labels ...string) *prometheus.Desc {
	return desc("callback_"+name, help, append([]string{"callback"}, labels...)...)
}

func describeCallbacks(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descCallbackState, descCallbackFailures, descCallbackLast, descCallbackDelivered, descCallbackFailed, descCallbackLost, descCallbackGivenUp} {
		ch <- d
	}
}

func collectCallbacks(list []callbacks.URLStats, ch chan<- prometheus.Metric) {
	for _, st := range list {
		id := strconv.FormatInt(st.ID, 10)
		for _, state := range callbackStates {
			ch <- prometheus.MustNewConstMetric(descCallbackState, prometheus.GaugeValue, oneIf(st.State == state), id, state)
		}
		ch <- prometheus.MustNewConstMetric(descCallbackFailures, prometheus.GaugeValue, float64(st.Failures), id)
		ch <- prometheus.MustNewConstMetric(descCallbackLast, prometheus.GaugeValue, float64(st.LastEvent), id)
		ch <- prometheus.MustNewConstMetric(descCallbackDelivered, prometheus.CounterValue, float64(st.Delivered), id)
		ch <- prometheus.MustNewConstMetric(descCallbackFailed, prometheus.CounterValue, float64(st.Failed), id)
		ch <- prometheus.MustNewConstMetric(descCallbackLost, prometheus.CounterValue, float64(st.Lost), id)
		ch <- prometheus.MustNewConstMetric(descCallbackGivenUp, prometheus.CounterValue, float64(st.GivenUp), id)
	}
}
