package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chatcast/broadcasting"
)

const (
	// commitEvents is how many events one commit has at most, unless one call has more.
	commitEvents = 500
	// maxWaiting is how many events may wait for a commit.
	maxWaiting = 20_000

	commitTime = 5 * time.Second // for one commit
)

// ErrBusy is returned by Keep when too many events wait to be stored.
var ErrBusy = errors.New("history: too many events wait to be stored")

// commit is a call of Keep that waits.
type commit struct {
	list []broadcasting.KeptEvent
	done chan error // holds one
}

// Keep adds events to their channels' history, all or none, in order. When it returns nil
// they are committed, and on their way to the subscribers of all nodes. When ctx ends
// before, it is not known whether they are.
func (k *Keeper) Keep(ctx context.Context, list []broadcasting.KeptEvent) error {
	c := &commit{list: list, done: make(chan error, 1)}
	k.mu.Lock()
	if k.events+len(list) > maxWaiting && k.events > 0 {
		k.mu.Unlock()
		return ErrBusy
	}
	k.waiting = append(k.waiting, c)
	k.events += len(list)
	if !k.committing {
		k.committing = true
		go k.commitAll()
	}
	k.mu.Unlock()
	select {
	case err := <-c.done:
		if err != nil {
			return fmt.Errorf("history: store events: %w", err)
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	return k.publishCached(ctx, list)
}

// publishCached publishes the events of cache channels, which the tail leaves out.
func (k *Keeper) publishCached(ctx context.Context, list []broadcasting.KeptEvent) error {
	for _, e := range list {
		if !e.Kept() {
			continue
		}
		if err := k.opt.Engine.Publish(ctx, e.Event); err != nil {
			return err
		}
	}
	return nil
}

// commitAll commits what waits, a batch at a time, until nothing does. What comes during a
// commit is in the next one: so many publishers need few commits.
func (k *Keeper) commitAll() {
	for {
		batch := k.nextBatch()
		if batch == nil {
			return
		}
		var list []broadcasting.KeptEvent
		cached := 0
		for _, c := range batch {
			list = append(list, c.list...)
		}
		for _, e := range list {
			if e.Kept() {
				cached++ // Publish counts it
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), commitTime)
		err := k.opt.Store.Append(ctx, list)
		cancel()
		if err == nil {
			k.opt.Engine.Kept(len(list) - cached)
			k.Wake()
		}
		for _, c := range batch {
			c.done <- err
		}
	}
}

// nextBatch takes what the next commit stores; nil: nothing waits.
func (k *Keeper) nextBatch() []*commit {
	k.mu.Lock()
	defer k.mu.Unlock()
	n, events := 0, 0
	for n < len(k.waiting) && (n == 0 || events+len(k.waiting[n].list) <= commitEvents) {
		events += len(k.waiting[n].list)
		n++
	}
	if n == 0 {
		k.committing, k.waiting = false, nil
		return nil
	}
	batch := k.waiting[:n:n]
	k.waiting, k.events = k.waiting[n:], k.events-events
	return batch
}
