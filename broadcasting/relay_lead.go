package broadcasting

import (
	"context"
	"time"
)

// The leader's round:
//
//	committed --Number--> numbered --Publish, per channel--> bus --MarkPublished--> done
//
// Each arrow may fail or be cut short anywhere; the next round goes on from what
// the journal says.

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
		last := ctx.Err() != nil // looked at first: the round that follows sees all that came before
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

// workUntil is a context that ends with held, or Grace after ctx.
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

// round numbers and publishes until nothing is left that was there when it began.
func (r *Relay) round(ctx context.Context) error {
	for {
		numbered, err := r.Journal.Number(ctx, relayBatch)
		if err != nil {
			return err
		}
		if err := r.publishAll(ctx); err != nil {
			return err
		}
		if numbered < relayBatch {
			return nil // whoever commits later wakes us
		}
	}
}

// publishAll publishes what is numbered, batch by batch.
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

// publish publishes entries in order and marks those that went out, also when a
// later one did not.
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

// publishEntry publishes one entry to each of its channels. When one fails, the
// next attempt goes on with it and does not repeat those before; nor is an entry
// repeated that only could not be marked.
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
		ev := Event{App: r.App, Channel: e.Channels[r.partDone], Name: e.Name, Data: e.Data, Seq: e.Seq}
		if err := r.Publish(ctx, ev); err != nil {
			return err
		}
		r.partDone++
	}
	r.doneSeq = e.Seq
	r.entries++
	return nil
}

// prune removes one batch of what is older than Retention, and says whether
// there may be more. Events never wait for more than the batch.
func (r *Relay) prune(ctx context.Context) (more bool) {
	now := time.Now()
	if r.Retention <= 0 || now.Before(r.pruneAt) {
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
