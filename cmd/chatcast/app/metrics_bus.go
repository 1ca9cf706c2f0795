package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
)

var (
	descBusUp       = desc("bus_up", "1 when this node hears the other nodes, or there can be none.")
	descBusNodes    = desc("bus_nodes", "Nodes of the cluster, as far as this node knows, with this one.")
	descBusJoins    = desc("bus_joins_total", "How often this node has joined the others again, after it had lost them.")
	descBusCutOffs  = desc("bus_cut_offs_total", "How often this node has disconnected its sockets, because it may have missed the end of an access.")
	descBusGaps     = desc("bus_gaps_total", "How often something that another node reported was lost on the way, and asked for again.")
	descBusBuried   = desc("bus_buried_total", "Dead nodes that this node has removed.")
	descBusMessages = desc("bus_messages_total", "Messages between the nodes: sent, failed, and received, those of this node among them.", "result")
	descBusWaiting  = desc("bus_waiting_messages", "Messages that wait to be sent to the other nodes.")
	descTailReady   = desc("tail_ready", "1 when this node delivers the journal to its sockets.")
	descTailSeq     = desc("tail_delivered_seq", "The last journal number that this node has delivered; 0 on the only node.")
)

// busMetrics collects the counters of what connects this node to others on each scrape.
// Both fields are nil on the only node.
type busMetrics struct {
	nodes *cluster.Node
	tail  *broadcasting.Tail
}

var _ prometheus.Collector = busMetrics{}

// Describe implements prometheus.Collector.
func (m busMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descBusUp, descBusNodes, descBusJoins, descBusCutOffs, descBusGaps, descBusBuried, descBusMessages, descBusWaiting, descTailReady, descTailSeq,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m busMetrics) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	st, ready, seq := cluster.Stats{Up: true, Nodes: 1}, true, int64(0)
	if m.nodes != nil {
		st, ready, seq = m.nodes.Stats(), m.tail.Ready() == nil, m.tail.Delivered()
	}
	gauge(descBusUp, oneIf(st.Up))
	gauge(descBusNodes, float64(st.Nodes))
	gauge(descBusWaiting, float64(st.Waiting))
	count(descBusJoins, st.Joins)
	count(descBusCutOffs, st.CutOffs)
	count(descBusGaps, st.Gaps)
	count(descBusBuried, st.Buried)
	count(descBusMessages, st.Sent, "sent")
	count(descBusMessages, st.Received, "received")
	count(descBusMessages, st.Failed, "failed")
	gauge(descTailReady, oneIf(ready))
	gauge(descTailSeq, float64(seq))
}
