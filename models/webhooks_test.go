package models_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

func TestWebhookQueue(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		const n = 1201 // more than one statement takes
		rows := make([]*models.QueuedWebhook, n)
		for i := range rows {
			rows[i] = &models.QueuedWebhook{AppID: "1", Endpoint: "e", Events: fmt.Sprint(i), Count: 1, CreatedAtMS: int64(i)}
		}
		tx := func(f func(tx *models.Tx) error) {
			t.Helper()
			if err := store.Tx(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		tx(func(tx *models.Tx) error { return tx.QueueWebhooks(nil) })
		tx(func(tx *models.Tx) error { return tx.QueueWebhooks(rows) })
		ids := make([]int64, n)
		for i, row := range rows {
			ids[i] = row.ID
		}
		if !slices.IsSorted(ids) || ids[0] == 0 || len(slices.Compact(slices.Clone(ids))) != n {
			t.Fatalf("the ids do not rise: %v", ids)
		}
		tx(func(tx *models.Tx) error {
			if err := tx.TriedWebhooks(ids[:600], models.WebhookTried{Attempts: 2, Error: "answered 500", AtMS: 7}); err != nil {
				return err
			}
			return tx.DequeueWebhooks(append(slices.Clone(ids[100:]), -1))
		})
		queued, err := store.Read(t.Context()).QueuedWebhooks([]string{"1"})
		if err != nil || len(queued) != 100 {
			t.Fatalf("%d are queued: %v", len(queued), err)
		}
		for i, row := range queued {
			if row.ID != ids[i] || row.Events != fmt.Sprint(i) || row.Attempts != 2 || row.LastError != "answered 500" || *row.TriedAtMS != 7 {
				t.Fatalf("row %d is %+v", i, row)
			}
		}
	})
}

func TestAnnouncedWebhooks(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		var rows []*models.AnnouncedWebhook
		var ids []string
		for i := range 1201 {
			id := fmt.Sprintf("%064d", i)
			rows = append(rows, &models.AnnouncedWebhook{ID: id, AppID: "1", Channel: `"` + strings.Repeat("a", 5000) + `"`, Member: i%2 == 0, UserID: `"\x00"`})
			ids = append(ids, id)
		}
		for range 2 { // the second call changes nothing
			err := store.Tx(t.Context(), func(tx *models.Tx) error { return tx.KeepAnnounced(rows) })
			if err != nil {
				t.Fatal(err)
			}
		}
		err := store.Tx(t.Context(), func(tx *models.Tx) error { return tx.ClearAnnounced(append(ids[2:], "not there")) })
		if err != nil {
			t.Fatal(err)
		}
		announced, err := store.Read(t.Context()).AnnouncedWebhooks([]string{"1"})
		if err != nil || len(announced) != 2 || announced[0] != *rows[0] || announced[1] != *rows[1] {
			t.Errorf("told are %d: %v", len(announced), err)
		}
	})
}

// The webhooks of an app are deleted with it: another app may be created with its id,
// also while no server runs.
func TestDeletedAppLeavesNoWebhooks(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		tx := func(f func(tx *models.Tx) error) {
			t.Helper()
			if err := store.Tx(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		tx(func(tx *models.Tx) error {
			return errors.Join(tx.CreateApp(appRow("a", "ka")), tx.CreateApp(appRow("b", "kb")))
		})
		for _, app := range []string{"a", "b"} {
			tx(func(tx *models.Tx) error {
				return errors.Join(
					tx.QueueWebhooks([]*models.QueuedWebhook{{AppID: app, Endpoint: "e", Events: "{}", Count: 1}, {AppID: app, Endpoint: "e", Events: "{}", Count: 1, GivenUp: true}}),
					tx.KeepAnnounced([]*models.AnnouncedWebhook{{ID: app, AppID: app, Channel: `"c"`, UserID: `""`}}),
				)
			})
		}
		tx(func(tx *models.Tx) error { return tx.DeleteApp("a") })
		read := store.Read(t.Context())
		queued, err := read.QueuedWebhooks([]string{"a", "b"})
		if err != nil || len(queued) != 1 || queued[0].AppID != "b" {
			t.Errorf("queued: %+v, %v", queued, err)
		}
		tx(func(tx *models.Tx) error {
			if n, err := tx.ForgetWebhookLog(1, 10); err != nil || n != 1 { // what an earlier version gave up
				t.Errorf("%d of b were forgotten: %v", n, err)
			}
			return nil
		})
		if queued, err := read.QueuedWebhooks([]string{"b"}); err != nil || len(queued) != 1 {
			t.Errorf("queued are %+v: %v", queued, err)
		}
		announced, err := read.AnnouncedWebhooks([]string{"a", "b"})
		if err != nil || len(announced) != 1 || announced[0].AppID != "b" {
			t.Errorf("told: %+v, %v", announced, err)
		}
	})
}
