package crm

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"chatcast/channels"
	"chatcast/models"
)

// Times of OnlineTracker.
const (
	arrivalPause = 250 * time.Millisecond // from the first socket to online
	absenceGrace = 10 * time.Second       // from the last socket's close to offline
	retryFirst   = 100 * time.Millisecond
	retryMost    = 10 * time.Second
)

// OnlineTracker turns sockets into employeeStatus. The engine tells it, by Entered
// and Left, of every channel that a socket of a known user enters and leaves.
//
// A socket on the user's own channel stands for the user wherever they work; one
// on a company's channel, private or presence, for that company alone: who works
// for two does not show the one that they are at work for the other. A page
// subscribes to several channels in a moment, in any order: a short pause lets it
// be on all of them before online is told, its own arrival included. When the last
// socket is gone, a grace passes before the employee is offline, so that a reload
// of a page is no event.
//
// What is recorded in the database is what was told. A process that ended leaves
// its people recorded as online; they get the grace to come back to the next.
// That is right for one process at a time: a bus between nodes will have to say
// whose people are whose.
type OnlineTracker struct {
	// static
	store onlineStore
	log   *slog.Logger
	wake  chan struct{} // one place: there is something to do

	// guarded by mu
	mu         sync.Mutex
	seats      map[seat]*seatState
	arrivals   []pendingOnline  // users whose pause is not over, the earliest first
	departures []pendingOffline // seats in the grace, the earliest first; some were taken again
	due        map[int64]bool   // users whose record may be out of date
}

// onlineStore is where it is recorded who is online.
type onlineStore interface {
	// OnlineEmployees lists who is recorded as online, and where.
	OnlineEmployees(ctx context.Context) ([]models.Employee, error)
	// RecordOnline makes the record of a user what present says for each company
	// they work for, and tells of each change.
	RecordOnline(ctx context.Context, userID int64, present func(companyID int64) bool) error
}

// seat is where a user may sit: a company, or their own channel (companyID 0).
type seat struct{ userID, companyID int64 }

// seatState is a seat that is taken, or was a moment ago.
type seatState struct {
	sockets int
	until   time.Time // when sockets is 0: the end of the grace
}

// pendingOnline is a user at a new seat, and the end of the pause.
type pendingOnline struct {
	userID int64
	until  time.Time
}

// pendingOffline is a seat that nobody is at any more, and the end of its grace.
type pendingOffline struct {
	seat
	until time.Time
}

// NewOnlineTracker returns an OnlineTracker over s. Run must run for anything to be
// recorded.
func NewOnlineTracker(s *Service) *OnlineTracker { return newOnlineTracker(s, s.Log) }

func newOnlineTracker(store onlineStore, log *slog.Logger) *OnlineTracker {
	return &OnlineTracker{
		store: store, log: log, wake: make(chan struct{}, 1),
		seats: map[seat]*seatState{}, due: map[int64]bool{},
	}
}

// Entered says that a socket of the user has subscribed to the channel. It never
// blocks on the database.
func (a *OnlineTracker) Entered(channel, userID string) {
	d, ok := seatOf(channel, userID)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.seats[d]
	if at == nil {
		at = &seatState{}
		a.seats[d] = at
		a.arrivals = append(a.arrivals, pendingOnline{d.userID, time.Now().Add(arrivalPause)})
		a.notify()
	}
	at.sockets++
}

// Left says that a socket of the user is no longer on the channel. It never
// blocks on the database.
func (a *OnlineTracker) Left(channel, userID string) {
	d, ok := seatOf(channel, userID)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.seats[d]
	if at == nil || at.sockets == 0 {
		a.log.Error("a socket left that never entered", "channel", channel, "user", userID)
		return
	}
	if at.sockets--; at.sockets == 0 {
		a.grace(d, at)
		a.notify()
	}
}

// grace starts the time that an empty seat is kept. It is the same for all, so
// that departures stays in order. The caller holds mu.
func (a *OnlineTracker) grace(d seat, at *seatState) {
	at.until = time.Now().Add(absenceGrace)
	a.departures = append(a.departures, pendingOffline{d, at.until})
}

// seatOf says which seat a channel of a user is; false for the channels that do
// not count, a line's among them.
func seatOf(channel, userID string) (seat, bool) {
	user, err := strconv.ParseInt(userID, 10, 64)
	if err != nil {
		return seat{}, false
	}
	n, err := channels.Parse(channel)
	if err != nil {
		return seat{}, false
	}
	switch ch := n.Room(); ch.Family {
	case channels.Person:
		return seat{userID: user}, ch.UserID == user
	case channels.Company:
		return seat{userID: user, companyID: ch.CompanyID}, true
	}
	return seat{}, false
}

// notify has Run look again.
func (a *OnlineTracker) notify() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Run records who is online until ctx ends; it returns nil then. Nothing is lost
// while the database does not answer: it is tried again, less and less often.
func (a *OnlineTracker) Run(ctx context.Context) error {
	retry := time.Duration(0)
	recalled := false
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		var err error
		if !recalled {
			err = a.recall(ctx)
			recalled = err == nil
		}
		next := a.expire(time.Now())
		if err == nil {
			err = a.record(ctx)
		}
		wake := a.wake
		if err != nil && ctx.Err() == nil {
			retry = min(max(2*retry, retryFirst), retryMost)
			a.log.WarnContext(ctx, "who is online was not recorded and will be tried again", "in", retry, "error", err)
			next, wake = retry, nil // nobody may hurry a database that is down
		} else {
			retry = 0
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
	}
	return nil
}

// recall gives the grace to everybody whom the database has as online.
func (a *OnlineTracker) recall(ctx context.Context) error {
	online, err := a.store.OnlineEmployees(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range online {
		if d := (seat{e.UserID, e.CompanyID}); a.seats[d] == nil {
			a.seats[d] = &seatState{}
			a.grace(d, a.seats[d])
		}
	}
	return nil
}

// expire marks who has come and the pause is over, clears the seats whose grace is
// over, and says how long until the next.
func (a *OnlineTracker) expire(now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	next := time.Hour
	for len(a.arrivals) > 0 {
		first := a.arrivals[0]
		if left := first.until.Sub(now); left > 0 {
			next = left
			break
		}
		a.arrivals = a.arrivals[1:]
		a.due[first.userID] = true
	}
	for len(a.departures) > 0 {
		first := a.departures[0]
		if left := first.until.Sub(now); left > 0 {
			return min(next, left)
		}
		a.departures = a.departures[1:]
		at := a.seats[first.seat]
		if at != nil && at.sockets == 0 && at.until.Equal(first.until) {
			delete(a.seats, first.seat)
			a.due[first.userID] = true
		}
	}
	return next
}

// record brings the records of all users who are due up to date. A user stays
// due until the database has taken the record.
func (a *OnlineTracker) record(ctx context.Context) error {
	a.mu.Lock()
	users := slices.Sorted(maps.Keys(a.due))
	a.mu.Unlock()
	for _, id := range users {
		a.mu.Lock()
		delete(a.due, id) // what comes in from here on marks the user again
		a.mu.Unlock()
		err := a.store.RecordOnline(ctx, id, func(companyID int64) bool { return a.present(id, companyID) })
		if err != nil {
			a.mu.Lock()
			a.due[id] = true
			a.mu.Unlock()
			return err
		}
	}
	return nil
}

// present says whether the user is there for the company, or was within the
// grace.
func (a *OnlineTracker) present(userID, companyID int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seats[seat{userID: userID}] != nil || a.seats[seat{userID, companyID}] != nil
}
