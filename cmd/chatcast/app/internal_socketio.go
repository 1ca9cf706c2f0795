package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"chatcast/server/socketio"
)

var (
	descIOConnections = desc("socketio_connections", "Connections of Socket.IO that are open, by transport.", "transport")
	descIONamespaces  = desc("socketio_namespaces", "Namespaces that clients of Socket.IO are in.")
	descIOAccepted    = desc("socketio_accepted_total", "Connections of Socket.IO that were accepted.")
	descIOUpgraded    = desc("socketio_upgraded_total", "Connections that went on from polling as a WebSocket.")
	descIORecovered   = desc("socketio_recovered_total", "Clients that wanted to go on where they were cut off, by the result: complete, or failed when they begin anew.", "result")
	descIOIgnored     = desc("socketio_ignored_total", "Events of clients that nobody handles.")
	descIORefused     = desc("socketio_refused_total", "Handshakes and namespaces of Socket.IO that were refused, by reason.", "reason")
)

func describeSocketIO(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descIOConnections, descIONamespaces, descIOAccepted, descIOUpgraded, descIORecovered, descIOIgnored, descIORefused,
	} {
		ch <- d
	}
}

func collectSocketIO(s socketio.Stats, ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge(descIOConnections, s.WebSockets, "websocket")
	gauge(descIOConnections, max(0, s.Connections-s.WebSockets), "polling") // the two are not counted at one time
	gauge(descIONamespaces, s.Namespaces)
	counter(descIOAccepted, s.Accepted)
	counter(descIOUpgraded, s.Upgraded)
	counter(descIORecovered, s.Recovered, "complete")
	counter(descIORecovered, s.NotRecovered, "failed")
	counter(descIOIgnored, s.Ignored)
	for reason, n := range s.Refused {
		counter(descIORefused, n, reason)
	}
}
