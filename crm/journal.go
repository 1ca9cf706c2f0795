package crm

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/models"
)

var (
	_ broadcasting.Journal     = (*Journal)(nil)
	_ broadcasting.TailJournal = (*Journal)(nil)
)

// Journal gives the relay access to the store's journal and wakes callers that wait for
// events. The relay and the Service of a process share one. It is safe for concurrent
// use.
type Journal struct {
	// static
	store *models.Store
	// AppEvents is called when another node may have added events of apps. It is set before
	// the relay runs, and may be nil.
	AppEvents func()

	waiting atomic.Int64
	leftOut atomic.Uint64

	mu    sync.Mutex    // guards all below
	grown chan struct{} // closed and replaced when entries are published
	waits map[int64]int // number of waiting calls of Events, by user id

	traces map[int64]broadcasting.Trace // of entries that were not published yet, by row id
	log    *slog.Logger
}

// maxTraces is how many entries may wait with a trace: those of changes that failed after
// all are never fetched.
const maxTraces = 10_000

// trace notes the trace of an entry, before it is committed.
func (j *Journal) trace(id int64, trace broadcasting.Trace) {
	if trace == (broadcasting.Trace{}) {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.traces == nil || len(j.traces) >= maxTraces {
		j.traces = map[int64]broadcasting.Trace{}
	}
	j.traces[id] = trace
}

// mark returns the mark of an entry that is about to be published.
func (j *Journal) mark(row models.JournalEntry) *broadcasting.Mark {
	j.mu.Lock()
	defer j.mu.Unlock()
	trace := j.traces[row.ID]
	delete(j.traces, row.ID)
	return &broadcasting.Mark{Committed: row.CreatedAtMS * 1000, Trace: trace}
}

// NewJournal returns the journal of store.
func NewJournal(store *models.Store) *Journal {
	return &Journal{store: store, grown: make(chan struct{}), waits: map[int64]int{}, log: slog.New(slog.DiscardHandler)}
}

// logTo sets where j logs.
func (j *Journal) logTo(log *slog.Logger) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.log = log
}

// LeftOut returns how often readers have left out an entry, because it cannot be read.
func (j *Journal) LeftOut() uint64 { return j.leftOut.Load() }

// leaveOut counts and logs that a reader leaves out an entry that is no event. Reading it
// again would not help, so every reader steps over it: what follows is published, replayed,
// listed and posted. Who can be told that something is missing is told.
func (j *Journal) leaveOut(ctx context.Context, row models.JournalEntry, err error) {
	j.leftOut.Add(1)
	j.mu.Lock()
	log := j.log
	j.mu.Unlock()
	log.ErrorContext(ctx, "an entry of the journal cannot be read, and is left out", "reason", "unreadable", "row", row.ID, "seq", deref(row.Seq), "error", err)
}

// Waiting returns the number of calls of Events that wait for an event.
func (j *Journal) Waiting() int { return int(j.waiting.Load()) }

// wait takes one of the user's waiting places and reports whether one was free. The
// caller gives it back with waited.
func (j *Journal) wait(userID int64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.waits[userID] >= MaxEventsWaits {
		return false
	}
	j.waits[userID]++
	return true
}

func (j *Journal) waited(userID int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.waits[userID]--; j.waits[userID] == 0 {
		delete(j.waits, userID)
	}
}

// Lead implements broadcasting.Journal.
func (j *Journal) Lead(ctx context.Context, appended func(), lead func(held context.Context) error) error {
	return j.store.LeadJournal(ctx, models.JournalHeard{Appended: appended, Published: j.published, AppEvents: j.AppEvents}, lead)
}

// Number implements broadcasting.Journal.
func (j *Journal) Number(ctx context.Context, limit int) (n int, err error) {
	err = j.store.TxFirst(ctx, func(tx *models.Tx) error {
		n, err = tx.NumberJournal(limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("crm: number the journal: %w", err)
	}
	return n, nil
}

// Unpublished implements broadcasting.Journal.
func (j *Journal) Unpublished(ctx context.Context, limit int) ([]broadcasting.Entry, error) {
	rows, err := j.store.Read(ctx).UnpublishedJournal(limit)
	return j.entries(ctx, rows, err)
}

// entries converts rows that are about to be published.
func (j *Journal) entries(ctx context.Context, rows []models.JournalEntry, err error) ([]broadcasting.Entry, error) {
	if err != nil {
		return nil, fmt.Errorf("crm: read the journal: %w", err)
	}
	entries := make([]broadcasting.Entry, len(rows))
	for i, row := range rows {
		if entries[i], err = broadcastEntry(row); err != nil {
			j.leaveOut(ctx, row, err)
			entries[i] = broadcasting.Entry{Seq: *row.Seq} // in no channel
		}
		entries[i].Mark = j.mark(row)
	}
	return entries, nil
}

// MarkPublished implements broadcasting.Journal.
func (j *Journal) MarkPublished(ctx context.Context, seq int64) error {
	err := j.store.TxFirst(ctx, func(tx *models.Tx) error { return tx.MarkPublished(seq) })
	if err != nil {
		return fmt.Errorf("crm: mark the journal: %w", err)
	}
	j.published()
	return nil
}

// MarkNumbered marks all numbered entries published, for nodes that read them by
// themselves; see broadcasting.RelayOptions.
func (j *Journal) MarkNumbered(ctx context.Context) (seq int64, err error) {
	err = j.store.Tx(ctx, func(tx *models.Tx) error {
		seq, err = tx.MarkNumbered()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("crm: mark the journal: %w", err)
	}
	j.published()
	return seq, nil
}

// LastPublished implements broadcasting.TailJournal.
func (j *Journal) LastPublished(ctx context.Context) (int64, error) {
	bounds, err := j.store.Read(ctx).JournalBounds()
	if err != nil {
		return 0, fmt.Errorf("crm: read the journal: %w", err)
	}
	return bounds.Published, nil
}

// PublishedAfter implements broadcasting.TailJournal.
func (j *Journal) PublishedAfter(ctx context.Context, seq int64, limit int) ([]broadcasting.Entry, error) {
	rows, err := j.store.Read(ctx).PublishedJournal(seq, limit)
	return j.entries(ctx, rows, err)
}

// Grown implements broadcasting.TailJournal.
func (j *Journal) Grown() <-chan struct{} { return j.next() }

// Prune implements broadcasting.Journal.
func (j *Journal) Prune(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = j.store.Tx(ctx, func(tx *models.Tx) error {
		n, err = tx.PruneJournal(before.UnixMilli(), limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("crm: prune the journal: %w", err)
	}
	return n, nil
}

// published wakes all callers that wait on next.
func (j *Journal) published() {
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.grown)
	j.grown = make(chan struct{})
}

// next returns a channel that is closed when entries are published after this call.
func (j *Journal) next() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.grown
}

// broadcastEntry converts a numbered row to the entry to publish, with its number in
// the data. Every reader of the journal uses it: an error means that the row is no event,
// see Journal.leaveOut.
func broadcastEntry(row models.JournalEntry) (broadcasting.Entry, error) {
	e := broadcasting.Entry{Seq: *row.Seq, Name: row.Name}
	if err := json.Unmarshal([]byte(row.Channels), &e.Channels); err != nil {
		return e, fmt.Errorf("crm: channels of journal entry %d: %w", e.Seq, err)
	}
	e.Channels = channels.WithCompanyLines(row.CompanyID, e.Channels)
	if strings.HasPrefix(row.Data, envelopeHead) && strings.HasSuffix(row.Data, envelopeTail) {
		e.Data = WithEventID(row.Data, e.Seq)
	}
	if !json.Valid([]byte(e.Data)) {
		return e, fmt.Errorf("crm: data of journal entry %d is no event", e.Seq)
	}
	return e, nil
}
