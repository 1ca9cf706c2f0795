package crm_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// limitPerDay sets how many messages a line may send in a day; nil: any number.
func limitPerDay(t *testing.T, w *crmtest.World, limit crm.Field[int64]) {
	t.Helper()
	data, err := w.ChangeLineSettings(t.Context(), w.Owner, onGr, crm.LineSettingsChanges{DailyLimit: limit})
	if err != nil || limit.Null != (data.DailyLimit == nil) || !limit.Null && *data.DailyLimit != limit.Value {
		t.Fatalf("the settings are %+v, %v", data, err)
	}
}

// TestDailyLimit checks that a line sends as many messages in a day as it may, and no more:
// not those that were refused, nor the same request again, nor those of other lines.
func TestDailyLimit(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		sendText(t, w, anna, "Before there was a limit")
		limitPerDay(t, w, crm.Value[int64](3))
		send := func(m crm.Outgoing) error {
			_, err := w.Send(t.Context(), w.Owner, chatAt(onGr, anna), m)
			return err
		}
		once := saying("Once")
		once.IdempotencyKey = "once"
		reaction := crm.Outgoing{Type: crm.MessageReaction, Content: crm.Content{Reaction: &crm.Reaction{MessageID: crm.MakeID("grWhatsApp", "none"), Emoji: "x"}}}
		if err := send(reaction); err == nil {
			t.Fatal("a reaction to nothing was sent")
		}
		for i, m := range []crm.Outgoing{saying("1"), once, once, saying("3")} {
			if err := send(m); err != nil {
				t.Fatalf("message %d: %v", i+1, err)
			}
		}
		var full *crm.Error
		for range 2 { // the refusal is not counted
			if err := send(saying("4")); !errors.As(err, &full) || full.Code != crm.CodeThrottled || full.Quota == nil {
				t.Fatalf("the fourth: %v", err)
			}
		}
		midnight := time.Unix((models.Day(w.Now().Unix())+1)*24*60*60, 0)
		if *full.Quota != (crm.Quota{Limit: 3, Count: 3, ResetAt: midnight}) || full.RetryAfter != int(midnight.Sub(w.Now()).Seconds()) {
			t.Errorf("the error is %+v, %+v", full, full.Quota)
		}
		if err := send(once); err != nil {
			t.Errorf("what was sent before the limit was reached, asked for again: %v", err)
		}
		if _, err := w.Send(t.Context(), w.Owner, chatAt(crm.Line{LicenseID: crmtest.OtherLicenseID, Messenger: "grWhatsApp"}, anna), saying("Another line")); err != nil {
			t.Errorf("another line: %v", err)
		}
		limitPerDay(t, w, crm.Value[int64](4))
		if err := send(saying("4")); err != nil {
			t.Errorf("with a higher limit: %v", err)
		}
		w.Clock.Set(midnight.Unix())
		for range 4 {
			if err := send(saying("The next day")); err != nil {
				t.Errorf("the next day: %v", err)
			}
		}
		if err := send(saying("5")); !errors.As(err, &full) || full.Quota == nil || full.Quota.Count != 4 {
			t.Errorf("the next day, the fifth: %v", err)
		}
		limitPerDay(t, w, crm.Null[int64]())
		if err := send(saying("5")); err != nil {
			t.Errorf("without a limit: %v", err)
		}
	})
}

// TestDailyLimitAtOnce checks that messages that are sent at the same time get exactly the
// places that there are.
func TestDailyLimitAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		limitPerDay(t, w, crm.Value[int64](5))
		var accepted, refused atomic.Int64
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() {
				var full *crm.Error
				_, err := w.Send(t.Context(), w.Owner, chatAt(onGr, "7999000000"+string('0'+rune(i%10))), saying("Hello"))
				switch {
				case err == nil:
					accepted.Add(1)
				case errors.As(err, &full) && full.Quota != nil:
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if accepted.Load() != 5 || refused.Load() != 7 {
			t.Errorf("%d were accepted, %d refused", accepted.Load(), refused.Load())
		}
	})
}

// TestDailyLimitIsChecked checks which limits there can be.
func TestDailyLimitIsChecked(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		for _, n := range []int64{0, -1, crm.MaxDailyLimit + 1} {
			_, err := w.ChangeLineSettings(t.Context(), w.Owner, onGr, crm.LineSettingsChanges{DailyLimit: crm.Value(n)})
			var bad *crm.Error
			if !errors.As(err, &bad) || bad.Fields["dailyLimit"] == "" {
				t.Errorf("%d: %v", n, err)
			}
		}
		if _, err := w.ChangeLineSettings(t.Context(), w.Operator, onGr, crm.LineSettingsChanges{DailyLimit: crm.Value[int64](1)}); err == nil {
			t.Error("an operator has set a limit")
		}
	})
}
