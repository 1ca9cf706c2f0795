package webhook

import (
	"time"

	"chatcast/broadcasting"
)

// draft is a delivery that is being filled.
type draft struct {
	Delivery
	texts []string
	size  int
	to    hold
}

// takes says whether there is room for one more event of size bytes.
func (d *draft) takes(size int, single bool) bool {
	return !single && d.Count < postEvents && d.size+size < postBytes
}

func (d *draft) add(text string) {
	d.texts = append(d.texts, text)
	d.size += len(text) + 1
	d.Count++
}

// drafts are the events for each endpoint that wants them, as few as the bounds of a
// POST allow, in order.
func (h *Hooks) drafts(events []broadcasting.ChannelEvent, now time.Time) (list []*draft) {
	open := map[*sender]*draft{} // the last one of each
	for _, ev := range events {
		var text string // the same for all
		for _, e := range (*h.applied)[ev.App] {
			if !e.wants(ev.Kind, ev.Channel) {
				continue
			}
			if text == "" {
				var err error
				if text, err = encode(ev); err != nil {
					h.log.Error("an event has no webhook", "app", ev.App, "error", err)
					break
				}
			}
			key := senderKey{ev.App, e.id}
			s := h.senders[key]
			if !s.reserve(len(text)) {
				h.full(s, now)
				continue
			}
			d := open[s]
			if d == nil || !d.takes(len(text), e.Single) {
				d = &draft{Delivery: Delivery{App: ev.App, Endpoint: e.id, Created: now}, to: hold{s, key}}
				open[s], list = d, append(list, d)
			}
			d.add(text)
		}
	}
	return list
}

// full counts an event that an endpoint's queue had no room for.
func (h *Hooks) full(s *sender, now time.Time) {
	s.stats.dropped.Add(1)
	if h.mayLogFull(now) {
		h.log.Error("events of webhooks are dropped: too many wait for the endpoint",
			append(s.names(), "reason", "queue_full", "dropped", s.stats.dropped.Load())...)
	}
}
