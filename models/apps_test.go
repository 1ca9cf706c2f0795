package models_test

import (
	"errors"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/models"
	"chatcast/models/testdb"
)

func appRow(id, key string) *models.App {
	return &models.App{
		ID: id, Key: key, Secret: "s", Enabled: true, Name: "N", AllowedOrigins: "[]", ClientEvents: true,
		Limits: "{}", Webhooks: "[]", CreatedAt: 5, UpdatedAt: 5,
	}
}

func TestApps(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		change := func(f func(tx *models.Tx) error) error {
			return store.Tx(t.Context(), func(tx *models.Tx) error { return errors.Join(tx.ChangeApps(), f(tx)) })
		}
		must := func(f func(tx *models.Tx) error) {
			t.Helper()
			if err := change(f); err != nil {
				t.Fatal(err)
			}
		}
		must(func(tx *models.Tx) error {
			return errors.Join(tx.CreateApp(appRow("b", "kb")), tx.CreateApp(appRow("a", "ka")))
		})
		for what, row := range map[string]*models.App{"id": appRow("a", "new"), "key": appRow("new", "ka")} {
			if err := change(func(tx *models.Tx) error { return tx.CreateApp(row) }); !errors.Is(err, models.ErrDuplicate) {
				t.Errorf("the same %s: %v", what, err)
			}
		}
		changed := models.App{
			ID: "a", Key: "not written", Secret: "s2", OldSecret: "s", OldSecretUntil: 100, Name: "", AllowedOrigins: `["https://a.example"]`,
			SubscriptionCount: true, UserAuthentication: true, Limits: `{"sockets":1}`, Webhooks: `[{}]`, CreatedAt: 77, UpdatedAt: 6,
		}
		must(func(tx *models.Tx) error { return tx.SaveApp(&changed) })
		want := changed
		want.Key, want.CreatedAt = "ka", 5
		tx := store.Read(t.Context())
		if got, err := tx.App("a"); err != nil || *got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		list, err := tx.Apps()
		if err != nil || len(list) != 2 || list[0] != want || list[1] != *appRow("b", "kb") {
			t.Errorf("%+v, %v", list, err)
		}
		if used, err := tx.AppKeyUsed("ka"); err != nil || !used {
			t.Errorf("ka is used: %v, %v", used, err)
		}
		if used, err := tx.AppKeyUsed("not written"); err != nil || used {
			t.Errorf("another key is used: %v, %v", used, err)
		}
		for now, left := range map[int64]string{99: "s", 100: ""} {
			if now == 100 || left == "s" {
				must(func(tx *models.Tx) error { return tx.SaveApp(&changed) })
			}
			must(func(tx *models.Tx) error { return tx.ForgetOldSecrets(now) })
			if got, err := tx.App("a"); err != nil || got.OldSecret != left {
				t.Errorf("at %d: %+v, %v", now, got, err)
			}
		}
		must(func(tx *models.Tx) error { return tx.DeleteApp("a") })
		if _, err := tx.App("a"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a deleted app: %v", err)
		}
		if n, err := tx.CountApps(); err != nil || n != 1 {
			t.Errorf("%d apps, %v", n, err)
		}
	})
}

// Changes wait for each other, so none is lost from the version.
func TestAppsVersionRises(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		const changes = 20
		var g errgroup.Group
		for range changes {
			g.Go(func() error {
				return store.Tx(t.Context(), func(tx *models.Tx) error { return tx.ChangeApps() })
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		undone := errors.New("undone")
		err := store.Tx(t.Context(), func(tx *models.Tx) error { return errors.Join(tx.ChangeApps(), undone) })
		if !errors.Is(err, undone) {
			t.Fatal(err)
		}
		if v, err := store.Read(t.Context()).AppsVersion(); err != nil || v != changes {
			t.Errorf("version %d, %v, want %d", v, err, changes)
		}
	})
}
