package crm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

const annas = "79990001122" // the number of anna

// directory is a messenger that knows some numbers, by what was typed.
type directory struct {
	*crmtest.Connector
	known map[string]crm.CheckedNumber
	mute  string // is not answered
	asked []string
}

func (d *directory) CheckNumbers(_ context.Context, _ crm.Line, numbers []string, begin func() error) (map[string]crm.CheckedNumber, error) {
	if err := begin(); err != nil {
		return nil, err
	}
	d.asked = append(d.asked, numbers...)
	found := map[string]crm.CheckedNumber{}
	for _, n := range numbers {
		if n != d.mute {
			found[n] = d.known[n]
		}
	}
	return found, nil
}

func newDirectory(t *testing.T, store *models.Store) (*crmtest.World, *directory) {
	w, connector := paired(t, store)
	d := &directory{Connector: connector, known: map[string]crm.CheckedNumber{}}
	w.Messengers[onGr.Messenger] = d
	return w, d
}

// briefly returns checks in short.
func briefly(checks []crm.ContactCheck) string {
	var all []string
	for _, k := range checks {
		text := "?"
		switch {
		case k.Error != nil:
			text = k.Error.Code
		case k.ID != nil:
			text = k.ID.String()
		case k.Exists != nil:
			text = fmt.Sprint(*k.Exists)
		}
		all = append(all, strings.TrimSpace(text+" "+k.Name))
	}
	return strings.Join(all, ", ")
}

// TestContactChecks checks the order and the errors of answers, that each number is asked
// about once, for how long an answer is remembered, and what of our contacts is told to
// whom.
func TestContactChecks(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, d := newDirectory(t, store)
		d.known["5544997586617"] = crm.CheckedNumber{Exists: true, Phone: "554497586617", LID: "500000001@lid"}
		d.known[annas] = crm.CheckedNumber{Exists: true, Phone: annas}
		d.mute = "79990000007"
		ingest(t, w, crm.InboundBatch{Contacts: []crm.InboundUser{{ID: idOf(anna), Name: "Anna"}}, Messages: []crm.InboundMessage{fromCustomer("A1", anna, "Hi", crmtest.Start)}})
		if _, err := w.SetResponsible(t.Context(), w.Owner, chatAt(onGr, anna), crm.Value(w.Owner.UserID)); err != nil {
			t.Fatal(err)
		}
		ask := func(a crm.Actor, numbers ...string) string {
			t.Helper()
			checks, err := w.CheckContacts(t.Context(), a, onGr, numbers)
			if err != nil {
				t.Fatal(err)
			}
			return briefly(checks)
		}
		all := []string{"+55 (44) 99758-6617", annas, "79990000000", "007", d.mute, "5544997586617@c.us", "1@g.us", "5@lid", "", strings.Repeat("9", 1000), annas + "@s.whatsapp.net"}
		want := "554497586617@c.us, %s, false, invalid_number, not_answered, 554497586617@c.us, invalid_number, invalid_number, invalid_number, invalid_number, %[1]s"
		if got, want := ask(w.Operator, all...), fmt.Sprintf(want, anna+" Anna"); got != want {
			t.Errorf("answered %s, want %s", got, want)
		}
		if got := strings.Join(d.asked, " "); got != "5544997586617 "+annas+" 79990000000 "+d.mute {
			t.Errorf("the messenger was asked about %s", got)
		}
		if got, want := ask(w.OnlyMine, all...), fmt.Sprintf(want, anna); got != want {
			t.Errorf("an operator with chats of their own: %s, want %s", got, want)
		}
		for _, step := range []struct {
			after time.Duration
			want  string
		}{{59 * time.Minute, ""}, {2 * time.Minute, "79990000000"}, {23 * time.Hour, "5544997586617 79990000000"}} {
			w.Clock.Advance(step.after)
			d.asked = nil
			ask(w.Operator, "5544997586617", "79990000000")
			if got := strings.Join(d.asked, " "); got != step.want {
				t.Errorf("%s later it was asked about %q, want %q", step.after, got, step.want)
			}
		}
		page, err := w.AuditLog(t.Context(), w.Owner, crm.AuditQuery{Action: "contact.checked"})
		if err != nil || len(page.Items) != 4 || page.Items[3].Details["numbers"] != "4" || strings.Contains(fmt.Sprint(page.Items), annas) {
			t.Errorf("the log has %+v, %v", page.Items, err)
		}
	})
}

// TestContactCheckLimits checks how fast and how much a line may ask, that another process
// continues to count, and that the rating knows.
func TestContactCheckLimits(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, d := newDirectory(t, store)
		w.ChecksPerDay = 520
		w.Clock.Set((crmtest.Start/86400 + 1) * 86400) // midnight
		next := 79990100000
		ask := func(n int) *crm.Error {
			t.Helper()
			var numbers []string
			for range n {
				next++
				numbers = append(numbers, fmt.Sprint(next))
			}
			var refusal *crm.Error
			if _, err := w.CheckContacts(t.Context(), w.Operator, onGr, numbers); err != nil && !errors.As(err, &refusal) {
				t.Fatal(err)
			}
			return refusal
		}
		refused := func(what string, e *crm.Error, seconds int) {
			t.Helper()
			if e == nil || e.Code != crm.CodeThrottled || e.RetryAfter != seconds {
				t.Errorf("%s: %+v, want to come again after %d s", what, e, seconds)
			}
		}
		for range 2 {
			if err := ask(100); err != nil {
				t.Fatal(err)
			}
		}
		refused("at once", ask(30), 60)
		for range 3 {
			w.Clock.Advance(200 * time.Second)
			if err := ask(100); err != nil {
				t.Fatal(err)
			}
		}
		w.Clock.Advance(time.Hour)
		if got := len(d.asked); got != 500 {
			t.Errorf("the messenger was asked about %d numbers", got)
		}
		refused("too many of a day", ask(21), 86400-3600-600)
		if err := ask(20); err != nil {
			t.Errorf("the rest of the day: %v", err)
		}
		if _, err := w.CheckContacts(t.Context(), w.Operator, onGr, d.asked[len(d.asked)-1:]); err != nil {
			t.Errorf("what was asked just now: %v", err)
		}
		r, err := w.RateLine(t.Context(), onGr)
		if err != nil || r.Rating.Rating != crm.RatingCareful || len(r.Rating.Reasons) != 2 || r.Rating.Reasons[0].Code != "checks" || r.Rating.Reasons[1].Code != "checks_absent" {
			t.Errorf("the line is rated %+v, %v", r.Rating, err)
		}
		w.Clock.Advance(24 * time.Hour)
		if err := ask(100); err != nil {
			t.Errorf("on the next day: %v", err)
		}
	})
}
