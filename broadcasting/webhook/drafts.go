package webhook

import (
	"strings"
	"time"

	"chatcast/broadcasting"
)

// draft is a delivery that is still being filled.
type draft struct {
	Delivery
	texts    []string
	presence []bool // for each text, see ofPresence
	size     int
	to       *sender // the sender in whose queue its room is reserved
}

// takes reports whether there is room for one more event of size bytes.
func (d *draft) takes(size int, single bool) bool {
	return !single && d.Count < postEvents && d.size+size < postBytes
}

func (d *draft) add(text string, presence bool) {
	d.texts, d.presence = append(d.texts, text), append(d.presence, presence)
	d.size += len(text) + 1
	d.Count++
}

// stripped removes the events that only the process with the app's lease sends, and
// reports whether nothing is left.
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

// deliveries returns the drafts as deliveries to be committed.
func deliveries(drafts []*draft) []Delivery {
	list := make([]Delivery, len(drafts))
	for i, d := range drafts {
		list[i] = d.Delivery
		list[i].Events = strings.Join(d.texts, ",")
	}
	return list
}

// drafts collects the events for each endpoint that wants them into drafts, in order,
// and as few as the bounds of a POST allow.
func (h *Hooks) drafts(events []broadcasting.ChannelEvent, now time.Time) (list []*draft) {
	open := map[*sender]*draft{} // the last draft of each sender
	for _, ev := range events {
		var text string // the same for all endpoints
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

// full counts events for which an endpoint's queue had no room.
func (h *Hooks) full(s *sender, events int, now time.Time) {
	s.stats.dropped.Add(uint64(events))
	if h.mayLogFull(now) {
		h.log.Error("events of webhooks are dropped: too many wait for the endpoint",
			append(s.names(), "reason", "queue_full", "dropped", s.stats.dropped.Load())...)
	}
}
