package crm_test

import (
	"fmt"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestGuardedCampaign simulates a campaign to twenty strangers, two messages each, of which
// every third attempt at a first one fails, with a sender that obeys the rating. It checks
// that no message goes to a stranger past the guard, also the second one after a failure,
// and that all of them have an end.
func TestGuardedCampaign(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		const strangers = 20
		for i := range 2 * strangers {
			sendText(t, w, fmt.Sprint(79990000000+i%strangers), differs(i))
		}
		var firsts []time.Time
		met, second, failed, careful := map[string]bool{}, 0, 0, 0
		perform := func(item crm.OutboxItem) {
			begun, o := start(t, w, item.ID), crm.Outcome{Status: crm.OutSent}
			switch {
			case item.FirstContact:
				if firsts = append(firsts, w.Clock.Now()); len(firsts)%3 == 0 {
					failed++
					o = crm.Outcome{Status: crm.OutFailed, Error: &crm.SendError{Code: "rejected", Message: "no"}}
				}
			case !met[item.ChatID]:
				t.Fatalf("a message to a stranger passes the guard: %+v", item)
			default:
				second++
			}
			met[item.ChatID] = met[item.ChatID] || o.Status == crm.OutSent
			done(t, w, begun, o)
		}
		for range 20 * strangers {
			items, err := w.Outbox(t.Context(), onGr, w.Clock.Now(), 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(items) == 0 {
				next, err := w.OutboxNext(t.Context(), onGr, w.Clock.Now())
				if err != nil {
					t.Fatal(err)
				}
				if next.IsZero() {
					break
				}
				w.Clock.Advance(next.Sub(w.Clock.Now()))
				continue
			}
			if items[0].FirstContact {
				r, err := w.RateLine(t.Context(), onGr)
				if err != nil {
					t.Fatal(err)
				}
				if at := r.Next(w.Clock.Now()); at.After(w.Clock.Now()) {
					holdFirst(t, w, at, r.Rating.Rating == crm.RatingCareful)
					continue
				}
				if r.Rating.Rating == crm.RatingCareful {
					careful++
					if gap := w.Clock.Now().Sub(firsts[len(firsts)-1]); gap < time.Minute {
						t.Errorf("first message %d goes %v after the one before it", len(firsts), gap)
					}
				}
			}
			perform(items[0])
		}
		if left := outbox(t, w); len(left) > 0 || len(firsts)+second != 2*strangers || failed == 0 {
			t.Errorf("%d items are left; %d first messages, %d others, %d failures", len(left), len(firsts), second, failed)
		}
		for i := 20; i < len(firsts); i++ {
			if took := firsts[i].Sub(firsts[i-20]); took < 10*time.Minute {
				t.Errorf("21 first messages went in %v", took)
			}
		}
		if careful == 0 {
			t.Error("the line was never careful")
		}
	})
}
