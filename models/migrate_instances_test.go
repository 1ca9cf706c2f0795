package models_test

import (
	"path/filepath"
	"regexp"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// Before version 60 lines had no instances. Each gets one, with an id and a name of its own.
func TestMigrateInstances(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "old.db") },
		"postgres": func(t *testing.T) string { return testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, store := t.Context(), testdb.Open(t, url(t))
			if err := store.MigrateTo(ctx, 58); err != nil {
				t.Fatal(err)
			}
			for _, sql := range []string{
				`INSERT INTO companies (id, name, created_at) VALUES (1, 'old', 0), (9, 'other', 0)`,
				`INSERT INTO licenses (id, company_id, name, created_at) VALUES (2, 1, 'old', 0), (3, 9, 'old', 0)`,
				`INSERT INTO messengers (license_id, type, name, created_at) VALUES (2, 'grWhatsApp', 'a', 1637319300), (2, 'telegram', 'b', 5), (3, 'grWhatsApp', 'c', 6)`,
			} {
				if err := store.Exec(ctx, sql); err != nil {
					t.Fatal(err)
				}
			}
			if err := store.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			ids := map[string]bool{}
			for _, want := range []models.Instance{
				{CompanyID: 1, LicenseID: 2, MessengerType: "grWhatsApp", Name: "2-grWhatsApp", CreatedAtMS: 1637319300000},
				{CompanyID: 1, LicenseID: 2, MessengerType: "telegram", Name: "2-telegram", CreatedAtMS: 5000},
				{CompanyID: 9, LicenseID: 3, MessengerType: "grWhatsApp", Name: "3-grWhatsApp", CreatedAtMS: 6000},
			} {
				got, err := store.Read(ctx).InstanceOf(want.LicenseID, want.MessengerType)
				if err != nil {
					t.Fatal(err)
				}
				if !uuidForm.MatchString(got.ID) || ids[got.ID] {
					t.Errorf("the id is %q", got.ID)
				}
				ids[got.ID] = true
				want.ID, want.Shape, want.Settings, want.Websocket, want.UpdatedAtMS = got.ID, "v2", "{}", `{"enabled":true,"events":[]}`, want.CreatedAtMS
				if *got != want {
					t.Errorf("the instance is %+v, want %+v", *got, want)
				}
			}
		})
	}
}
