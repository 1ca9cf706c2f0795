// Package storetest holds the contract that every webhook.Store must pass, as tests
// that run against each implementation. It is never linked into the program.
package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"chatcast/broadcasting/webhook"
)

// Subject is a new, empty Store.
type Subject struct {
	// A and B are the store as two processes see it. They may be one value.
	A, B webhook.Store
	// Pass advances the store's clock by d, and no other clock.
	Pass func(t *testing.T, d time.Duration)
}

// Case is one part of the contract.
type Case struct {
	Name string
	Test func(t *testing.T, s Subject)
}

// Run runs the whole contract, each part on a store of its own.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for _, c := range Cases {
		t.Run(c.Name, func(t *testing.T) { c.Test(t, open(t)) })
	}
}

// Cases returns the contract.
var Cases = []Case{
	{"Keeps", keeps},
	{"GivesEachAppToOneOwner", one},
	{"GivesEachAppToOneOwnerAtOnce", atOnce},
	{"HandsOverAtExpiry", expiry},
	{"HandsOverAtRelease", release},
	{"Renews", renews},
	{"RefusesTheOldOwner", fences},
	{"RefusesAllOrNothing", wholly},
	{"RefusesWithoutLease", noLease},
	{"TellsWhatOthersQueue", queued},
	{"MissesNothing", missesNothing},
	{"Rest", rest},
	{"Alone", alone},
	{"ClocksOfProcessesMayDiffer", skew},
	{"KeepsStates", keepsStates},
	{"RefusesStatesOfTheOldOwner", fencesStates},
}

const ttl = 15 * time.Second

// process is a process that uses a store.
type process struct {
	t     *testing.T
	store webhook.Store
	owner string
}

func (s Subject) processes(t *testing.T) (a, b *process) {
	return &process{t, s.A, "a"}, &process{t, s.B, "b"}
}

func (p *process) claim(apps ...string) webhook.Claim {
	return webhook.Claim{Owner: p.owner, TTL: ttl, Apps: apps}
}

func (p *process) load(c webhook.Claim) webhook.Kept {
	p.t.Helper()
	kept, err := p.store.Load(p.t.Context(), c)
	if err != nil {
		p.t.Fatalf("%s: Load: %v", p.owner, err)
	}
	return kept
}

// gets loads the apps, and compares the apps that the process leases and the events of
// their deliveries.
func (p *process) gets(apps, leased string, events ...string) webhook.Kept {
	p.t.Helper()
	return p.compare(p.load(p.claim(fields(apps)...)), leased, events...)
}

func (p *process) compare(kept webhook.Kept, leased string, events ...string) webhook.Kept {
	p.t.Helper()
	got := slices.Sorted(slices.Values(kept.Apps))
	if fmt.Sprint(got) != fmt.Sprint(fields(leased)) {
		p.t.Fatalf("%s leases %q, want %q", p.owner, got, leased)
	}
	if list := texts(kept.Deliveries); !slices.Equal(list, events) {
		p.t.Fatalf("%s is handed %q, want %q", p.owner, list, events)
	}
	return kept
}

// fields returns the letters of text: the apps have one-letter ids.
func fields(text string) []string {
	list := []string{}
	for _, r := range text {
		list = append(list, string(r))
	}
	return list
}

func texts(list []webhook.Delivery) (events []string) {
	for _, d := range list {
		events = append(events, d.Events)
	}
	return events
}

func (p *process) commit(b *webhook.Batch) {
	p.t.Helper()
	if err := p.store.Commit(p.t.Context(), p.owner, b); err != nil {
		p.t.Fatalf("%s: Commit: %v", p.owner, err)
	}
}

// refused checks that b is refused because of the apps.
func (p *process) refused(b *webhook.Batch, apps string) {
	p.t.Helper()
	var lost *webhook.LeaseError
	if err := p.store.Commit(p.t.Context(), p.owner, b); !errors.As(err, &lost) || !slices.Equal(lost.Apps, fields(apps)) {
		p.t.Fatalf("%s: Commit of %+v: %v, want a LeaseError of %s", p.owner, b, err, apps)
	}
}

// queues commits a delivery for each of the events, in order.
func (p *process) queues(app string, events ...string) (refs []webhook.Ref) {
	p.t.Helper()
	b := &webhook.Batch{}
	for _, e := range events {
		b.New = append(b.New, webhook.Delivery{App: app, Endpoint: "e", Events: e, Count: 1, Created: time.UnixMilli(1000)})
	}
	p.commit(b)
	for _, d := range b.New {
		refs = append(refs, webhook.Ref{App: app, ID: d.ID})
	}
	return refs
}

func (p *process) renew() []string {
	p.t.Helper()
	apps, err := p.store.Renew(p.t.Context(), p.owner, ttl)
	if err != nil {
		p.t.Fatalf("%s: Renew: %v", p.owner, err)
	}
	return slices.Sorted(slices.Values(apps))
}

func (p *process) release(apps ...string) {
	p.t.Helper()
	if err := p.store.Release(p.t.Context(), p.owner, apps); err != nil {
		p.t.Fatalf("%s: Release: %v", p.owner, err)
	}
}

// others returns what other processes queued after the ids, until there is no more.
func (p *process) others(after map[string]int64) (list []webhook.Delivery) {
	p.t.Helper()
	after = maps.Clone(after)
	for {
		some, err := p.store.Queued(p.t.Context(), p.owner, after)
		if err != nil {
			p.t.Fatalf("%s: Queued: %v", p.owner, err)
		}
		if len(some) == 0 {
			return list
		}
		for _, d := range some {
			if d.ID <= after[d.App] {
				p.t.Fatalf("%s: Queued hands over %d behind %d", p.owner, d.ID, after[d.App])
			}
			after[d.App] = d.ID
		}
		list = append(list, some...)
	}
}
