package webhook

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// Times of the leases.
const (
	DefaultLease = 15 * time.Second

	tendTime = time.Second // between looks at what other processes lease and queue
	// How long a delivery waits for its endpoint to be configured: the process that
	// queued it may learn of the endpoint first.
	unknownTime = 10 * time.Second
)

// errLost is the cause that ends a sender when another process leases the app.
var errLost = errors.New("webhook: the lease is lost")

// unknown is a delivery whose endpoint is not configured here.
type unknown struct {
	Delivery
	since time.Time
}

// mayPost reports whether a POST that begins now, and takes at most postTime or a third
// of the lease, ends before another process can have taken the leases.
func (h *Hooks) mayPost() bool {
	return h.alone || time.Since(h.started)-time.Duration(h.renewed.Load()) < h.ttl*3/5
}

// wanted lists the apps with endpoints.
func (h *Hooks) wanted() (apps []string) {
	for app, list := range *h.applied {
		if len(list) > 0 {
			apps = append(apps, app)
		}
	}
	return apps
}

// claimNew claims the apps that were not claimed yet. No events of an app may be
// collected before it is known which process leases it.
func (h *Hooks) claimNew(ctx context.Context) error {
	apps := slices.DeleteFunc(h.wanted(), func(app string) bool {
		_, leased := h.leased[app]
		return leased || h.elsewhere[app]
	})
	return h.claim(ctx, apps, false)
}

// claim leases those of the apps that no other process leases, and takes over what is
// kept of them. rest also claims all other apps of which something is kept.
func (h *Hooks) claim(ctx context.Context, apps []string, rest bool) error {
	if len(apps) == 0 && !rest {
		return nil
	}
	asked := time.Since(h.started)
	kept, err := h.store.Load(ctx, Claim{Owner: h.owner, TTL: h.ttl, Apps: apps, Rest: rest, Alone: h.alone})
	if err != nil {
		return err
	}
	if len(h.leased) == 0 {
		h.renewed.Store(int64(asked))
	}
	for _, app := range kept.Apps {
		h.leased[app] = 0
		if h.elsewhere[app] {
			h.log.Info("the webhooks of the app are delivered by this process now", "app", app)
		}
		delete(h.elsewhere, app)
	}
	for _, app := range apps {
		if _, leased := h.leased[app]; !leased && !h.elsewhere[app] {
			h.log.Info("the webhooks of the app are delivered by another process", "app", app)
			h.elsewhere[app] = true
			h.in.cede(app)
		}
	}
	if len(kept.Apps) == 0 {
		return nil
	}
	now := time.Now()
	h.in.acquire(kept.Apps, kept.Announced, now)
	h.restore(kept.Apps, kept.States)
	h.resume(kept.Deliveries, now)
	if h.running != nil {
		h.in.begin(now.Add(h.returnGrace))
		h.startLeased(kept.Apps)
	}
	h.wake()
	return nil
}

// startLeased starts the senders of the apps.
func (h *Hooks) startLeased(apps []string) {
	for key, s := range h.senders {
		if slices.Contains(apps, key.app) && h.running.stops[s] == nil {
			h.running.start(s)
		}
	}
}

// tend renews the leases, takes those that another process has let go, and queues what
// other processes have committed.
func (h *Hooks) tend(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, h.ttl)
	defer cancel()
	err := errors.Join(h.renew(ctx), h.claim(ctx, slices.Collect(maps.Keys(h.elsewhere)), false))
	if !h.alone {
		err = errors.Join(err, h.pull(ctx))
	}
	err = errors.Join(err, h.lookForResumed(ctx))
	if err != nil && ctx.Err() == nil {
		h.log.Warn("the leases of webhooks could not be looked after", "error", err)
	}
	h.retryUnknown(time.Now())
}

// renew renews the leases when a third of their time is over.
func (h *Hooks) renew(ctx context.Context) error {
	asked := time.Since(h.started)
	if len(h.leased) == 0 || asked-time.Duration(h.renewed.Load()) < h.ttl/3 {
		return nil
	}
	apps, err := h.store.Renew(ctx, h.owner, h.ttl)
	if err != nil {
		return err
	}
	for app := range h.leased {
		if !slices.Contains(apps, app) {
			h.lose(app)
		}
	}
	h.renewed.Store(int64(asked))
	return nil
}

// lose stops this process's work for an app that another process leases. Waiting
// deliveries are left to that process. What is not committed yet is dropped, except new
// events that only this process has recorded.
func (h *Hooks) lose(app string) {
	h.log.Warn("another process delivers the webhooks of the app now", "app", app)
	delete(h.leased, app)
	h.elsewhere[app] = true
	h.in.cede(app)
	h.strip(app)
	h.unknown = slices.DeleteFunc(h.unknown, func(u unknown) bool { return u.App == app })
	h.sendersMu.Lock()
	defer h.sendersMu.Unlock()
	for key, s := range h.senders {
		if key.app == app {
			h.senders[key] = s.again()
			if h.running != nil {
				h.running.stop(s, errLost)
			}
		}
	}
}

// strip removes from the held batch what only the process with the app's lease may
// commit.
func (h *Hooks) strip(app string) {
	b := h.held
	if b == nil {
		return
	}
	subject := func(s Subject) bool { return s.App == app }
	b.Failed = slices.DeleteFunc(b.Failed, func(f Failure) bool { return f.App == app })
	b.GivenUp = slices.DeleteFunc(b.GivenUp, func(a Attempt) bool { return a.App == app })
	b.Done = slices.DeleteFunc(b.Done, func(r Ref) bool { return r.App == app })
	b.Announced, b.Cleared = slices.DeleteFunc(b.Announced, subject), slices.DeleteFunc(b.Cleared, subject)
	h.holders = slices.DeleteFunc(h.holders, func(d *draft) bool { return d.App == app && d.stripped() })
	b.New = deliveries(h.holders)
}

// pull queues what other processes have committed for apps that this process leases.
func (h *Hooks) pull(ctx context.Context) error {
	for len(h.leased) > 0 {
		list, err := h.store.Queued(ctx, h.owner, h.leased)
		if err != nil || len(list) == 0 {
			return err
		}
		now := time.Now()
		for _, d := range list {
			h.leased[d.App] = max(h.leased[d.App], d.ID)
			h.accept(d, now)
		}
	}
	return nil
}

// accept queues a delivery of another process, or drops it if there is no room.
func (h *Hooks) accept(d Delivery, now time.Time) {
	s := h.senders[senderKey{d.App, d.Endpoint}]
	switch {
	case s == nil:
		h.unknown = append(h.unknown, unknown{d, now})
	case !s.reserve(d.Count, len(d.Events)):
		h.full(s, d.Count, now)
		h.report(outcome{done: []Ref{{d.App, d.ID}}})
	default:
		h.queue(s, d, now)
	}
}

// retryUnknown queues the deliveries whose endpoints have been configured since, and
// drops those that have waited too long.
func (h *Hooks) retryUnknown(now time.Time) {
	list, gone := h.unknown, 0
	h.unknown = nil
	for _, u := range list {
		switch {
		case h.senders[senderKey{u.App, u.Endpoint}] != nil:
			h.accept(u.Delivery, now)
		case now.Sub(u.since) < unknownTime:
			h.unknown = append(h.unknown, u)
		default:
			gone += u.Count
			h.report(outcome{done: []Ref{{u.App, u.ID}}})
		}
	}
	h.logRemoved(gone)
}

// releaseUnwanted gives back the leases of apps that no longer have endpoints, once
// everything about them is committed.
func (h *Hooks) releaseUnwanted(ctx context.Context) {
	var apps []string
	for app := range h.leased {
		if len((*h.applied)[app]) == 0 {
			apps = append(apps, app)
		}
	}
	h.outcomesMu.Lock()
	open := len(h.outcomes.done)+len(h.outcomes.failed) > 0
	h.outcomesMu.Unlock()
	if len(apps) == 0 || open {
		return
	}
	if err := h.store.Release(ctx, h.owner, apps); err != nil {
		h.log.Warn("the leases of webhooks could not be given back", "error", err) // the next flush tries again
		return
	}
	for _, app := range apps {
		delete(h.leased, app)
	}
}
