package crm

import (
	"bytes"
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
	Part    int64  // of the requests of the event, from 0
	Name    string // in the words of the endpoint; empty: that of the event
	Nth     int64
	Attempt CallbackAttempt
	GivenUp bool // it will not be tried again by itself
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
		attempts, err := c.attemptRows(kind, r.Attempts) // first: who merges chats locks the journal before the URL, too
		if err != nil {
			return err
		}
		if r.DryRun() { // before its dry run: so does who rewinds
			if err := c.tx.KeepCallbackURL(r.ParentID); err != nil {
				return err
			}
		}
		if saved, err = c.tx.SaveCallbackProgress(r.ID, r.Generation, r.Epoch, owner, r.CallbackProgress); err != nil {
			return err
		}
		var rows []models.CallbackDelivery
		if r.Lost != nil && saved {
			rows = append(rows, lostRow(*r.Lost))
		}
		return c.tx.LogCallback(id, append(rows, attempts...))
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

// attemptRows returns the entries of the log for attempts. Of an event that is not as it was
// posted any more the answer is left out, because it may repeat what was deleted meanwhile.
// Deletions of the events wait until the change commits, and drop the answers then.
func (c *change) attemptRows(kind string, list []CallbackReported) (rows []models.CallbackDelivery, err error) {
	var answered []int64
	for _, a := range list {
		if a.Attempt.Answer != "" {
			answered = append(answered, a.Event.ID)
		}
	}
	var now map[int64]models.JournalEntry
	if len(answered) > 0 {
		if now, err = c.tx.KeepJournal(answered); err != nil {
			return nil, err
		}
	}
	for _, a := range list {
		row := attemptRow(kind, a)
		e, kept := now[a.Event.ID]
		if !kept || !a.Event.is(e) {
			row.Answer = ""
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// is reports whether an entry is posted now as ev was.
func (ev CallbackEvent) is(e models.JournalEntry) bool {
	now, err := broadcastEntry(e)
	return err == nil && bytes.Equal(callbackBody(now.Data), ev.Body)
}
