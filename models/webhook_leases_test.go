package models_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"chatcast/models"
	"chatcast/models/testdb"
)

// Deliveries from before there were leases are still there, are leased to nobody, and
// can be taken.
func TestWebhooksOfAnEarlierVersion(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "old.db") },
		"postgres": func(t *testing.T) string { return testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			store := testdb.Open(t, url(t))
			if err := store.MigrateTo(t.Context(), 5); err != nil {
				t.Fatal(err)
			}
			for _, statement := range []string{
				`INSERT INTO app_webhook_queue (app_id, endpoint, events, count, created_at_ms) VALUES ('1', 'e', '{}', 1, 7)`,
				`INSERT INTO app_webhook_told (id, app_id, channel, member, user_id) VALUES ('x', '2', '"c"', FALSE, '""')`,
			} {
				if err := store.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			if err := store.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			read := store.Read(t.Context())
			apps, err := read.WebhookAppsWithRows()
			if err != nil || !slices.Equal(apps, []string{"1", "2"}) {
				t.Fatalf("apps with rows are %q: %v", apps, err)
			}
			err = store.Tx(t.Context(), func(tx *models.Tx) error {
				taken, err := tx.TakeWebhookLeases(apps, "a", time.Minute, false)
				if err == nil && !slices.Equal(taken, apps) {
					t.Errorf("taken are %q", taken)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			queued, err := read.QueuedWebhooks(apps)
			if err != nil || len(queued) != 1 || queued[0].Events != "{}" || queued[0].QueuedBy != "" {
				t.Errorf("queued are %+v: %v", queued, err)
			}
			if free, err := read.FreeWebhookApps(apps, "b", false); err != nil || len(free) > 0 {
				t.Errorf("free for another are %q: %v", free, err)
			}
		})
	}
}
