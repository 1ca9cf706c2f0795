package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chatcast/broadcasting"
)

const (
	// commitEvents and commitBytes are what one commit has at most, unless one call has more.
	commitEvents = 500
	commitBytes  = 4 << 20

	// maxWaiting and maxWaitingBytes are what may wait for a commit. One app may have half
	// of the bytes, so that others have room too.
	maxWaiting      = 20_000
	maxWaitingBytes = 64 << 20

	commitTime = 5 * time.Second // for one commit
)

// ErrBusy is returned by Keep when too many events wait to be stored.
var ErrBusy = errors.New("history: too many events wait to be stored")

// commit is a call of Keep that waits. All of its events are of one app.
type commit struct {
	ctx   context.Context // of the call
	list  []broadcasting.KeptEvent
	bytes int
	done  chan error // holds one
}

// Keep adds events of one app to their channels' history, all or none, in order. When it
// returns nil they are committed, and on their way to the subscribers of all nodes. When ctx
// ends before their commit begins they are not stored; when it ends during the commit, it is
// not known whether they are.
func (k *Keeper) Keep(ctx context.Context, list []broadcasting.KeptEvent) error {
	if len(list) == 0 {
		return nil
	}
	c := &commit{ctx: ctx, list: list, done: make(chan error, 1)}
	for _, e := range list {
		c.bytes += len(e.Data) + len(e.Name) + len(e.Channel)
	}
	if !k.enqueue(c) {
		return ErrBusy
	}
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

// enqueue lets a call wait for the next commit. It returns false when there is no room.
func (k *Keeper) enqueue(c *commit) bool {
	app := c.list[0].App
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.events > 0 && (k.events+len(c.list) > maxWaiting || k.bytes+c.bytes > maxWaitingBytes || k.ofApp[app]+c.bytes > maxWaitingBytes/2) {
		return false
	}
	k.waiting = append(k.waiting, c)
	k.events += len(c.list)
	k.bytes += c.bytes
	k.ofApp[app] += c.bytes
	if !k.committing {
		k.committing = true
		go k.commitAll()
	}
	return true
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
		batch, ok := k.nextBatch()
		if !ok {
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

// nextBatch takes what the next commit stores, and returns false when nothing waits. Calls
// whose context has ended are left out: their callers were told that nothing was stored.
func (k *Keeper) nextBatch() (batch []*commit, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n, events, bytes := 0, 0, 0
	for _, c := range k.waiting {
		if ended := c.ctx.Err(); ended == nil {
			if len(batch) > 0 && (events+len(c.list) > commitEvents || bytes+c.bytes > commitBytes) {
				break
			}
			events += len(c.list)
			bytes += c.bytes
			batch = append(batch, c)
		}
		n++
		k.events -= len(c.list)
		k.bytes -= c.bytes
		if app := c.list[0].App; k.ofApp[app] == c.bytes {
			delete(k.ofApp, app)
		} else {
			k.ofApp[app] -= c.bytes
		}
	}
	k.waiting = k.waiting[n:]
	if len(batch) == 0 {
		k.committing, k.waiting = false, nil
	}
	return batch, len(batch) > 0
}
