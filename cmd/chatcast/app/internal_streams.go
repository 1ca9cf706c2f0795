package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"chatcast/server/api"
)

var (
	descStreams     = desc("event_streams_open", "Streams of GET /v1/events/stream that are open.")
	descStreamEnds  = desc("event_streams_ended_total", "Streams that ended, by reason.", "reason")
	descStreamed    = desc("event_streams_events_total", "Events that were written to streams.")
	descStreamsLost = desc("event_streams_lost_total", "Streams that could not go on from where they asked to: the journal no longer had the events after it, or never reached it.")
)

func describeStreams(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descStreams, descStreamEnds, descStreamed, descStreamsLost} {
		ch <- d
	}
}

func collectStreams(s api.EventStreamStats, ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(descStreams, prometheus.GaugeValue, float64(s.Open))
	ch <- prometheus.MustNewConstMetric(descStreamed, prometheus.CounterValue, float64(s.Events))
	ch <- prometheus.MustNewConstMetric(descStreamsLost, prometheus.CounterValue, float64(s.Lost))
	for reason, n := range s.Ended {
		ch <- prometheus.MustNewConstMetric(descStreamEnds, prometheus.CounterValue, float64(n), string(reason))
	}
}
