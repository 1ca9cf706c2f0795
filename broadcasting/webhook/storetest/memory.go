package storetest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"chatcast/broadcasting/webhook"
)

// Memory is a Store in memory, for tests. It uses the clock of the test: in synctest,
// leases last as long as the test's time says. The zero value is empty.
type Memory struct {
	mu sync.Mutex
	// guarded by mu
	last      int64
	rows      []row
	announced map[webhook.Subject]bool
	leases    map[string]lease
	log       []webhook.Attempt
	states    map[[2]string]webhook.State // by app and endpoint
}

type row struct {
	webhook.Delivery
	by string // the owner that committed it
}

type lease struct {
	owner string
	until time.Time
}

var _ webhook.Store = (*Memory)(nil)

// Load implements webhook.Store.
func (m *Memory) Load(_ context.Context, c webhook.Claim) (kept webhook.Kept, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	apps := slices.Clone(c.Apps)
	if c.Rest {
		for _, r := range m.rows {
			apps = append(apps, r.App)
		}
		for s := range m.announced {
			apps = append(apps, s.App)
		}
	}
	slices.Sort(apps)
	if m.leases == nil {
		m.leases = map[string]lease{}
	}
	now, taken := time.Now(), map[string]bool{}
	for _, app := range slices.Compact(apps) {
		if l := m.leases[app]; c.Alone || l.owner == "" || l.owner == c.Owner || !l.until.After(now) {
			m.leases[app], taken[app] = lease{c.Owner, now.Add(c.TTL)}, true
			kept.Apps = append(kept.Apps, app)
		}
	}
	for _, r := range m.rows {
		if taken[r.App] {
			kept.Deliveries = append(kept.Deliveries, r.Delivery)
		}
	}
	for s := range m.announced {
		if taken[s.App] {
			kept.Announced = append(kept.Announced, s)
		}
	}
	for _, st := range m.states {
		if taken[st.App] {
			kept.States = append(kept.States, st)
		}
	}
	return kept, nil
}

// Renew implements webhook.Store.
func (m *Memory) Renew(_ context.Context, owner string, ttl time.Duration) (apps []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, app := range slices.Sorted(maps.Keys(m.leases)) {
		if m.leases[app].owner == owner {
			m.leases[app] = lease{owner, time.Now().Add(ttl)}
			apps = append(apps, app)
		}
	}
	return apps, nil
}

// Release implements webhook.Store.
func (m *Memory) Release(_ context.Context, owner string, apps []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, app := range apps {
		if m.leases[app].owner == owner {
			delete(m.leases, app)
		}
	}
	return nil
}

// Commit implements webhook.Store.
func (m *Memory) Commit(_ context.Context, owner string, b *webhook.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	leased := b.Leased()
	slices.Sort(leased)
	if lost := slices.DeleteFunc(slices.Compact(leased), func(app string) bool { return m.leases[app].owner == owner }); len(lost) > 0 {
		return &webhook.LeaseError{Apps: lost}
	}
	for i := range b.New {
		m.last++
		b.New[i].ID = m.last
		m.rows = append(m.rows, row{b.New[i], owner})
	}
	drop, tried := map[int64]bool{}, map[int64]int{}
	for _, d := range b.Done {
		drop[d.ID] = true
	}
	m.log = append(m.log, b.GivenUp...)
	for _, f := range b.Failed {
		tried[f.ID] = f.Attempts
	}
	m.rows = slices.DeleteFunc(m.rows, func(r row) bool { return drop[r.ID] })
	for i, r := range m.rows {
		m.rows[i].Attempts = max(r.Attempts, tried[r.ID])
	}
	if m.announced == nil {
		m.announced = map[webhook.Subject]bool{}
	}
	for _, s := range b.Announced {
		m.announced[s] = true
	}
	for _, s := range b.Cleared {
		delete(m.announced, s)
	}
	return nil
}

// Queued implements webhook.Store.
func (m *Memory) Queued(_ context.Context, owner string, after map[string]int64) (list []webhook.Delivery, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		if behind, ok := after[r.App]; ok && r.ID > behind && r.by != owner && m.leases[r.App].owner == owner {
			list = append(list, r.Delivery)
		}
	}
	return list, nil
}

// Report implements webhook.Store.
func (m *Memory) Report(_ context.Context, owner string, r *webhook.Report) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = append(m.log, r.Attempts...)
	if m.states == nil {
		m.states = map[[2]string]webhook.State{}
	}
	for _, st := range r.States {
		key := [2]string{st.App, st.Endpoint}
		if m.leases[st.App].owner == owner && m.states[key].Generation <= st.Generation {
			m.states[key] = st
		}
	}
	return nil
}

// States implements webhook.Store.
func (m *Memory) States(_ context.Context, owner string) (list []webhook.State, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, st := range m.states {
		if m.leases[st.App].owner == owner {
			list = append(list, st)
		}
	}
	return list, nil
}

// Log returns the attempts, in order.
func (m *Memory) Log() []webhook.Attempt {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.log)
}

// Resume is what a person does to all endpoints.
func (m *Memory) Resume() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, st := range m.states {
		m.states[key] = webhook.State{App: st.App, Endpoint: st.Endpoint, Generation: st.Generation + 1}
	}
}

// Left returns how many deliveries wait, and how many subjects are announced.
func (m *Memory) Left() (deliveries, announced int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.rows), len(m.announced)
}
