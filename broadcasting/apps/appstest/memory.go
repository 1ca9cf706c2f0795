// Package appstest has the contract that every apps.Store must pass, and a Store in
// memory, for tests. It is never linked into the program.
package appstest

import (
	"context"
	"slices"
	"sync"

	"chatcast/broadcasting/apps"
)

// Memory is a Store in memory. The zero Memory has no apps. Safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	list    []apps.App
	version int64
	err     error
}

var _ apps.Store = (*Memory)(nil)

// Put adds a, or changes the app with its id.
func (m *Memory) Put(a apps.App) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.version++
	if i := m.find(a.ID); i >= 0 {
		m.list[i] = a.Clone()
		return
	}
	m.list = append(m.list, a.Clone())
}

// Delete removes an app. An unknown id changes nothing.
func (m *Memory) Delete(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.find(id); i >= 0 {
		m.version++
		m.list = slices.Delete(m.list, i, i+1)
	}
}

func (m *Memory) find(id string) int {
	return slices.IndexFunc(m.list, func(a apps.App) bool { return a.ID == id })
}

// Fail makes each query fail with err. Fail(nil) ends that.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// LoadApps implements apps.Store.
func (m *Memory) LoadApps(ctx context.Context) ([]apps.App, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.failure(ctx); err != nil {
		return nil, 0, err
	}
	list := make([]apps.App, len(m.list))
	for i, a := range m.list {
		list[i] = a.Clone()
	}
	return list, m.version, nil
}

// AppsVersion implements apps.Store.
func (m *Memory) AppsVersion(ctx context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.version, m.failure(ctx)
}

func (m *Memory) failure(ctx context.Context) error {
	if m.err != nil {
		return m.err
	}
	return ctx.Err()
}
