package webhook

import (
	"context"

	"chatcast/crm"
)

// progress notes how far the deliveries have got, and how far that is stored. It returns how
// many numbers the stored cursor lies behind.
func (d *delivery) progress(stored bool) (behind int64) {
	s := d.sender
	s.mu.Lock()
	defer s.mu.Unlock()
	if !d.Same(s.cb) {
		return 0
	}
	s.cb.CallbackProgress = d.CallbackProgress
	if stored {
		s.stored = d.CursorSeq
	}
	return d.CursorSeq - s.stored
}

// report stores the progress. It returns false when it is not to be stored.
func (d *delivery) report(ctx context.Context) bool {
	saved, err := d.h.rules.ReportCallback(ctx, d.h.owner, crm.CallbackReport{Callback: d.Callback, Attempts: d.attempts, Lost: d.lost})
	if err != nil {
		return d.database(ctx, err)
	}
	d.attempts, d.lost, d.trouble = nil, nil, 0
	if !saved {
		d.h.Changed()
		return false
	}
	d.progress(true)
	return true
}

// reportLast reports what is left, also when ctx has ended. Until then it waits for a database
// that does not answer: what is not reported would be posted again. That nobody wanted some events
// is no reason to write: the sender knows it, and another process would look at them again.
func (d *delivery) reportLast(ctx context.Context) {
	for ctx.Err() == nil && (len(d.attempts) > 0 || d.lost != nil) {
		if !d.report(ctx) {
			break
		}
	}
	if len(d.attempts) == 0 && d.lost == nil {
		if moved := d.progress(false); moved == 0 || moved < moveMost && !d.always {
			return
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if d.report(last); len(d.attempts) > 0 {
		d.h.Log.Warn("events that a callback URL has taken are sent to it again", "callback", d.ID, "reason", "database", "events", len(d.attempts))
	}
}

// gap steps over events that are gone or cannot be read.
func (d *delivery) gap(gap *crm.CallbackGap) {
	d.moveTo(gap.To)
	d.lost, d.LostFrom, d.LostTo, d.LostAt = gap, gap.From, gap.To, gap.Time
	d.stats.lost.Add(uint64(gap.To - gap.From + 1))
	if gap.Unreadable {
		d.h.Log.Error("an event that cannot be read is left out at a callback URL", "callback", d.ID, "reason", "unreadable", "event", gap.From)
		return
	}
	d.h.Log.Error("events were removed from the journal before a callback URL got them", "callback", d.ID, "reason", "lost", "from", gap.From, "to", gap.To)
}
