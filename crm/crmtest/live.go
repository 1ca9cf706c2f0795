package crmtest

import (
	"slices"
	"strconv"
	"sync"

	"chatcast/crm"
)

func appID(userID int64) string { return "app_" + strconv.FormatInt(userID, 10) + "_1" }

// Unsubscribed is one call of Live.Unsubscribe.
type Unsubscribed struct {
	UserID   int64
	Channels []string
}

// Live is a crm.Live that records its calls. Safe for concurrent use.
type Live struct {
	mu           sync.Mutex
	woken        chan struct{}  // closed and replaced at the next Wake; nil: nobody waits; guarded by mu
	wakes        int            // guarded by mu
	unsubscribed []Unsubscribed // guarded by mu
	disconnected []int64        // guarded by mu
	published    []Event        // guarded by mu
}

var _ crm.Live = (*Live)(nil)

// Wake implements crm.Live.
func (l *Live) Wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wakes++
	if l.woken != nil {
		close(l.woken)
		l.woken = nil
	}
}

// Woken returns a channel that is closed at the next call of Wake, which follows each
// commit that writes events.
func (l *Live) Woken() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.woken == nil {
		l.woken = make(chan struct{})
	}
	return l.woken
}

// Unsubscribe implements crm.Live.
func (l *Live) Unsubscribe(userID int64, channels ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsubscribed = append(l.unsubscribed, Unsubscribed{UserID: userID, Channels: slices.Clone(channels)})
}

// Disconnect implements crm.Live.
func (l *Live) Disconnect(userID int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.disconnected = append(l.disconnected, userID)
}

// Wakes returns the number of calls of Wake.
func (l *Live) Wakes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wakes
}

// Unsubscribed returns the calls of Unsubscribe.
func (l *Live) Unsubscribed() []Unsubscribed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.unsubscribed)
}

// Disconnected returns the users given to Disconnect.
func (l *Live) Disconnected() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.disconnected)
}

// Publish implements crm.Live.
func (l *Live) Publish(channels []string, name, data string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.published = append(l.published, Event{Name: name, Channels: slices.Clone(channels), Data: data})
}

// Published returns the events given to Publish.
func (l *Live) Published() []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.published)
}
