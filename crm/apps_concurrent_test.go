package crm_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"chatcast/broadcasting/apps"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// Of many concurrent requests to create the same app one succeeds, and there are never
// more than MaxApps apps.
func TestAppsMadeTogether(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _, _ := withApps(t, store)
		w.OnAppsChanged(nil)
		w.Log = slog.New(slog.DiscardHandler)
		w.Tx(t, func(tx *models.Tx) error {
			for i := range crm.MaxApps - 5 {
				id := fmt.Sprint("app", i)
				if err := tx.CreateApp(&models.App{ID: id, Key: id, Secret: id, AllowedOrigins: "[]", Limits: "{}", Webhooks: "[]", History: "[]"}); err != nil {
					return err
				}
			}
			return nil
		})
		together := func(body func(i int) string) (made int) {
			var all sync.WaitGroup
			errs := make([]error, 12)
			for i := range errs {
				all.Go(func() { _, errs[i] = w.HostApps().Create(t.Context(), input(t, body(i))) })
			}
			all.Wait()
			for _, err := range errs {
				if err == nil {
					made++
				} else {
					expectCode(t, "together", err, crm.CodeConflict)
				}
			}
			return made
		}
		if n := together(func(int) string { return `{"id":"same"}` }); n != 1 {
			t.Errorf("the same app was made %d times", n)
		}
		if n := together(func(i int) string { return `{}` }); n != 4 {
			t.Errorf("%d were made where 4 had place", n)
		}
	})
}

// Each limit of the table can be set by its name.
func TestEveryLimitCanBeSet(t *testing.T) {
	store := testdb.Open(t, testdb.SQLiteURL(t))
	w, _, _ := withApps(t, store)
	changes := map[string]int{}
	for i, limit := range apps.Table() {
		changes[limit.Name] = min(i+1, limit.Max)
	}
	body, err := json.Marshal(map[string]any{"limits": changes})
	if err != nil {
		t.Fatal(err)
	}
	app, err := w.HostApps().Create(t.Context(), input(t, string(body)))
	if err != nil {
		t.Fatal(err)
	}
	served := servedApp(t, w, app.ID).Limits
	for _, limit := range apps.Table() {
		if got := *limit.Field(&served); got != changes[limit.Name] {
			t.Errorf("%s is %d, want %d", limit.Name, got, changes[limit.Name])
		}
	}
}
