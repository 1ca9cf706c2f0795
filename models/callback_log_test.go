package models_test

import (
	"errors"
	"slices"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// TestCallbackLogRooms checks that rows of one room of the log of a URL push out none of another, and
// that each room keeps its newest rows.
func TestCallbackLogRooms(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		url := &models.CallbackURL{URL: "https://crm.example/hook", Events: "[]", Lines: "[]", Chats: "[]", FormerChats: "[]", Enabled: true}
		log := func(kind, reason string, from, n int64) {
			t.Helper()
			var rows []models.CallbackDelivery
			for seq := from; seq < from+n; seq++ {
				rows = append(rows, models.CallbackDelivery{Kind: kind, Reason: reason, Seq: seq, UntilSeq: seq})
			}
			err := store.Tx(t.Context(), func(tx *models.Tx) error {
				var err error
				for part := range slices.Chunk(rows, 500) {
					err = errors.Join(err, tx.LogCallback(url.ID, part))
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		err := store.Tx(t.Context(), func(tx *models.Tx) error {
			company := &models.Company{Name: "Shop"}
			if err := tx.Insert(company); err != nil {
				return err
			}
			url.CompanyID = company.ID
			return tx.PutCallbackURL(url)
		})
		if err != nil {
			t.Fatal(err)
		}
		rooms := []struct {
			kind, reason string
			keep         int64
		}{
			{models.CallbackEvent, "status", models.CallbackLogRows}, {models.CallbackGivenUp, "status", models.CallbackUnsentRows},
			{models.CallbackLive, "", models.CallbackLiveRows}, {models.CallbackEvent, "", models.CallbackLogRows},
		}
		log(models.CallbackLost, "lost", 7, 1)
		for _, room := range rooms {
			log(room.kind, room.reason, 1, 3)
		}
		log(models.CallbackEvent, "", 4, models.CallbackLogRows+600) // much of what pushes out its own alone
		log(models.CallbackLive, "timeout", 4, models.CallbackLogRows+600)
		got := map[[2]string][]int64{}
		read := func() {
			t.Helper()
			clear(got)
			rows, err := store.Read(t.Context()).CallbackDeliveries(models.CallbackLogQuery{CallbackID: url.ID}, 20000)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				of := [2]string{row.Kind, row.Reason}
				if row.Kind == models.CallbackLive {
					of[1] = ""
				}
				got[of] = append(got[of], row.Seq)
			}
		}
		read()
		if failed, givenUp, lost := got[[2]string{models.CallbackEvent, "status"}], got[[2]string{models.CallbackGivenUp, "status"}], got[[2]string{models.CallbackLost, "lost"}]; len(failed) != 3 || len(givenUp) != 3 || len(lost) != 1 {
			t.Errorf("failed are %v, given up %v, lost %v", failed, givenUp, lost)
		}
		log(models.CallbackEvent, "status", 4, models.CallbackLogRows)
		log(models.CallbackGivenUp, "status", 4, models.CallbackUnsentRows+1)
		read()
		if n := len(got[[2]string{models.CallbackLost, "lost"}]); n != 0 {
			t.Errorf("%d gaps are kept behind all that was given up", n)
		}
		for _, room := range rooms {
			list := got[[2]string{room.kind, room.reason}]
			if int64(len(list)) != room.keep || !slices.IsSortedFunc(list, func(a, b int64) int { return int(b - a) }) {
				t.Errorf("of %s %q %d are kept, want the newest %d", room.kind, room.reason, len(list), room.keep)
			}
		}
	})
}
