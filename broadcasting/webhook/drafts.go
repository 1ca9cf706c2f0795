package webhook

import (
	"strings"
	"time"

	"chatcast/broadcasting"
)

// draft is a delivery that is being filled.
type draft struct {
	Delivery
	texts    []string
	presence []bool // of each text: see ofPresence
	size     int
	to       *sender // in which it has reserved its room
}

// takes says whether there is room for one more event of size bytes.
func (d *draft) takes(size int, single bool) bool {
	return !single && d.Count < postEvents && d.size+size < postBytes
}

func (d *draft) add(text string, presence bool) {
	d.texts, d.presence = append(d.texts, text), append(d.presence, presence)
	d.size += len(text) + 1
	d.Count++
}

// stripped takes out what the process with the app's lease tells, and says whether nothing
// is left.
func (d *draft) stripped() bool {
	texts, presence := d.texts, d.presence
	d.texts, d.presence, d.size, d.Count = nil, nil, 0, 0
	for i, text := range texts {
		if !presence[i] {
			d.add(text, false)
		}
	}
	return d.Count == 0
}

// deliveries are the drafts as they are committed.
func deliveries(drafts []*draft) []Delivery {
	list := make([]Delivery, len(drafts))
	for i, d := range drafts {
		list[i] = d.Delivery
		list[i].Events = strings.Join(d.texts, ",")
	}
	return list
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
			s := h.senders[senderKey{ev.App, e.id}]
			if !s.reserve(1, len(text)) {
				h.full(s, 1, now)
				continue
			}
			d := open[s]
			if d == nil || !d.takes(len(text), e.Single) {
				d = &draft{Delivery: Delivery{App: ev.App, Endpoint: e.id, Created: now}, to: s}
				open[s], list = d, append(list, d)
			}
			d.add(text, ofPresence(ev.Kind))
		}
	}
	return list
}

// full counts events that an endpoint's queue had no room for.
func (h *Hooks) full(s *sender, events int, now time.Time) {
	s.stats.dropped.Add(uint64(events))
	if h.mayLogFull(now) {
		h.log.Error("events of webhooks are dropped: too many wait for the endpoint",
			append(s.names(), "reason", "queue_full", "dropped", s.stats.dropped.Load())...)
	}
}
