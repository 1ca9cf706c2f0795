package crm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// ratingOf returns the rating of the line and the codes of its reasons, as L/status has
// them.
func ratingOf(t *testing.T, w *crmtest.World) string {
	t.Helper()
	status, err := w.LineStatus(t.Context(), w.Reader, onGr)
	if err != nil || status.Rating == nil {
		t.Fatalf("%+v, %v", status, err)
	}
	codes := []string{*status.Rating}
	for _, r := range status.RatingReasons {
		codes = append(codes, r.Code)
	}
	return strings.Join(codes, " ")
}

// rate rates the line, and returns the events that this caused and its rating.
func rate(t *testing.T, w *crmtest.World) (told, rating string) {
	t.Helper()
	told = happens(t, w, func() {
		if _, err := w.RateLine(t.Context(), onGr); err != nil {
			t.Fatal(err)
		}
	})
	return told, ratingOf(t, w)
}

// writeFirst sends a first message to n people whose numbers begin with prefix, with an
// outcome for each, and returns the ids of the messages.
func writeFirst(t *testing.T, w *crmtest.World, prefix string, n int, text func(i int) string, o crm.Outcome) (ids []string) {
	t.Helper()
	for i := range n {
		ids = append(ids, sendText(t, w, fmt.Sprintf("%s%05d", prefix, i), text(i)))
	}
	for _, item := range outbox(t, w) {
		begun, err := w.OutboxStart(t.Context(), onGr, item.ID)
		if err != nil || begun == nil {
			t.Fatal(begun, err)
		}
		if err := w.OutboxDone(t.Context(), *begun, o); err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

func differs(i int) string {
	return strings.Repeat("ab", i%7) + strings.Repeat("xyz", i/7) + string(rune('a'+i%26))
}

// TestLineRated checks that a line is rated by what it sends and by what comes of it, that
// each change of the rating is told once, and that its history is the account's.
func TestLineRated(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		sent := crm.Outcome{Status: crm.OutSent}
		if told, rating := rate(t, w); told != "" || rating != "ok" {
			t.Fatalf("a new line: %q, %q", told, rating)
		}
		ids := writeFirst(t, w, "799900", 9, differs, sent)
		if told, rating := rate(t, w); told != "" || rating != "ok" {
			t.Errorf("9 people: %q, %q", told, rating)
		}
		writeFirst(t, w, "799901", 7, func(i int) string { return fmt.Sprintf("Buy now, %d %%!", i) }, sent)
		if told, rating := rate(t, w); told != "messengerStatus" || rating != "careful burst" {
			t.Errorf("16 people: %q, %q", told, rating)
		}
		if item := lastItem(t, w, "messengerStatus"); item["rating"] != "careful" || len(item["ratingReasons"].([]any)) != 1 {
			t.Errorf("it is told as %v", item)
		}
		writeFirst(t, w, "799902", 8, func(i int) string { return fmt.Sprintf("BUY now\n%d", i) }, sent)
		if told, rating := rate(t, w); told != "messengerStatus" || rating != "careful same_text burst" {
			t.Errorf("15 with one text: %q, %q", told, rating)
		}
		w.Clock.Advance(time.Minute)
		if told, _ := rate(t, w); told != "" {
			t.Errorf("nothing new is told: %q", told)
		}
		w.Clock.Advance(25 * time.Hour)
		if told, rating := rate(t, w); told != "messengerStatus" || rating != "stop undelivered" {
			t.Errorf("a day later, when nobody has received anything: %q, %q", told, rating)
		}
		for i, id := range ids {
			arrives := crm.InboundStatus{ID: crm.MakeID("grWhatsApp", id), Chat: crm.InboundChat{ID: crm.MakeID("grWhatsApp", fmt.Sprintf("799900%05d@c.us", i))}}
			for _, typ := range []string{"delivered", "viewed", "delivered"} {
				arrives.Type = typ
				ingest(t, w, crm.InboundBatch{Statuses: []crm.InboundStatus{arrives}})
			}
		}
		if _, rating := rate(t, w); rating != "careful undelivered" {
			t.Errorf("9 of 24 have: %q", rating)
		}
		setState(t, w, crm.LineState{State: crm.StateConnected, Device: text("2:1@s.whatsapp.net"), Phone: text("79990000002")})
		if told, rating := rate(t, w); told != "" || rating != "ok" {
			t.Errorf("another account: %q, %q", told, rating)
		}
	})
}

// TestLineRatedByRefusals checks what counts of messages that were not sent, of locks and
// of bans, and that the line's end and its phone are known.
func TestLineRatedByRefusals(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		failed := func(code string) crm.Outcome {
			return crm.Outcome{Status: crm.OutFailed, Error: &crm.SendError{Code: code, Message: "no"}}
		}
		writeFirst(t, w, "799900", 3, differs, failed(crm.SendForbidden))
		writeFirst(t, w, "799901", 3, differs, failed(crm.SendReachoutLocked))
		writeFirst(t, w, "799902", 3, differs, failed("rejected"))
		if _, rating := rate(t, w); rating != "careful refused_unknown refused_forbidden" {
			t.Errorf("refused: %q", rating)
		}
		w.Clock.Advance(48 * time.Hour)
		writeFirst(t, w, "799903", 10, differs, failed(crm.SendNotOnWhatsApp))
		if _, rating := rate(t, w); rating != "stop not_on_whatsapp burst" {
			t.Errorf("nobody is there: %q", rating)
		}
		w.Clock.Advance(48 * time.Hour)
		until := w.Clock.Now().Add(time.Hour).Unix()
		if err := w.SetLineRestriction(t.Context(), onGr, &until); err != nil {
			t.Fatal(err)
		}
		if item := lastItem(t, w, "messengerStatus"); item["rating"] != "stop" {
			t.Errorf("a lock is told as %v", item)
		}
		sendText(t, w, "79990400000", "Hello")
		begun, err := w.OutboxStart(t.Context(), onGr, outbox(t, w)[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.OutboxPark(t.Context(), *begun, time.Unix(until, 0), crm.SendError{Code: crm.SendReachoutLocked, Message: "locked"}); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(2 * time.Hour)
		if _, rating := rate(t, w); rating != "careful recently_locked refused_locked" {
			t.Errorf("after a lock: %q", rating)
		}
		setState(t, w, crm.LineState{State: crm.StateBanned, Blocked: true})
		setState(t, w, crm.LineState{State: crm.StateConnected})
		if rating := ratingOf(t, w); rating != "careful recently_banned blocked recently_locked refused_locked" {
			t.Errorf("after a ban: %q", rating)
		}
		w.Clock.Advance(9 * 24 * time.Hour)
		if _, rating := rate(t, w); rating != "careful phone_away" {
			t.Errorf("after nine days: %q", rating)
		}
		seen := crm.LineSeen{Phone: w.Clock.Now(), Version: w.Clock.Now().Add(time.Hour)}
		if err := w.SetLineSeen(t.Context(), onGr, seen); err != nil {
			t.Fatal(err)
		}
		if rating := ratingOf(t, w); rating != "ok" {
			t.Errorf("the phone is back: %q", rating)
		}
		w.Clock.Advance(15 * 24 * time.Hour)
		if _, rating := rate(t, w); rating != "careful phone_away version_old" {
			t.Errorf("when neither comes: %q", rating)
		}
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		gone := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "viber"}
		_, err = w.RateLine(t.Context(), gone)
		wantCode(t, "a line that is gone", err, crm.CodeNotFound, "")
	})
}

// TestGuardedWeeks simulates five weeks of a line that wants to write to 500 strangers a
// day, and obeys its rating. WhatsApp locks it for two days, and its phone is lost in the
// end.
func TestGuardedWeeks(t *testing.T) {
	var sent []time.Time
	locked, freed := rated.AddDate(0, 0, 14), rated.AddDate(0, 0, 16)
	lost := rated.AddDate(0, 0, 21)
	within := func(now time.Time, d time.Duration) (n int) {
		for _, at := range slices.Backward(sent) {
			if !at.After(now.Add(-d)) {
				break
			}
			n++
		}
		return n
	}
	levels, worst := map[string]int{}, 0
	warned := time.Time{}
	want, next := 0, rated
	for now := rated; now.Before(rated.AddDate(0, 0, 35)); now = now.Add(10 * time.Second) {
		if now.Sub(rated)%(24*time.Hour) == 0 {
			want += 500
		}
		f := crm.LineFacts{Now: now, State: crm.StateConnected, PhoneSeen: now, VersionKnown: now}
		if now.After(lost) {
			f.PhoneSeen = lost
		}
		if !now.Before(locked) && now.Before(freed) {
			f.RestrictedUntil = unix(freed.Unix())
		}
		if !now.Before(locked) && now.Before(locked.AddDate(0, 0, 7)) {
			f.Week.Locks = 1
		}
		if now.Before(next) || len(sent) >= want {
			continue
		}
		f.Strangers, f.Burst = within(now, 24*time.Hour), within(now, 10*time.Minute)
		r := crm.LineRating{Rating: crm.Rate(f)}
		if len(sent) > 0 && f.Strangers > 0 {
			r.LastContact = sent[len(sent)-1]
		}
		levels[r.Rating.Rating]++
		if warned.IsZero() && slices.ContainsFunc(r.Reasons, func(x crm.RatingReason) bool { return x.Code == "phone_away" }) {
			warned = now
		}
		if next = r.Next(now); next.After(now) {
			continue
		}
		sent = append(sent, now)
		worst = max(worst, within(now, 24*time.Hour))
		if !now.Before(locked) && now.Before(freed) {
			t.Fatalf("a stranger was written to at %v, during the lock", now)
		}
		if n := within(now, 10*time.Minute); n > 20 {
			t.Fatalf("%d strangers in ten minutes at %v", n, now)
		}
	}
	if worst > 200 || worst < 190 {
		t.Errorf("up to %d strangers in 24 hours", worst)
	}
	if n := len(sent); n < 30*190 {
		t.Errorf("only %d strangers were written to", n)
	}
	if away := warned.Sub(lost); away < 12*24*time.Hour || away > 12*24*time.Hour+2*time.Hour {
		t.Errorf("the phone's absence was told after %v", away)
	}
	if levels["ok"] == 0 || levels["careful"] == 0 || levels["stop"] == 0 {
		t.Errorf("the ratings were %v", levels)
	}
}
