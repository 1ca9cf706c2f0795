package models_test

import (
	"fmt"
	"strings"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// logged returns n attempts at webhooks of the app a, each with a batch of size bytes.
func logged(endpoint string, n, size int, at int64) (rows []*models.WebhookAttempt, batches []*models.WebhookBatch) {
	for i := range n {
		key := fmt.Sprint(endpoint, at, "-", i)
		rows = append(rows, &models.WebhookAttempt{AppID: "a", Endpoint: endpoint, Kind: "delivery", Batch: key, Count: 1, Attempt: 1, Status: 200, AtMS: at})
		batches = append(batches, &models.WebhookBatch{Key: key, AppID: "a", Endpoint: endpoint, Events: strings.Repeat("x", size), Size: int64(size), AtMS: at})
	}
	return rows, batches
}

// The log of a webhook is bounded by count, what was posted also by size, and both by age.
func TestWebhookLogIsBounded(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		add := func(endpoint string, n, size int, at int64) (rows []*models.WebhookAttempt) {
			t.Helper()
			err := store.Tx(t.Context(), func(tx *models.Tx) error {
				var batches []*models.WebhookBatch
				rows, batches = logged(endpoint, n, size, at)
				return tx.LogWebhooks(rows, append(batches, batches[0])) // a batch that is there already changes nothing
			})
			if err != nil {
				t.Fatal(err)
			}
			return rows
		}
		read := store.Read(t.Context())
		has := func(endpoint string, attempts, batches int) []models.WebhookAttempt {
			t.Helper()
			rows, err := read.WebhookLog(models.WebhookLogQuery{AppID: "a", Endpoint: endpoint}, 5000)
			kept := 0
			for _, row := range rows {
				if _, err := read.WebhookBatch(&row); err == nil {
					kept++
				}
			}
			if err != nil || len(rows) != attempts || kept != batches {
				t.Fatalf("%s has %d attempts and %d batches, want %d and %d: %v", endpoint, len(rows), kept, attempts, batches, err)
			}
			return rows
		}
		small := add("small", 1250, 1, 1000)
		if rows := has("small", 1000, 1000); rows[0].ID != small[1249].ID || rows[999].ID != small[250].ID {
			t.Errorf("kept are %d to %d of %d to %d", rows[999].ID, rows[0].ID, small[0].ID, small[1249].ID)
		}
		add("large", 40, 100_000, 2000)
		if rows := has("large", 40, 20); rows[0].Batch != "large2000-39" {
			t.Errorf("the newest is %+v", rows[0])
		}
		for _, want := range []int64{600, 400, 0} {
			err := store.Tx(t.Context(), func(tx *models.Tx) error {
				n, err := tx.ForgetWebhookLog(2000, 600)
				if err == nil && n != want {
					err = fmt.Errorf("%d are forgotten, want %d", n, want)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		has("small", 0, 0)
		has("large", 40, 20)
	})
}

// What was delivered, what failed and what was given up do not push out each other. What was
// given up is bounded by its own size.
func TestGivenUpWebhooksStay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		add := func(n, size int, at, attempt int64, reason string) []*models.WebhookAttempt {
			t.Helper()
			rows, batches := logged("e", n, size, at)
			for _, row := range rows {
				row.Attempt, row.Reason = attempt, reason
			}
			if err := store.Tx(t.Context(), func(tx *models.Tx) error { return tx.LogWebhooks(rows, batches) }); err != nil {
				t.Fatal(err)
			}
			return rows
		}
		read := store.Read(t.Context())
		kept := func(rows []*models.WebhookAttempt) (attempts, batches int) {
			for _, row := range rows {
				if _, err := read.WebhookAttempt("a", "e", row.ID); err == nil {
					attempts++
				}
				if _, err := read.WebhookBatch(row); err == nil {
					batches++
				}
			}
			return attempts, batches
		}
		lost, failed := add(3, 900_000, 1, 0, "timeout"), add(1, 5, 2, 7, "timeout")
		for i := range 3 { // each of which alone would fill the log
			add(1010, 3000, int64(10+i), 1, "")
		}
		if attempts, batches := kept(lost); attempts != 3 || batches != 3 {
			t.Errorf("of what was given up %d entries and %d batches are kept", attempts, batches)
		}
		if attempts, _ := kept(failed); attempts != 1 {
			t.Error("an attempt that failed is pushed out by others that did not")
		}
		more := add(12, 900_000, 20, 0, "timeout") // 8 MB have room for nine
		if attempts, batches := kept(more); attempts != 12 || batches != 9 {
			t.Errorf("of what was given up last %d entries and %d batches are kept", attempts, batches)
		}
		if attempts, batches := kept(lost); attempts != 3 || batches != 0 {
			t.Errorf("of what was given up first %d entries and %d batches are kept", attempts, batches)
		}
	})
}

// What is kept of a webhook goes with it, or with its app.
func TestKeepWebhooks(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		tx := func(f func(tx *models.Tx) error) {
			t.Helper()
			if err := store.Tx(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		tx(func(tx *models.Tx) error { return tx.CreateApp(appRow("a", "ka")) })
		for _, endpoint := range []string{"stays", "goes"} {
			tx(func(tx *models.Tx) error {
				rows, batches := logged(endpoint, 1, 1, 5)
				if err := tx.LogWebhooks(rows, batches); err != nil {
					return err
				}
				return tx.SaveWebhookStates([]*models.WebhookState{{AppID: "a", Endpoint: endpoint, Generation: 2, Failures: 3}})
			})
		}
		// A state from before somebody resumed the webhook is not written.
		tx(func(tx *models.Tx) error {
			return tx.SaveWebhookStates([]*models.WebhookState{{AppID: "a", Endpoint: "stays", Generation: 1, Failures: 9}})
		})
		left := func(want ...string) {
			t.Helper()
			read, got := store.Read(t.Context()), []string{}
			states, err := read.WebhookStates([]string{"a"})
			if err != nil {
				t.Fatal(err)
			}
			for _, st := range states {
				if st.Endpoint == "goes" && st.Generation == 3 { // it begins anew, whatever is reported of the one before
					if st != (models.WebhookState{AppID: "a", Endpoint: "goes", Generation: 3}) {
						t.Errorf("the state of what was removed is %+v", st)
					}
					continue
				}
				rows, err := read.LastWebhookAttempts("a", []string{st.Endpoint})
				if err != nil || len(rows) != 1 || st.Failures != 3 {
					t.Fatalf("%+v has %+v: %v", st, rows, err)
				}
				got = append(got, st.Endpoint)
			}
			rows, err := read.LastWebhookAttempts("a", []string{"stays", "goes"})
			if err != nil || strings.Join(got, " ") != strings.Join(want, " ") || len(rows) != len(want) {
				t.Errorf("left are %q with %+v, want %q: %v", got, rows, want, err)
			}
		}
		left("goes", "stays")
		tx(func(tx *models.Tx) error { return tx.KeepWebhooks("a", []string{"stays"}) })
		left("stays")
		tx(func(tx *models.Tx) error {
			return tx.SaveWebhookStates([]*models.WebhookState{{AppID: "a", Endpoint: "goes", Generation: 2, Failures: 9, SuspendedAtMS: 9}})
		})
		left("stays")
		tx(func(tx *models.Tx) error { return tx.DeleteApp("a") })
		left()
		if states, err := store.Read(t.Context()).WebhookStates([]string{"a"}); err != nil || len(states) > 0 {
			t.Errorf("left of the app are %+v: %v", states, err)
		}
	})
}

// What is old is found without reading the logs.
func TestOldLogsAreFoundByAge(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		err := store.Tx(t.Context(), func(tx *models.Tx) error {
			for at := range 200 { // a webhook each
				rows, batches := logged(fmt.Sprint("e", at), 20, 1, int64(at))
				if err := tx.LogWebhooks(rows, batches); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		analyze(t, store)
		tables := []string{"app_webhook_log", "app_webhook_batches"}
		if !store.Postgres() { // which reads an empty table as it is
			tables = append(tables, "callback_deliveries")
		}
		for _, table := range tables {
			if plan, err := store.ExplainOldLog(t.Context(), table); err != nil || !strings.Contains(plan, table+"_ages") {
				t.Errorf("%s is scanned: %v\n%s", table, err, plan)
			}
		}
	})
}
