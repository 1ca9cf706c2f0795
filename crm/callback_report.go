package crm

import (
	"context"

	"chatcast/models"
)

// CallbackReport is what happened since the last one.
type CallbackReport struct {
	Callback                    // with its progress now
	Attempts []CallbackReported // in order
	Lost     *CallbackGap       // found since
}

// CallbackReported is an attempt at an event.
type CallbackReported struct {
	Event   CallbackEvent
	Nth     int64
	Attempt CallbackAttempt
}

// ReportCallback stores the progress and the log of a URL. It returns false when the
// progress is not to be stored, because the URL was changed or removed meanwhile, or another
// process delivers to it.
func (s *Service) ReportCallback(ctx context.Context, owner string, r CallbackReport) (saved bool, err error) {
	err = s.change(ctx, func(c *change) error {
		kind, id := models.CallbackEvent, r.ID
		if r.DryRun() {
			kind, id = models.CallbackDryRun, r.ParentID
		}
		if saved, err = c.tx.SaveCallbackProgress(r.ID, r.Generation, r.Epoch, owner, r.CallbackProgress); err != nil {
			return err
		}
		var rows []models.CallbackDelivery
		if r.Lost != nil && saved {
			rows = append(rows, lostRow(*r.Lost))
		}
		for _, a := range r.Attempts {
			rows = append(rows, attemptRow(kind, a.Event, a.Nth, a.Attempt))
		}
		return c.tx.LogCallback(id, rows, CallbackLogSize)
	})
	return saved && err == nil, err
}

func lostRow(gap CallbackGap) models.CallbackDelivery {
	row := models.CallbackDelivery{
		Kind: models.CallbackLost, Seq: gap.From, UntilSeq: gap.To, Reason: "lost",
		Error: "these events were removed from the journal before they were delivered", AtMS: gap.Time * 1000,
	}
	if gap.Unreadable {
		row.Reason, row.Error = "unreadable", "this event cannot be read in the journal, and was left out"
	}
	return row
}
