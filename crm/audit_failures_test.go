package crm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models/testdb"
)

// accounts are those of the world, besides the admin's.
var accounts = []string{"test@test.test", "operator@test.test", "reader@test.test", "mine@test.test", "outsider@test.test"}

// attacked returns a world whose accounts have passwords.
func attacked(t *testing.T) *crmtest.World {
	t.Helper()
	w := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t)))
	for _, a := range []crm.Actor{w.Owner, w.Admin, w.Operator, w.Reader, w.OnlyMine, w.Outsider} {
		setPassword(t, w, a, rightPassword)
	}
	return w
}

// guess fails to sign in from a network of its own for each n.
func guess(t *testing.T, w *crmtest.World, email string, n int) {
	t.Helper()
	_, err := w.MakeToken(t.Context(), crm.SignIn{Email: email, Password: "wrong", Address: fmt.Sprintf("198.%d.%d.1", 18+n/250, n%250)})
	expectCode(t, email, err, crm.CodeDenied)
}

// refusedSignIns lists what the audit log tells of failed sign-ins.
func refusedSignIns(t *testing.T, w *crmtest.World) (list []crm.AuditEntry) {
	t.Helper()
	q := crm.AuditQuery{PageQuery: crm.PageQuery{Limit: 100}, Action: crm.AuditSessionRefused}
	for {
		page, err := w.AuditLog(t.Context(), w.Owner, q)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, page.Items...)
		if page.NextPage == nil {
			return list
		}
		q.NextPage = *page.NextPage
	}
}

// attemptsOn sums them up by account; that of strangers is empty.
func attemptsOn(t *testing.T, w *crmtest.World) (times map[string]int64) {
	t.Helper()
	times = map[string]int64{}
	for _, e := range refusedSignIns(t, w) {
		on := ""
		if e.Target != nil {
			on = e.Target.Name
		}
		times[on] += e.Times
	}
	return times
}

// What was tried on an account is in the log in the next second, with its address, whatever
// strangers try, and whatever is tried on another account.
func TestAuditOfAccountsIsNotCrowdedOut(t *testing.T) {
	for name, crowd := range map[string]func(n int) (email string, wait time.Duration){
		"by strangers": func(n int) (string, time.Duration) {
			return fmt.Sprintf("nobody%d@test.test", n), 100 * time.Millisecond
		},
		"on another account":  func(int) (string, time.Duration) { return "test@test.test", time.Second },
		"on several accounts": func(n int) (string, time.Duration) { return accounts[n%len(accounts)], time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			w := attacked(t)
			const crowded = 1200
			for n := range crowded {
				email, wait := crowd(n)
				w.Clock.Advance(wait)
				guess(t, w, email, n)
			}
			_, err := w.MakeToken(t.Context(), crm.SignIn{Email: "admin@test.test", Password: "wrong", Address: "203.0.113.9"})
			expectCode(t, "the admin's", err, crm.CodeDenied)
			if err := w.WriteFailures(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := "session.refused by unknown, user admin@test.test, from 203.0.113.9, reason:wrong_password"
			if got := refusedSignIns(t, w); !slices.ContainsFunc(got, func(e crm.AuditEntry) bool { return inWords(e) == want }) {
				t.Errorf("%d entries, and none says\n%s", len(got), want)
			}
			for range 300 { // what waits gets its turn
				w.Clock.Advance(time.Minute)
				if err := w.WriteFailures(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			sum := int64(0)
			for _, n := range attemptsOn(t, w) {
				sum += n
			}
			if sum != crowded+1 {
				t.Errorf("the log tells of %d attempts, want %d", sum, crowded+1)
			}
		})
	}
}

// When the program stops, everything that was tried on accounts is written, however much
// it is. What strangers tried may be too much: the program's log says how many.
func TestAuditOfTheLastSecond(t *testing.T) {
	w := attacked(t)
	var log bytes.Buffer
	w.Log = slog.New(slog.NewJSONHandler(&log, nil))
	const each, strange = 30, 200
	for n := range each {
		for _, email := range accounts {
			guess(t, w, email, n)
		}
		w.Clock.Advance(time.Second)
	}
	for n := range strange {
		w.Clock.Advance(100 * time.Millisecond)
		guess(t, w, fmt.Sprintf("nobody%d@test.test", n), 1000+n)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := w.RunAudit(stopped); err != nil {
		t.Fatal(err)
	}
	times := attemptsOn(t, w)
	for _, email := range accounts {
		if times[email] != each {
			t.Errorf("the log tells of %d attempts on %s, want %d", times[email], email, each)
		}
	}
	var lost struct {
		Msg      string
		Attempts int64
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "not in the audit log") {
			if err := json.Unmarshal([]byte(line), &lost); err != nil {
				t.Fatal(err)
			}
		}
	}
	if lost.Attempts == 0 || times[""]+lost.Attempts != strange {
		t.Errorf("the log tells of %d attempts of strangers, and %d are said to be lost; want %d\n%s", times[""], lost.Attempts, strange, log.String())
	}
}
