package webhook

import (
	"cmp"
	"slices"

	"chatcast/crm"
)

// URLStats are the figures of a callback URL that this process delivers to. They name it by
// its id, because the URL may hold a secret.
type URLStats struct {
	ID        int64  `json:"id"`
	State     string `json:"state"` // active, failing or suspended
	Failures  int64  `json:"failures"`
	LastEvent int64  `json:"lastEventId"`
	Delivered uint64 `json:"delivered"` // events, since this process delivers to it
	Failed    uint64 `json:"failed"`    // attempts
	Lost      uint64 `json:"lost"`      // events that were removed from the journal before
	GivenUp   uint64 `json:"givenUp"`   // requests of a dialect's endpoint that were
}

// Stats returns the figures now, by id. Dry runs are left out.
func (h *Hooks) Stats() []URLStats {
	list := []URLStats{}
	for _, s := range h.all() {
		s.mu.Lock()
		cb := s.cb
		s.mu.Unlock()
		if cb.DryRun() {
			continue
		}
		st := URLStats{
			ID: s.id, State: crm.CallbackActive, Failures: cb.Failures, LastEvent: cb.CursorSeq,
			Delivered: s.stats.delivered.Load(), Failed: s.stats.failed.Load(), Lost: s.stats.lost.Load(), GivenUp: s.stats.givenUp.Load(),
		}
		switch {
		case cb.SuspendedAt != 0:
			st.State = crm.CallbackSuspended
		case cb.Failures > 0:
			st.State = crm.CallbackFailing
		}
		list = append(list, st)
	}
	slices.SortFunc(list, func(a, b URLStats) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
