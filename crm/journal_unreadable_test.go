package crm_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// unreadableEntries are the data of entries that no reader can read.
var unreadableEntries = []string{
	`{}`,
	`[1]`,
	`{"data":[],"meta":{"of":{"an":{}}}}`, // no payload
	`{"payload":{"data":[],"meta":{}}}`,   // no type: there is nothing that an id could follow
	`{"payload":{"data":[],"meta":{"type":"message"} } }`, // not as we write it
}

// spoilChannels makes the channels of entries unreadable, which are listed in them all the same.
func spoilChannels(t *testing.T, store *models.Store, seq int64) {
	t.Helper()
	side, _, err := store.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer side.Close()
	if _, err := side.ExecContext(context.Background(), fmt.Sprint("UPDATE journal SET channels = '[7' WHERE seq = ", seq)); err != nil {
		t.Fatal(err)
	}
}

// TestUnreadableEntries puts entries that are no events among others. Each reader steps over
// them, tells where it can, and counts them.
func TestUnreadableEntries(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		var skipped []int64
		data := []string{eventOf(1)}
		for _, bad := range append(unreadableEntries, eventOf(1)) { // of the last one the channels
			data = append(data, bad, eventOf(1))
			skipped = append(skipped, int64(len(data)-1))
		}
		writeJournal(t, w, data...)
		spoilChannels(t, store, skipped[len(skipped)-1])
		good := func(ids []int64) bool {
			want := []int64{}
			for id := int64(1); id <= int64(len(data)); id++ {
				if !slices.Contains(skipped, id) {
					want = append(want, id)
				}
			}
			return slices.Equal(ids, want)
		}

		for _, q := range []crm.EventsQuery{{}, {Newest: true}} {
			q.Channel = journalChannel
			page, err := w.Service.Events(t.Context(), w.Reader, q)
			if err != nil {
				t.Fatal(err)
			}
			var ids []int64
			for _, item := range page.Items {
				ids = append(ids, item.ID)
			}
			if !good(ids) || !slices.Equal(page.Skipped, skipped) || page.NextAfter != int64(len(data)) {
				t.Errorf("newest %v: events %v, skipped %v, next after %d", q.Newest, ids, page.Skipped, page.NextAfter)
			}
		}
		page, err := w.Service.Events(t.Context(), w.Reader, crm.EventsQuery{Channel: journalChannel, After: 1, Limit: 1})
		if err != nil || len(page.Items) != 0 || len(page.Skipped) != 1 || page.NextAfter != 2 {
			t.Errorf("a page with nothing else is %+v, %v", page, err)
		}

		session, err := w.SessionOfToken(t.Context(), w.Token(w.Reader))
		if err != nil {
			t.Fatal(err)
		}
		for _, seq := range skipped {
			socket, stream := pagesOf(t, w, session.ID, seq-1)
			if want := fmt.Sprintf("0+ lost %d-%d", seq+1, seq); socket != want || stream != want {
				t.Errorf("after %d a socket gets %s, a stream %s, want %s", seq-1, socket, stream, want)
			}
		}

		heads, seen, err := w.JournalHeads(t.Context(), 0, 100)
		if err != nil || len(heads) != len(data) || seen != int64(len(data)) {
			t.Errorf("%d heads up to %d, %v", len(heads), seen, err)
		}
		for _, head := range heads {
			if last := skipped[len(skipped)-1]; head.Anywhere != (head.ID == last) {
				t.Errorf("%d may be anywhere: %v", head.ID, head.Anywhere)
			}
		}

		before := w.Journal.LeftOut()
		relay := startRelay(t, "one", w.Journal)
		var published []int64
		for range len(data) - len(skipped) {
			published = append(published, relay.next(t).Seq)
		}
		relay.stop()
		if bounds, err := store.Read(t.Context()).JournalBounds(); err != nil || !good(published) || bounds.Published != int64(len(data)) {
			t.Errorf("published are %v, marked %+v, %v", published, bounds, err)
		}
		if n := w.Journal.LeftOut() - before; n != uint64(len(skipped)) {
			t.Errorf("the relay has counted %d", n)
		}
		forgetUpTo(t, w, len(data))
	})
}

// TestUnreadableEntryIsErased deletes a message whose event cannot be read: what it says goes
// as a whole.
func TestUnreadableEntryIsErased(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ingest(t, w, messages(fromCustomer("A1", anna, "SECRET", crmtest.Start)))
		ingest(t, w, messages(fromCustomer("A2", anna, "KEPT", crmtest.Start)))
		if _, err := w.Journal.Number(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		first := w.Events(t, crm.EventMessage)[0].ID
		w.Tx(t, func(tx *models.Tx) error {
			return tx.SetJournalData(first, `{"payload":{"data":["SECRET"],"meta":{"type":"message"}}}`)
		})
		ingest(t, w, deletion("A1", anna, anna))
		if journalSays(t, w, "SECRET") || !journalSays(t, w, "KEPT") {
			t.Error("the journal has what was deleted, or not what was not")
		}
		if w.Journal.LeftOut() == 0 {
			t.Error("it is not counted")
		}
	})
}

// TestUnreadableEntryOfALostList takes a list of quick responses from a user whose channel has
// an entry that cannot be read, and may be of that list: it goes too.
func TestUnreadableEntryOfALostList(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		list, err := w.CreateQuickList(t.Context(), w.Owner, crm.QuickListInput{Name: crm.Value("n"), Access: access(t, "687r")})
		if err != nil {
			t.Fatal(err)
		}
		w.Tx(t, func(tx *models.Tx) error {
			return tx.AppendJournal(&models.JournalEntry{
				CompanyID: crmtest.CompanyID, Name: crm.EventQuickResponse, Channels: fmt.Sprintf("[%q]", channels.PersonName(687)), Data: `{"payload":"SECRET"}`, CreatedAtMS: 1,
			})
		})
		if _, err := w.Journal.Number(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		if err := w.DeleteQuickList(t.Context(), w.Owner, list.ID); err != nil {
			t.Fatal(err)
		}
		if journalSays(t, w, "SECRET") {
			t.Error("it is still there")
		}
	})
}
