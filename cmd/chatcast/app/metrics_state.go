package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatcast/crm"
	"chatcast/crm/whatsapp"
	"chatcast/server/pusher"
)

// figuresTime is the time limit for the figures of the database in one scrape.
const figuresTime = 5 * time.Second

var (
	descAppSockets   = desc("app_sockets", "Sockets of the app that are open on this node.", "app")
	descAppMessages  = desc("app_messages_total", "Messages that sockets of the app have sent.", "app")
	descAppClient    = desc("app_client_events_total", "Client events that were accepted from sockets of the app.", "app")
	descAppPublished = desc("app_published_total", "Events that backends of the app have published, one for each channel.", "app")
	descAppLimited   = desc("app_limited_total", "What was refused because of a limit of the app, by the limit's setting.", "app", "limit")

	descSends = desc("sends_total", "Attempts to send what operators wrote, by the messenger's type and the result: sent, failed, or retry.", "messenger", "result")

	descRepairs = desc("app_state_repairs_total", "Repairs of the state that WhatsApp lines share with their phones, by the result: reread, copied from the phone, or failed.", "result")

	descUnreadable = desc("journal_unreadable_total", "How often a reader of the journal has left out an entry that cannot be read.")

	descTroubles = desc("database_troubles_total", "Transactions that failed because the database could not serve, by why: full, read_only, unavailable, failed (its disk), or timeout.", "trouble")
	descChecks   = desc("check_ok", "1 for each check of /readyz that is well.", "check")

	descDatabaseUp    = desc("database_up", "1 when the database has answered this scrape. Without it the metrics below are missing.")
	descLines         = desc("lines", "Lines with an account, by the messenger's type and the state.", "messenger", "state")
	descRatings       = desc("line_ratings", "Paired lines, by the messenger's type and the rating of their accounts: ok, careful, or stop.", "messenger", "rating")
	descOutbox        = desc("outbox_items", "Messages, edits, deletions and read marks that wait to be sent, of all lines.")
	descOutboxOldest  = desc("outbox_oldest_seconds", "How long the oldest of them has waited.")
	descJournal       = desc("journal_waiting_entries", "Entries of the journal that were not published yet.")
	descJournalOldest = desc("journal_oldest_waiting_seconds", "How long the oldest of them has waited.")
	descSearch        = desc("search_complete", "1 when all messages are indexed for search.")
)

// stateMetrics collects the counters of the apps and of the rules, and the figures of the
// database, on each scrape.
type stateMetrics struct {
	apps     *pusher.Apps
	rules    *crm.Service
	whatsapp *whatsapp.Messenger
	health   *health
}

var _ prometheus.Collector = stateMetrics{}

// Describe implements prometheus.Collector.
func (m stateMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descAppSockets, descAppMessages, descAppClient, descAppPublished, descAppLimited, descSends, descRepairs, descUnreadable, descTroubles, descChecks,
		descDatabaseUp, descLines, descRatings, descOutbox, descOutboxOldest, descJournal, descJournalOldest, descSearch,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m stateMetrics) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for _, app := range m.apps.Stats() {
		ch <- prometheus.MustNewConstMetric(descAppSockets, prometheus.GaugeValue, float64(app.Sockets), app.App)
		count(descAppMessages, app.Messages, app.App)
		count(descAppClient, app.ClientEvents, app.App)
		count(descAppPublished, app.Published, app.App)
		for limit, n := range app.Limited {
			count(descAppLimited, n, app.App, limit)
		}
	}
	for s, n := range m.rules.Sends() {
		count(descSends, n, s.Messenger, s.Result)
	}
	for result, n := range m.whatsapp.Repairs() {
		count(descRepairs, n, result)
	}
	count(descUnreadable, m.rules.Journal.LeftOut())
	for why, n := range m.rules.Store.Troubled() {
		count(descTroubles, n, string(why))
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	for _, check := range m.health.all() {
		ch <- prometheus.MustNewConstMetric(descChecks, prometheus.GaugeValue, oneIf(check.ask(ctx) == nil), check.name)
	}
	m.collectFigures(ch)
}

func (m stateMetrics) collectFigures(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), figuresTime)
	defer cancel()
	f, err := m.rules.Figures(ctx)
	gauge(descDatabaseUp, oneIf(err == nil))
	if err != nil {
		return
	}
	for _, l := range f.Lines {
		gauge(descLines, float64(l.Lines), l.MessengerType, l.State)
	}
	for _, r := range f.Ratings {
		gauge(descRatings, float64(r.Lines), r.MessengerType, r.Rating)
	}
	gauge(descOutbox, float64(f.Outbox.Items))
	gauge(descOutboxOldest, f.Outbox.Oldest.Seconds())
	gauge(descJournal, float64(f.Journal.Items))
	gauge(descJournalOldest, f.Journal.Oldest.Seconds())
	gauge(descSearch, oneIf(f.Searchable))
}
