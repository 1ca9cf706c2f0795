package webhook_test

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/webhook"
)

// node is one of several processes on one store. It can lose its connection to the
// store and to the endpoints.
type node struct {
	*running
	noStore, noNetwork atomic.Bool
	store              webhook.Store
	network            http.RoundTripper
}

func startNode(t *testing.T, store webhook.Store, network http.RoundTripper, list []apps.App) *node {
	t.Helper()
	n := &node{store: store, network: network}
	n.running = start(t, webhook.Options{Store: n, Apps: list, Transport: n})
	return n
}

// kill is the death of the process as others see it: it does nothing any more.
func (n *node) kill() {
	n.noStore.Store(true)
	n.noNetwork.Store(true)
}

// RoundTrip implements http.RoundTripper.
func (n *node) RoundTrip(req *http.Request) (*http.Response, error) {
	if n.noNetwork.Load() {
		return nil, errDatabase
	}
	res, err := n.network.RoundTrip(req)
	if n.noNetwork.Load() { // the answer is lost
		return nil, errDatabase
	}
	return res, err
}

func (n *node) err() error {
	if n.noStore.Load() {
		return errDatabase
	}
	return nil
}

func (n *node) Load(ctx context.Context, c webhook.Claim) (webhook.Kept, error) {
	if err := n.err(); err != nil {
		return webhook.Kept{}, err
	}
	return n.store.Load(ctx, c)
}

func (n *node) Renew(ctx context.Context, owner string, ttl time.Duration) ([]string, error) {
	if err := n.err(); err != nil {
		return nil, err
	}
	return n.store.Renew(ctx, owner, ttl)
}

func (n *node) Release(ctx context.Context, owner string, apps []string) error {
	if err := n.err(); err != nil {
		return err
	}
	return n.store.Release(ctx, owner, apps)
}

func (n *node) Commit(ctx context.Context, owner string, b *webhook.Batch) error {
	if err := n.err(); err != nil {
		return err
	}
	return n.store.Commit(ctx, owner, b)
}

func (n *node) Queued(ctx context.Context, owner string, after map[string]int64) ([]webhook.Delivery, error) {
	if err := n.err(); err != nil {
		return nil, err
	}
	return n.store.Queued(ctx, owner, after)
}

func (n *node) Report(ctx context.Context, owner string, r *webhook.Report) error {
	if err := n.err(); err != nil {
		return err
	}
	return n.store.Report(ctx, owner, r)
}

func (n *node) States(ctx context.Context, owner string) ([]webhook.State, error) {
	if err := n.err(); err != nil {
		return nil, err
	}
	return n.store.States(ctx, owner)
}

// apart fails when two POSTs overlap.
func apart(t *testing.T, takes time.Duration) func(w http.ResponseWriter, r *http.Request, nth int) {
	var flying atomic.Int32
	return func(_ http.ResponseWriter, r *http.Request, _ int) {
		if flying.Add(1) > 1 {
			t.Error("two POSTs are under way at one time")
		}
		defer flying.Add(-1)
		select {
		case <-time.After(takes):
		case <-r.Context().Done():
		}
	}
}

func lines(prefix string, from, to int) (list []string) {
	for i := from; i < to; i++ {
		list = append(list, "cache_miss cache-"+prefix+strconv.Itoa(i))
	}
	return list
}

// of returns the lines with the prefix, each at its first occurrence.
func of(list []string, prefix string) (some []string) {
	for _, l := range list {
		if strings.HasPrefix(l, "cache_miss cache-"+prefix) && !slices.Contains(some, l) {
			some = append(some, l)
		}
	}
	return some
}
