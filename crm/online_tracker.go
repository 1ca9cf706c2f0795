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
	returnGrace  = 90 * time.Second       // after a start, for users of the process before: their clients may wait for a minute
	retryFirst   = 100 * time.Millisecond
	retryMost    = 10 * time.Second
)

// OnlineTracker derives employeeStatus events from sockets. The engine calls Entered
// and Left for every channel that a socket of a known user enters and leaves.
//
// A socket on the user's own channel makes the user online in every company they work
// for. A socket on a company's channel, private or presence, counts for that company
// alone: the company does not see that the user works for another. A page subscribes to
// several channels at once, in any order. A short pause lets it enter all of them
// before online is announced, so that it receives its own arrival too. After the last
// socket has closed, a grace period passes before the employee is offline, so that
// reloading a page causes no event.
//
// The database records what was announced. A process that ended leaves its users
// recorded as online; they get a longer one to connect to the next process. Nodes share
// which seats are taken, see Share: each records a user whose last seat on it, or on the
// others, is no longer taken anywhere, and only the first of these records is a change.
type OnlineTracker struct {
	// static
	store  onlineStore
	log    *slog.Logger
	wake   chan struct{} // capacity 1: there is something to do
	others Seats         // set before the first socket; nil: there are no other nodes

	// guarded by mu
	mu         sync.Mutex
	seats      map[seat]*seatState
	arrivals   []pendingOnline  // users whose pause is not over, the earliest first
	departures []pendingOffline // seats in the grace period, the earliest first; some may be taken again
	due        map[int64]bool   // users whose record may be out of date
}

// onlineStore records which employees are online.
type onlineStore interface {
	// OnlineEmployees lists the employees that are recorded as online.
	OnlineEmployees(ctx context.Context) ([]models.Employee, error)
	// RecordOnline records the result of present for each company that the user works
	// for, and emits an event for each change.
	RecordOnline(ctx context.Context, userID int64, present func(companyID int64) bool) error
}

// seat is a place where a user can be online: a company, or the user's own channel
// (companyID 0).
type seat struct{ userID, companyID int64 }

// seatState is the state of a seat that is taken or in its grace period.
type seatState struct {
	sockets int
	until   time.Time // end of the grace period, when sockets is 0
}

// pendingOnline is a user at a new seat, and the end of the pause.
type pendingOnline struct {
	userID int64
	until  time.Time
}

// pendingOffline is a seat without sockets, and the end of its grace period.
type pendingOffline struct {
	seat
	until time.Time
}

// NewOnlineTracker returns an OnlineTracker over s. It records nothing unless Run is
// running.
func NewOnlineTracker(s *Service) *OnlineTracker { return newOnlineTracker(s, s.Log) }

func newOnlineTracker(store onlineStore, log *slog.Logger) *OnlineTracker {
	return &OnlineTracker{
		store: store, log: log, wake: make(chan struct{}, 1),
		seats: map[seat]*seatState{}, due: map[int64]bool{},
	}
}

// Entered notes that a socket of the user has subscribed to the channel. It never
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
	if at.sockets++; at.sockets == 1 {
		a.share(d, true)
	}
}

// Left notes that a socket of the user is no longer on the channel. It never blocks on
// the database.
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
		a.share(d, false)
		a.grace(d, at, absenceGrace)
		a.notify()
	}
}

// grace starts the grace period of an empty seat. The caller holds mu.
func (a *OnlineTracker) grace(d seat, at *seatState, long time.Duration) {
	at.until = time.Now().Add(long)
	i, _ := slices.BinarySearchFunc(a.departures, at.until, func(p pendingOffline, until time.Time) int {
		if p.until.After(until) {
			return 1
		}
		return -1 // equal ones stay in the order in which they left
	})
	a.departures = slices.Insert(a.departures, i, pendingOffline{d, at.until})
}

// seatOf returns the seat that a channel of a user stands for. It returns false for
// channels that do not count, such as those of lines.
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

// notify wakes Run.
func (a *OnlineTracker) notify() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Run records which employees are online until ctx ends; then it returns nil. While the
// database does not answer, Run retries less and less often and loses nothing.
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
			next, wake = retry, nil // a wake must not shorten the wait for a database that is down
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

// recall starts the grace period of all employees that the database records as online.
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
			a.grace(d, a.seats[d], returnGrace)
		}
	}
	return nil
}

// expire marks the users whose pause is over as due, removes the seats whose grace
// period is over, and returns the time until the next of either.
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

// record updates the records of all due users. A user stays due until the database has
// stored the record.
func (a *OnlineTracker) record(ctx context.Context) error {
	a.mu.Lock()
	users := slices.Sorted(maps.Keys(a.due))
	a.mu.Unlock()
	for _, id := range users {
		a.mu.Lock()
		delete(a.due, id) // changes from here on mark the user again
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

// present reports whether the user is online for the company, or was within the grace
// period.
func (a *OnlineTracker) present(userID, companyID int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	own, company := seat{userID: userID}, seat{userID, companyID}
	if a.seats[own] != nil || a.seats[company] != nil {
		return true
	}
	return a.others != nil && (a.others.Shared(own.String()) || a.others.Shared(company.String()))
}
