package webhook

import (
	"time"

	"chatcast/crm"
)

// apply makes the senders those of the list.
func (h *Hooks) apply(list []crm.Callback) {
	h.mu.Lock()
	defer h.mu.Unlock()
	has := map[int64]bool{}
	for _, cb := range list {
		has[cb.ID] = true
		if s := h.senders[cb.ID]; s != nil {
			s.update(cb)
			continue
		}
		s := newSender(h, cb)
		h.senders[cb.ID] = s
		s.kick()
	}
	for id, s := range h.senders {
		if !has[id] {
			s.end()
			delete(h.senders, id)
		}
	}
}

// idle returns how often cursors are moved past what nobody wants.
func (h *Hooks) idle() time.Duration {
	if h.Retention > 0 {
		return min(idleTime, h.Retention/4)
	}
	return idleTime
}

func (h *Hooks) kickAll() {
	for _, s := range h.all() {
		s.kick()
	}
}

func (h *Hooks) all() (list []*sender) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.senders {
		list = append(list, s)
	}
	return list
}
