package crm_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// memoryStore is an onlineStore in memory: user 685 works for 2224 and 2226, 686 and 687
// for 2224.
type memoryStore struct {
	mu       sync.Mutex
	online   map[models.Employee]bool // by CompanyID and UserID
	recorded []string                 // "online 685@2224"
	fails    int                      // number of calls that fail first
	calls    int
}

func (b *memoryStore) OnlineEmployees(context.Context) (list []models.Employee, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.fail(); err != nil {
		return nil, err
	}
	for e := range b.online {
		list = append(list, e)
	}
	return list, nil
}

func (b *memoryStore) RecordOnline(_ context.Context, userID int64, present func(int64) bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.fail(); err != nil {
		return err
	}
	for _, company := range map[int64][]int64{685: {2224, 2226}, 686: {2224}, 687: {2224}}[userID] {
		e := models.Employee{CompanyID: company, UserID: userID}
		if now := present(company); now != b.online[e] {
			typ := "offline"
			delete(b.online, e)
			if now {
				typ, b.online[e] = "online", true
			}
			b.recorded = append(b.recorded, fmt.Sprintf("%s %d@%d", typ, userID, company))
		}
	}
	return nil
}

func (b *memoryStore) fail() error {
	if b.calls++; b.calls <= b.fails {
		return errors.New("the database is down")
	}
	return nil
}

// asked returns how often the store was called, once nothing more can happen now.
func (b *memoryStore) asked() int {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls
}

// attend runs f beside an OnlineTracker over b, in a synctest bubble where time passes
// by itself. recorded waits until nothing more can happen now, and returns what was
// recorded since its last call.
func attend(t *testing.T, b *memoryStore, f func(a *crm.OnlineTracker, recorded func() string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if b.online == nil {
			b.online = map[models.Employee]bool{}
		}
		a := crm.NewOnlineTrackerOver(b, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- a.Run(ctx) }()
		f(a, func() string {
			synctest.Wait()
			b.mu.Lock()
			defer b.mu.Unlock()
			s := strings.Join(b.recorded, ", ")
			b.recorded = nil
			return s
		})
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func equal(t *testing.T, when, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: told %q, want %q", when, got, want)
	}
}

// pause is the time from the first socket to online.
const pause = 250 * time.Millisecond

const person, company = "private-v1.users.685", "private-v1.companies.2224"

func TestOnlineGrace(t *testing.T) {
	attend(t, &memoryStore{}, func(a *crm.OnlineTracker, recorded func() string) {
		equal(t, "before anybody came", recorded(), "")
		a.Entered(person, "685")
		time.Sleep(250*time.Millisecond - 1)
		equal(t, "within the pause", recorded(), "")
		time.Sleep(time.Nanosecond)
		equal(t, "first socket", recorded(), "online 685@2224, online 685@2226")
		a.Entered(person, "685")
		a.Left(person, "685")
		time.Sleep(time.Minute)
		equal(t, "one of two sockets left", recorded(), "")
		a.Left(person, "685")
		time.Sleep(10*time.Second - 1)
		equal(t, "just before the end of the grace", recorded(), "")
		time.Sleep(time.Nanosecond)
		equal(t, "after the grace", recorded(), "offline 685@2224, offline 685@2226")
		a.Entered(person, "685")
		time.Sleep(pause)
		equal(t, "back again", recorded(), "online 685@2224, online 685@2226")
	})
}

func TestOnlineFlappingTellsNothing(t *testing.T) {
	b := &memoryStore{}
	attend(t, b, func(a *crm.OnlineTracker, recorded func() string) {
		a.Entered(person, "685")
		time.Sleep(pause)
		recorded()
		before := b.asked()
		for range 100 {
			a.Left(person, "685")
			time.Sleep(9 * time.Second)
			a.Entered(person, "685")
		}
		time.Sleep(time.Minute)
		equal(t, "a socket that comes and goes", recorded(), "")
		if n := b.asked() - before; n != 0 {
			t.Errorf("the database was asked %d times for nothing", n)
		}
	})
}

func TestOnlineByChannel(t *testing.T) {
	for _, tt := range []struct{ name, channel, user, want string }{
		{"own channel counts everywhere", person, "685", "online 685@2224, online 685@2226"},
		{"company channel counts for the company", company, "685", "online 685@2224"},
		{"presence counts like private", "presence-v1.companies.2226", "685", "online 685@2226"},
		{"a line does not count", "private-v1.licenses.1229.messengers.telegram", "685", ""},
		{"the view of a company does not count", "private-v1.companies.2224.users.685", "685", ""},
		{"a company that is not theirs", "private-v1.companies.9", "685", ""},
		{"somebody else's channel", person, "686", ""},
		{"no channel of the CRM", "private-room", "685", ""},
		{"no channel at all", "private v1", "685", ""},
		{"no user of the CRM", company, "anna", ""},
		{"a user that is gone", company, "4", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			attend(t, &memoryStore{}, func(a *crm.OnlineTracker, recorded func() string) {
				a.Entered(tt.channel, tt.user)
				time.Sleep(pause)
				equal(t, "entered", recorded(), tt.want)
				a.Left(tt.channel, tt.user)
				time.Sleep(10 * time.Second)
				equal(t, "left", recorded(), strings.ReplaceAll(tt.want, "online", "offline"))
			})
		})
	}
}

func TestOnlineInTwoPlaces(t *testing.T) {
	attend(t, &memoryStore{}, func(a *crm.OnlineTracker, recorded func() string) {
		a.Entered(company, "685")
		time.Sleep(pause)
		equal(t, "company", recorded(), "online 685@2224")
		a.Entered(person, "685")
		time.Sleep(pause)
		equal(t, "then own channel", recorded(), "online 685@2226")
		a.Left(person, "685")
		time.Sleep(10 * time.Second)
		equal(t, "own channel left", recorded(), "offline 685@2226")
		a.Left(company, "685")
		time.Sleep(10 * time.Second)
		equal(t, "company left", recorded(), "offline 685@2224")
		a.Left(company, "685")
		equal(t, "left without having entered", recorded(), "")
	})
}

func TestOnlineAfterACrash(t *testing.T) {
	recorded := func() *memoryStore {
		return &memoryStore{online: map[models.Employee]bool{
			{CompanyID: 2224, UserID: 685}: true, {CompanyID: 2224, UserID: 686}: true,
		}}
	}
	attend(t, recorded(), func(a *crm.OnlineTracker, recorded func() string) {
		time.Sleep(5 * time.Second)
		a.Entered(company, "687")
		time.Sleep(pause)
		equal(t, "another one comes", recorded(), "online 687@2224")
		a.Left(company, "687")
		time.Sleep(10 * time.Second)
		equal(t, "and leaves, before the grace of the others ends", recorded(), "offline 687@2224")
		time.Sleep(70*time.Second - pause)
		a.Entered(company, "685") // whose client has waited for pusher-js's 15 s and 30 s, and part of its 60 s
		equal(t, "within the grace", recorded(), "")
		time.Sleep(5*time.Second - 1)
		equal(t, "at the end of the grace", recorded(), "")
		time.Sleep(time.Nanosecond)
		equal(t, "after the grace", recorded(), "offline 686@2224")
		time.Sleep(time.Hour)
		equal(t, "who came back stays", recorded(), "")
	})
}

func TestOnlineTriesAgain(t *testing.T) {
	b := &memoryStore{fails: 20}
	attend(t, b, func(a *crm.OnlineTracker, recorded func() string) {
		a.Entered(person, "685")
		equal(t, "while the database is down", recorded(), "")
		time.Sleep(time.Second)
		if n := b.asked(); n > 5 {
			t.Errorf("%d calls in the first second: the database gets no rest", n)
		}
		a.Entered(company, "686")
		time.Sleep(5 * time.Minute)
		equal(t, "once it is back", recorded(), "online 685@2224, online 685@2226, online 686@2224")
	})
}

// TestOnlineTrackerEndsAtOnce stops Run while the database is down.
func TestOnlineTrackerEndsAtOnce(t *testing.T) {
	attend(t, &memoryStore{fails: 1 << 30}, func(a *crm.OnlineTracker, recorded func() string) {
		a.Entered(person, "685")
		equal(t, "down", recorded(), "")
	})
}

func TestRecordOnline(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Tx(t, func(tx *models.Tx) error { return addCompany(tx, 2226, 685, models.RoleOperator) })
		here := func(company int64) bool { return company == 2226 }
		for range 2 { // the second time nothing changes
			if err := w.RecordOnline(t.Context(), 685, here); err != nil {
				t.Fatal(err)
			}
		}
		events := w.Events(t)
		if len(events) != 1 || !slices.Equal(events[0].Channels, []string{"private-v1.companies.2226"}) {
			t.Fatalf("events %+v, want one on the channel of company 2226", events)
		}
		sameAsGolden(t, "employeeStatus", events[0])
		online, err := w.OnlineEmployees(t.Context())
		if err != nil || len(online) != 1 || online[0].UserID != 685 || online[0].CompanyID != 2226 {
			t.Errorf("recorded %+v, %v", online, err)
		}
		if err := w.RecordOnline(t.Context(), 685, func(int64) bool { return false }); err != nil {
			t.Fatal(err)
		}
		if all := w.Events(t); len(all) != 2 || !strings.Contains(all[1].Data, `"type":"offline"`) {
			t.Errorf("events %+v, want an offline at the end", all)
		}
		if w.Live.Wakes() != 2 {
			t.Errorf("the relay was woken %d times, want 2", w.Live.Wakes())
		}
	})
}
