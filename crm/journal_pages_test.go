package crm_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// pagesOf returns what a socket and a stream of the reader's are sent after a number: how
// many events, + if there are more, and what is lost.
func pagesOf(t *testing.T, w *crmtest.World, session, after int64) (socket, stream string) {
	t.Helper()
	say := func(n int, more, lost bool, oldest, last int64) string {
		text := fmt.Sprint(n)
		if more {
			text += "+"
		}
		if lost {
			text += fmt.Sprintf(" lost %d-%d", oldest, last)
		}
		return text
	}
	history := crm.History{Service: w.Service}
	view, err := history.View(t.Context(), fmt.Sprint(w.Reader.UserID), journalChannel)
	if err != nil {
		t.Fatal(err)
	}
	missed, err := history.Since(t.Context(), journalChannel, view, after, 100)
	if err != nil {
		t.Fatal(err)
	}
	page, err := w.StreamEvents(t.Context(), w.Reader, crm.StreamQuery{Channel: journalChannel, After: after, Session: session})
	if err != nil {
		t.Fatal(err)
	}
	return say(len(missed.Entries), missed.More, missed.Lost, missed.Oldest, missed.Through),
		say(len(page.Items), page.More, page.Lost, page.Oldest, page.Next)
}

// writeJournal adds entries of the company's channel with these data, and numbers them.
func writeJournal(t *testing.T, w *crmtest.World, data ...string) {
	t.Helper()
	err := w.Store.Tx(t.Context(), func(tx *models.Tx) error {
		for _, d := range data {
			e := &models.JournalEntry{CompanyID: crmtest.CompanyID, Name: "message", Channels: `["` + journalChannel + `"]`, Data: d, CreatedAtMS: 1}
			if err := tx.AppendJournal(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Journal.Number(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
}

// eventOf returns the data of an event of at least so many bytes.
func eventOf(size int) string {
	return `{"payload":{"data":[{"text":"` + strings.Repeat("x", size) + `"}],"meta":{"type":"message"}}}`
}

// An entry that is no event is left out, and said to be lost. What follows it comes.
func TestUnreadableEntry(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		writeJournal(t, w, eventOf(1), eventOf(1), `{}`, eventOf(1))
		session, err := w.SessionOfToken(t.Context(), w.Token(w.Reader))
		if err != nil {
			t.Fatal(err)
		}
		for after, want := range map[int64]string{0: "2+", 2: "0+ lost 4-3", 3: "1"} {
			socket, stream := pagesOf(t, w, session.ID, after)
			if socket != want || stream != want {
				t.Errorf("after %d a socket gets %s, a stream %s, want %s", after, socket, stream, want)
			}
		}
		forget(t, w)
	})
}

// A page of a replay with large events ends early, behind the one with which it has a mebibyte.
func TestPagesOfLargeEvents(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		large := eventOf(400 << 10)
		writeJournal(t, w, large, large, large, large, eventOf(2<<20), eventOf(1))
		session, err := w.SessionOfToken(t.Context(), w.Token(w.Reader))
		if err != nil {
			t.Fatal(err)
		}
		for after, want := range map[int64]string{0: "3+", 3: "2+", 4: "1+", 5: "1"} {
			if socket, _ := pagesOf(t, w, session.ID, after); socket != want {
				t.Errorf("after %d a socket gets %s, want %s", after, socket, want)
			}
		}
		forget(t, w)
	})
}

// forget removes the entries, which are not all events.
func forget(t *testing.T, w *crmtest.World) {
	t.Helper()
	forgetUpTo(t, w, 10)
}

func forgetUpTo(t *testing.T, w *crmtest.World, all int) {
	t.Helper()
	if err := w.Journal.MarkPublished(t.Context(), int64(all)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Journal.Prune(t.Context(), time.Now(), all); err != nil {
		t.Fatal(err)
	}
}
