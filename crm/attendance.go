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

// Times of Attendance.
const (
	arrivalPause = 250 * time.Millisecond // from the first socket to online
	absenceGrace = 10 * time.Second       // from the last socket's close to offline
	retryFirst   = 100 * time.Millisecond
	retryMost    = 10 * time.Second
)

// Attendance turns sockets into employeeStatus. The engine tells it, by Entered
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
type Attendance struct {
	// static
	book attendanceBook
	log  *slog.Logger
	wake chan struct{} // one place: there is something to do

	// guarded by mu
	mu    sync.Mutex
	desks map[desk]*sitting
	came  []newcomer     // users whose pause is not over, the earliest first
	empty []leaving      // desks in the grace, the earliest first; some were taken again
	due   map[int64]bool // users whose record may be out of date
}

// attendanceBook is where it is recorded who is online.
type attendanceBook interface {
	// OnlineEmployees lists who is recorded as online, and where.
	OnlineEmployees(ctx context.Context) ([]models.Employee, error)
	// RecordOnline makes the record of a user what present says for each company
	// they work for, and tells of each change.
	RecordOnline(ctx context.Context, userID int64, present func(companyID int64) bool) error
}

// desk is where a user may sit: a company, or their own channel (companyID 0).
type desk struct{ userID, companyID int64 }

// sitting is a desk that is taken, or was a moment ago.
type sitting struct {
	sockets int
	until   time.Time // when sockets is 0: the end of the grace
}

// newcomer is a user at a new desk, and the end of the pause.
type newcomer struct {
	userID int64
	until  time.Time
}

// leaving is a desk that nobody sat at any more, and the end of its grace.
type leaving struct {
	desk
	until time.Time
}

// NewAttendance returns the attendance over s. Run must run for anything to be
// recorded.
func NewAttendance(s *Service) *Attendance { return newAttendance(s, s.Log) }

func newAttendance(book attendanceBook, log *slog.Logger) *Attendance {
	return &Attendance{
		book: book, log: log, wake: make(chan struct{}, 1),
		desks: map[desk]*sitting{}, due: map[int64]bool{},
	}
}

// Entered says that a socket of the user has subscribed to the channel. It never
// blocks on the database.
func (a *Attendance) Entered(channel, userID string) {
	d, ok := deskOf(channel, userID)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.desks[d]
	if at == nil {
		at = &sitting{}
		a.desks[d] = at
		a.came = append(a.came, newcomer{d.userID, time.Now().Add(arrivalPause)})
		a.nudge()
	}
	at.sockets++
}

// Left says that a socket of the user is no longer on the channel. It never
// blocks on the database.
func (a *Attendance) Left(channel, userID string) {
	d, ok := deskOf(channel, userID)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.desks[d]
	if at == nil || at.sockets == 0 {
		a.log.Error("a socket left that never entered", "channel", channel, "user", userID)
		return
	}
	if at.sockets--; at.sockets == 0 {
		a.grace(d, at)
		a.nudge()
	}
}

// grace starts the time that an empty desk is kept. It is the same for all, so
// that empty stays in order. The caller holds mu.
func (a *Attendance) grace(d desk, at *sitting) {
	at.until = time.Now().Add(absenceGrace)
	a.empty = append(a.empty, leaving{d, at.until})
}

// deskOf says which desk a channel of a user is; false for the channels that do
// not count, a line's among them.
func deskOf(channel, userID string) (desk, bool) {
	user, err := strconv.ParseInt(userID, 10, 64)
	if err != nil {
		return desk{}, false
	}
	n, err := channels.Parse(channel)
	if err != nil {
		return desk{}, false
	}
	switch room := n.Room(); room.Family {
	case channels.Person:
		return desk{userID: user}, room.UserID == user
	case channels.Company:
		return desk{userID: user, companyID: room.CompanyID}, true
	}
	return desk{}, false
}

// nudge has Run look again.
func (a *Attendance) nudge() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Run records who is online until ctx ends; it returns nil then. Nothing is lost
// while the database does not answer: it is tried again, less and less often.
func (a *Attendance) Run(ctx context.Context) error {
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
			a.log.WarnContext(ctx, "attendance was not recorded and will be tried again", "in", retry, "error", err)
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
func (a *Attendance) recall(ctx context.Context) error {
	online, err := a.book.OnlineEmployees(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range online {
		if d := (desk{e.UserID, e.CompanyID}); a.desks[d] == nil {
			a.desks[d] = &sitting{}
			a.grace(d, a.desks[d])
		}
	}
	return nil
}

// expire marks who has come and the pause is over, clears the desks whose grace is
// over, and says how long until the next.
func (a *Attendance) expire(now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	next := time.Hour
	for len(a.came) > 0 {
		first := a.came[0]
		if left := first.until.Sub(now); left > 0 {
			next = left
			break
		}
		a.came = a.came[1:]
		a.due[first.userID] = true
	}
	for len(a.empty) > 0 {
		first := a.empty[0]
		if left := first.until.Sub(now); left > 0 {
			return min(next, left)
		}
		a.empty = a.empty[1:]
		at := a.desks[first.desk]
		if at != nil && at.sockets == 0 && at.until.Equal(first.until) {
			delete(a.desks, first.desk)
			a.due[first.userID] = true
		}
	}
	return next
}

// record brings the records of all users who are due up to date. A user stays
// due until the database has taken the record.
func (a *Attendance) record(ctx context.Context) error {
	a.mu.Lock()
	users := slices.Sorted(maps.Keys(a.due))
	a.mu.Unlock()
	for _, id := range users {
		a.mu.Lock()
		delete(a.due, id) // what comes in from here on marks the user again
		a.mu.Unlock()
		err := a.book.RecordOnline(ctx, id, func(companyID int64) bool { return a.present(id, companyID) })
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
func (a *Attendance) present(userID, companyID int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.desks[desk{userID: userID}] != nil || a.desks[desk{userID, companyID}] != nil
}
