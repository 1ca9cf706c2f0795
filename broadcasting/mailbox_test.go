package broadcasting_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
)

// words is a dialect with readable frames; its value tells two dialects apart.
type words string

func (w words) say(parts ...string) []byte         { return []byte(string(w) + strings.Join(parts, " ")) }
func (w words) Event(ev broadcasting.Event) []byte { return w.say(ev.Channel, ev.Name, ev.Data) }
func (w words) Subscribed(ch string, members []*broadcasting.Member) []byte {
	parts := []string{"in", ch}
	for _, m := range members {
		parts = append(parts, m.ID+"="+string(m.Info))
	}
	return w.say(parts...)
}
func (w words) MemberAdded(ch string, m *broadcasting.Member) []byte {
	return w.say("added", ch, m.ID+"="+string(m.Info))
}
func (w words) MemberRemoved(ch, id string) []byte { return w.say("removed", ch, id) }
func (w words) Unsubscribed(ch string) []byte      { return w.say("revoked", ch) }
func (w words) CacheMissed(ch string) []byte       { return w.say("miss", ch) }
func (w words) Next(ch string, seq int64) []byte {
	return w.say("next", ch, fmt.Sprint(seq))
}
func (w words) ResumeFailed(ch string, oldest, last int64) []byte {
	return w.say("failed", ch, fmt.Sprint(oldest, last))
}
func (w words) Position(ch string, seq int64) []byte {
	return w.say("position", ch, strconv.FormatInt(seq, 10))
}
func (w words) SignedIn(data string) []byte { return w.say("signed in", data) }
func (w words) SubscriptionCount(ch string, n int) []byte {
	return w.say("count", ch, strconv.Itoa(n))
}
func (w words) WatchlistEvents(online bool, ids []string) []byte {
	return w.say(append([]string{map[bool]string{true: "online", false: "offline"}[online]}, ids...)...)
}

// mailbox is a socket that keeps the frames it is sent.
type mailbox struct {
	*broadcasting.Conn
	id string

	mu           sync.Mutex
	got          []string
	disconnected broadcasting.DisconnectCause
}

func (m *mailbox) Queue(frame []byte) {
	m.mu.Lock()
	m.got = append(m.got, string(frame))
	m.mu.Unlock()
}

// take returns the frames since its last call.
func (m *mailbox) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.got
	m.got = nil
	return got
}

func connect(t testing.TB, e *broadcasting.Engine, app, id string, d broadcasting.Dialect) *mailbox {
	t.Helper()
	m := &mailbox{id: id}
	c, err := e.Connect(broadcasting.Peer{App: app, ID: id, Dialect: d, Out: m, Disconnect: func(c broadcasting.DisconnectCause) { m.disconnected = c }})
	if err != nil {
		t.Fatal(err)
	}
	m.Conn = c
	return m
}

func want(t testing.TB, channel string) broadcasting.SubscribeRequest {
	t.Helper()
	name, err := channels.Parse(channel)
	if err != nil {
		t.Fatal(err)
	}
	return broadcasting.SubscribeRequest{Name: name, MaxChannels: 1000, MaxMembers: 100}
}

func join(t testing.TB, m *mailbox, channel string) {
	t.Helper()
	if err := m.Subscribe(context.Background(), want(t, channel)); err != nil {
		t.Fatalf("subscribe to %s: %v", channel, err)
	}
}

func joinAs(t testing.TB, m *mailbox, channel, user, info string) error {
	t.Helper()
	w := want(t, channel)
	w.Member = &broadcasting.Member{ID: user, Info: []byte(info)}
	return m.Subscribe(context.Background(), w)
}

func publish(t testing.TB, e *broadcasting.Engine, ev broadcasting.Event) {
	t.Helper()
	if err := e.Publish(context.Background(), ev); err != nil {
		t.Fatal(err)
	}
}

func expect(t testing.TB, m *mailbox, frames ...string) {
	t.Helper()
	if got := m.take(); !slices.Equal(got, frames) {
		t.Errorf("got %q, want %q", got, frames)
	}
}

// cacheEngine returns an engine with other limits of the cache.
func cacheEngine(o broadcasting.MemoryOptions) *broadcasting.Engine {
	return broadcasting.NewEngine(broadcasting.Options{Broker: broadcasting.NewMemory(o).Broker()})
}

func grant(t testing.TB, e *broadcasting.Engine, app, socketID, channel, user string) bool {
	t.Helper()
	found, err := e.Grant(context.Background(), app, socketID, broadcasting.Owner{UserID: user}, channel, "")
	if err != nil {
		t.Error(err)
	}
	return found
}

func identify(t testing.TB, e *broadcasting.Engine, app, socketID, user string) bool {
	t.Helper()
	found, err := e.Identify(context.Background(), app, socketID, broadcasting.Owner{UserID: user})
	if err != nil {
		t.Error(err)
	}
	return found
}

func unsubscribe(t testing.TB, e *broadcasting.Engine, user string, channels ...string) {
	t.Helper()
	if err := e.Unsubscribe(context.Background(), user, channels...); err != nil {
		t.Error(err)
	}
}

func disconnect(t testing.TB, e *broadcasting.Engine, user string) {
	t.Helper()
	if err := e.Disconnect(context.Background(), user); err != nil {
		t.Error(err)
	}
}

func terminate(t testing.TB, e *broadcasting.Engine, app, user string) int {
	t.Helper()
	sockets, err := e.Terminate(context.Background(), app, user)
	if err != nil {
		t.Error(err)
	}
	return sockets
}

func removeApp(t testing.TB, e *broadcasting.Engine, app string) {
	t.Helper()
	if err := e.RemoveApp(context.Background(), app); err != nil {
		t.Error(err)
	}
}

func channelsOf(t testing.TB, e *broadcasting.Engine, app, prefix string) []broadcasting.Occupancy {
	t.Helper()
	list, err := e.Channels(context.Background(), app, prefix)
	if err != nil {
		t.Error(err)
	}
	return list
}

func cachedOf(t testing.TB, e *broadcasting.Engine, app, channel string) (data string, ttl time.Duration, ok bool) {
	t.Helper()
	data, ttl, ok, err := e.Cached(context.Background(), app, channel)
	if err != nil {
		t.Error(err)
	}
	return data, ttl, ok
}
