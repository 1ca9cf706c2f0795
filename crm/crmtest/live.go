package crmtest

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"chatcast/crm"
)

func appID(userID int64) string { return "app_" + strconv.FormatInt(userID, 10) + "_1" }

// Unsubscribed is one call of Live.Unsubscribe.
type Unsubscribed struct {
	UserID   int64
	Channels []string
}

// Session is one call of Live.EndSession or ExtendSession.
type Session struct {
	UserID, ID int64
	Until      int64 // unix seconds; of ExtendSession
}

// Live is a crm.Live that records its calls. Safe for concurrent use.
type Live struct {
	mu           sync.Mutex
	woken        chan struct{}  // closed and replaced at the next Wake; nil: nobody waits; guarded by mu
	wakes        int            // guarded by mu
	unsubscribed []Unsubscribed // guarded by mu
	disconnected []int64        // guarded by mu
	earlier      []Session      // guarded by mu
	ended        []Session      // guarded by mu
	extended     []Session      // guarded by mu
	published    []Event        // guarded by mu
	failing      error          // of those that end something; guarded by mu
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
func (l *Live) Unsubscribe(userID int64, channels ...string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsubscribed = append(l.unsubscribed, Unsubscribed{UserID: userID, Channels: slices.Clone(channels)})
	return l.failing
}

// Disconnect implements crm.Live.
func (l *Live) Disconnect(userID int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.disconnected = append(l.disconnected, userID)
	return l.failing
}

// EndEarlierSessions implements crm.Live.
func (l *Live) EndEarlierSessions(userID, session int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.earlier = append(l.earlier, Session{UserID: userID, ID: session})
	return l.failing
}

// EndSession implements crm.Live.
func (l *Live) EndSession(userID, session int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = append(l.ended, Session{UserID: userID, ID: session})
	return l.failing
}

// ExtendSession implements crm.Live.
func (l *Live) ExtendSession(userID, session int64, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.extended = append(l.extended, Session{UserID: userID, ID: session, Until: until.Unix()})
}

// Fail makes the calls that end something return err. They are recorded all the same.
func (l *Live) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failing = err
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

// EndedBefore returns the sessions given to EndEarlierSessions.
func (l *Live) EndedBefore() []Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.earlier)
}

// Ended returns the sessions given to EndSession.
func (l *Live) Ended() []Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ended)
}

// Extended returns the calls of ExtendSession.
func (l *Live) Extended() []Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.extended)
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
