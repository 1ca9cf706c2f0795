package crm_test

import (
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestEndpointThatIsOff checks that what is given of an endpoint that is off is checked as of one
// that is on: it would be in the way when it is switched on.
func TestEndpointThatIsOff(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		made, err := w.AddEndpoint(t.Context(), w.Owner, onGr, crm.EndpointInput{Format: crm.FormatMultiWA, URL: "https://r.example/hook"})
		if err != nil || made.Enabled {
			t.Fatalf("%+v, %v", made, err)
		}
		change := func(ch crm.EndpointChanges) error {
			_, err := w.ChangeEndpoint(t.Context(), w.Owner, crm.FormatMultiWA, made.PublicID, ch)
			return err
		}
		for name, ch := range map[string]crm.EndpointChanges{
			"secret":  {Secret: crm.Value(strings.Repeat("x", 201))},
			"headers": {Options: crm.Value(crm.EndpointOptions{Headers: map[string]string{"Host": "x"}})},
			"events":  {Events: crm.Value([]string{strings.Repeat("x", 1000)})},
			"url":     {URL: crm.Value("ftp://r.example")},
		} {
			if err := change(ch); codeOf(err) != crm.CodeInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, enabled := range []bool{false, true, false} {
			if err := change(crm.EndpointChanges{Enabled: crm.Value(enabled)}); err != nil {
				t.Errorf("enabled %v: %v", enabled, err)
			}
		}
	})
}
