package crm_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestHistory checks that the journal returns what was published, from any place that
// is still kept, and an error from any other.
func TestHistory(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		relay := startRelay(t, "one", w.Journal)
		sent := map[int64]broadcasting.Event{}
		for range 2 {
			workday(t, w, "start")
			workday(t, w, "end")
		}
		relay.relay.Wake()
		for range 4 {
			ev := relay.next(t)
			sent[ev.Seq] = ev
		}
		relay.stop() // afterwards everything is marked
		since := func(channel string, seq int64, limit int, want string) {
			t.Helper()
			history := crm.History{Service: w.Service}
			var missed broadcasting.Missed
			view, err := history.View(t.Context(), "687", channel)
			if err == nil {
				missed, err = history.Since(t.Context(), channel, view, seq, limit)
			}
			got := ""
			for _, e := range missed.Entries {
				got += fmt.Sprint(e.Seq)
				if ev := sent[e.Seq]; e.Name != ev.Name || e.Data != ev.Data || len(e.Channels) != 1 || e.Channels[0] != ev.Channel {
					t.Errorf("read %+v, published was %+v", e, ev)
				}
			}
			if missed.Lost {
				got = fmt.Sprint("lost ", missed.Oldest, "-", missed.Through)
			}
			if missed.More {
				got += "+"
			}
			if errors.Is(err, broadcasting.ErrRevoked) {
				got = "denied"
			} else if err != nil {
				t.Error(err)
			}
			if got != want {
				t.Errorf("%s since %d, at most %d: %q, want %q", channel, seq, limit, got, want)
			}
		}
		since(journalChannel, 0, 10, "1234")
		since(journalChannel, 1, 2, "23+")
		since(journalChannel, 4, 10, "")
		since(journalChannel, 5, 10, "lost 1-4") // of another journal
		since(channels.PresenceOf(channels.CompanyName(crmtest.CompanyID)), 5, 10, "")
		since("private-v1.users.685", 0, 10, "denied")
		since(channels.CompanyName(crmtest.StrangeCompany), 0, 10, "denied")
		since("private-v1.users.687", 0, 10, "")
		if n, err := w.Journal.Prune(t.Context(), time.Unix(crmtest.Start+1, 0), 3); n != 3 || err != nil {
			t.Fatalf("pruned %d, %v", n, err)
		}
		since(journalChannel, 0, 10, "4")
		since(journalChannel, 1, 10, "lost 4-4")
		since(journalChannel, 3, 10, "4")
		since("private-v1.users.687", 2, 10, "lost 4-4") // it is not known what it missed
	})
}
