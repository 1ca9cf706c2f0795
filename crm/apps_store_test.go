package crm_test

import (
	"encoding/json"
	"testing"

	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/apps/appstest"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models/testdb"
)

// The Service over a database satisfies the contract of apps.Store.
func TestRulesAreAnAppStore(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": testdb.SQLiteURL, "postgres": testdb.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			appstest.StoreContract(t, func(t *testing.T) appstest.Source {
				return appSource(t, crmtest.New(t, testdb.Open(t, url(t))))
			})
		})
	}
}

// appSource returns the apps of a world as a Source that is changed through the rules.
func appSource(t *testing.T, w *crmtest.World) appstest.Source {
	rules := w.HostApps()
	return appstest.Source{
		Store: w.Service,
		Put: func(a apps.App) error {
			limits := crm.LimitChanges{}
			text, err := json.Marshal(a.Limits)
			if err == nil {
				err = json.Unmarshal(text, &limits)
			}
			if err != nil {
				return err
			}
			in := crm.AppInput{
				Name: crm.Value(a.Name), Enabled: crm.Value(a.Enabled), AllowedOrigins: crm.Value(a.AllowedOrigins), ClientEvents: crm.Value(a.ClientEvents),
				SubscriptionCount: crm.Value(a.SubscriptionCount), UserAuthentication: crm.Value(a.UserAuthentication),
				Limits: crm.Value(limits), Webhooks: crm.Value(a.Webhooks), History: crm.Value(a.History),
			}
			if _, err := rules.Get(t.Context(), a.ID); err == nil {
				_, err := rules.Edit(t.Context(), a.ID, in)
				return err
			}
			in.ID = crm.Value(a.ID)
			_, err = rules.Create(t.Context(), in)
			return err
		},
		Delete: func(id string) error { return rules.Delete(t.Context(), id) },
	}
}
