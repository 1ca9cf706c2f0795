package evolution_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
)

// TestAdoptWebhooks checks that webhooks that were stored before any was delivered to are served
// from now on.
func TestAdoptWebhooks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.want(w.line, "POST /webhook/set/shop", `{"url":"https://crm.example/a","headers":{"x-team":"a"}}`, 201, strings.Replace(row("https://crm.example/a", allEventNames(t), false), `"headers":null`, `"headers":{"x-team":"a"}`, 1))
		list, err := w.Endpoints(t.Context(), w.Owner, onShop, crm.FormatEvolution)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		w.Tx(t, func(tx *models.Tx) error { return tx.DeleteCallbackURL(list[0].ID) }) // as before the migration
		w.ingest(says(hiID, "Hi", crmtest.Start-60))
		for range 2 {
			if err := w.AdoptWebhooks(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		again, err := w.Endpoints(t.Context(), w.Owner, onShop, crm.FormatEvolution)
		if err != nil || len(again) != 1 || again[0].URL != list[0].URL || again[0].Options.Headers["x-team"] != "a" || !again[0].Enabled {
			t.Fatalf("%+v, %v", again, err)
		}
	})
}

// TestAdoptsOthers checks that an instance or a webhook that is stored in a wrong form keeps neither the
// webhooks of others from being served nor the others from having events.
func TestAdoptsOthers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var log testwait.Output
		w.Log = slog.New(slog.NewTextHandler(&log, nil))
		made := map[string]*crm.CreatedInstance{}
		for _, name := range []string{"bad settings", "bad webhook", "good"} {
			i, err := w.CreateInstance(t.Context(), w.Owner, crm.InstanceInput{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			made[name] = i
			hook := crm.InstanceWebhook{URL: "https://crm.example/hook", Enabled: true}
			if _, err := w.ChangeInstance(t.Context(), w.Owner, name, crm.InstanceChanges{Webhook: crm.Value(hook)}); err != nil {
				t.Fatal(err)
			}
		}
		db, _, err := w.Store.SideDB(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, query := range []string{
			"DELETE FROM callback_urls", // as before the migration
			"UPDATE instances SET settings = '{' WHERE name = 'bad settings'", "UPDATE instances SET webhook = 'secret?' WHERE name = 'bad webhook'",
		} {
			if _, err := db.ExecContext(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
		w.Tx(t, func(tx *models.Tx) error { return tx.InstancesChanged() })
		if err := errors.Join(w.LoadInstances(t.Context()), w.AdoptWebhooks(t.Context())); err != nil {
			t.Fatal(err)
		}
		for name, i := range made {
			list, err := w.Endpoints(t.Context(), w.Owner, i.Line, crm.FormatEvolution)
			if err != nil || (len(list) == 1) != (name == "good") {
				t.Errorf("%s has the endpoints %+v, %v", name, list, err)
			}
			if _, known := w.InstanceDirectory().Of(i.Line); known == (name == "bad settings") {
				t.Errorf("%s is known: %v", name, known)
			}
			if strings.Contains(log.String(), i.ID) == (name == "good") {
				t.Errorf("the log does not tell what is wrong with %s:\n%s", name, &log)
			}
		}
		if strings.Contains(log.String(), "secret?") {
			t.Errorf("the log has what is stored:\n%s", &log)
		}
	})
}
