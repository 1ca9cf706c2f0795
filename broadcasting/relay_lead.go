package broadcasting

import (
	"context"
	"time"
)

// The leader's round:
//
//	committed --Number--> numbered --Publish, per channel--> broker --MarkPublished--> done
//
// Each step may fail or be cut short. The next round continues from the state of the
// journal.

// lead relays until ctx ends and the last round is done, or held ends.
func (r *Relay) lead(ctx, held context.Context) error {
	work, release := r.workUntil(ctx, held)
	defer release()
	r.Log.InfoContext(ctx, "relay leads")
	r.note(func(h *RelayHealth) { h.Leading, h.LastRound = true, time.Now() })
	poll := time.NewTicker(r.Poll)
	defer poll.Stop()
	wait := backoff{}
	for {
		last := ctx.Err() != nil // checked before the round, so the last round sees all entries
		err := r.round(work)
		if held.Err() != nil {
			return context.Cause(held)
		}
		r.noteRound(err)
		if err == nil && last || work.Err() != nil {
			if err != nil {
				r.Log.WarnContext(work, "relay leaves entries for the next start", "error", err)
			}
			return nil
		}
		if err != nil {
			r.Log.WarnContext(work, "relay round failed, trying again", "error", err)
			wait.sleep(work)
			continue
		}
		wait = backoff{}
		if r.prune(work) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-held.Done():
		case <-r.wake:
		case <-poll.C:
		}
	}
}

// workUntil returns a context that ends with held, or Grace after ctx.
func (r *Relay) workUntil(ctx, held context.Context) (work context.Context, release func()) {
	work, cancel := context.WithCancel(held)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-work.Done():
			return
		case <-ctx.Done():
		}
		grace := time.NewTimer(r.Grace)
		defer grace.Stop()
		select {
		case <-work.Done():
		case <-grace.C:
			cancel()
		}
	}()
	return work, func() { cancel(); <-ended }
}

func (r *Relay) noteRound(err error) {
	r.note(func(h *RelayHealth) {
		h.Err = err
		if err == nil {
			h.LastRound = time.Now()
		}
	})
}

// round numbers and publishes everything that was there when it began.
func (r *Relay) round(ctx context.Context) error {
	for {
		numbered, err := r.Journal.Number(ctx, relayBatch)
		if err != nil {
			return err
		}
		publish := r.publishAll
		if r.Mark != nil {
			publish = r.markAll
		}
		if err := publish(ctx); err != nil {
			return err
		}
		if numbered < relayBatch {
			return nil // later commits wake the relay
		}
	}
}

// markAll leaves it to the nodes to read what is numbered.
func (r *Relay) markAll(ctx context.Context) error {
	seq, err := r.Mark(ctx)
	if err != nil {
		return err
	}
	if r.doneSeq != 0 && seq > r.doneSeq {
		r.entries += uint64(seq - r.doneSeq)
	}
	r.doneSeq = seq
	r.note(func(h *RelayHealth) { h.Published, h.Entries = seq, r.entries })
	return nil
}

// publishAll publishes the numbered entries, batch by batch.
func (r *Relay) publishAll(ctx context.Context) error {
	for {
		entries, err := r.Journal.Unpublished(ctx, relayBatch)
		if err != nil {
			return err
		}
		if err := r.publish(ctx, entries); err != nil {
			return err
		}
		if len(entries) < relayBatch {
			return nil
		}
	}
}

// publish publishes entries in order and marks the published ones, even when a later
// one failed.
func (r *Relay) publish(ctx context.Context, entries []Entry) error {
	var done int64
	var err error
	for _, e := range entries {
		if err = r.publishEntry(ctx, e); err != nil {
			break
		}
		done = e.Seq
	}
	if done > 0 {
		if markErr := r.Journal.MarkPublished(ctx, done); markErr != nil {
			return markErr
		}
		r.note(func(h *RelayHealth) { h.Published, h.Entries = done, r.entries })
	}
	return err
}

// publishEntry publishes one entry to each of its channels. When a channel fails, the
// next attempt continues with that channel. An entry that was published but could not
// be marked is not published again.
func (r *Relay) publishEntry(ctx context.Context, e Entry) error {
	if e.Seq <= r.doneSeq {
		return nil
	}
	if r.partSeq != e.Seq {
		r.partSeq, r.partDone = e.Seq, 0
	}
	for r.partDone < len(e.Channels) {
		if err := ctx.Err(); err != nil {
			return err
		}
		ev := Event{App: r.App, Channel: e.Channels[r.partDone], Name: e.Name, Data: e.Data, Seq: e.Seq, Mark: e.Mark}
		if err := r.Publish(ctx, ev); err != nil {
			return err
		}
		r.partDone++
	}
	r.doneSeq = e.Seq
	r.entries++
	return nil
}

// prune removes one batch of entries older than Retention, and reports whether there
// may be more. Events never wait for more than one batch.
func (r *Relay) prune(ctx context.Context) (more bool) {
	now := time.Now()
	if r.Retention <= 0 || now.Before(r.pruneAt) {
		return false
	}
	if r.leapt(ctx) {
		r.pruneAt = now.Add(pruneInterval)
		return false
	}
	removed, err := r.Journal.Prune(ctx, now.Add(-r.Retention), relayBatch)
	if err != nil {
		r.Log.WarnContext(ctx, "journal could not be pruned", "error", err)
	} else if removed == relayBatch {
		return true
	}
	r.pruneAt = now.Add(pruneInterval)
	return false
}

// leapt reports whether the clock of the system was put forward by more than leap within the
// last day: what is young by the old clock looks as if it were to be removed. The machine may
// also have slept that long. Whoever looks after it has a day to put the clock right.
func (r *Relay) leapt(ctx context.Context) bool {
	wall, ran := r.Clock()
	if ahead := wall.Sub(r.wall) - (ran - r.ran); ahead > leap {
		r.keepUntil = ran + keepAfterLeap
		r.Log.ErrorContext(ctx, "the clock has leapt forward; nothing is removed from the journal for a day", "by", ahead)
	}
	r.wall, r.ran = wall, ran
	return ran < r.keepUntil
}

// systemClock returns a RelayOptions.Clock.
func systemClock() func() (wall time.Time, ran time.Duration) {
	began := time.Now()
	return func() (time.Time, time.Duration) {
		now := time.Now()
		return now.Round(0), now.Sub(began)
	}
}
