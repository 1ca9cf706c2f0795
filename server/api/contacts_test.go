package api_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

var _ crm.NumberChecker = (*phone)(nil)

const (
	numbers    = `{"numbers":["+7 999 000-11-22","79990000000","nobody"]}`
	unanswered = `{"numbers":["79990000007"]}` // so that the phone is asked each time
)

// checks asks about numbers.
func (w *walker) checks() {
	check := "POST " + phoneLine + "/contacts/check"
	w.steps(
		step{w.Operator, "POST " + line + "/contacts/check", numbers, 409, "", nil},
		step{w.Operator, check, numbers, 0, "", nil},
		step{w.Operator, check, `{"numbers":[` + strings.Repeat(`"",`, 100) + `""]}`, 422, "", nil},
		step{w.Operator, check, unanswered, 0, "", nil},
	)
	w.ChecksPerDay = 1
	w.steps(step{w.Operator, check, unanswered, 429, "", nil})
	w.ChecksPerDay = 0
}

// CheckNumbers knows one number.
func (p *phone) CheckNumbers(_ context.Context, _ crm.Line, asked []string, begin func() error) (map[string]crm.CheckedNumber, error) {
	if err := p.reach(); err != nil {
		return nil, err
	}
	if err := begin(); err != nil {
		return nil, err
	}
	found := map[string]crm.CheckedNumber{}
	for _, number := range asked {
		switch number {
		case "79990001122":
			found[number] = crm.CheckedNumber{Exists: true, Phone: number, LID: "100200301@lid", BusinessName: "Anna's flowers"}
		case "79990000000":
			found[number] = crm.CheckedNumber{}
		}
	}
	return found, nil
}

// TestContactChecksOverHTTP checks who may ask about numbers, and the answers to what
// cannot be asked.
func TestContactChecksOverHTTP(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWalker(t, store)
		check := "POST " + phoneLine + "/contacts/check"
		w.phone.unavailable = true
		w.steps(step{w.Operator, check, numbers, 503, "", nil})
		w.phone.unavailable = false
		w.ChecksPerDay = 1
		rec := w.record(step{who: w.Operator, request: check, body: numbers}, "POST")
		if after := rec.Header().Get("Retry-After"); rec.Code != 429 || after == "" || after == "0" {
			t.Errorf("beyond the limit: %d %s, Retry-After %q", rec.Code, rec.Body, after)
		}
		w.ChecksPerDay = 2
		for _, s := range []step{
			{w.Stranger, check, numbers, 404, "", nil},
			{w.Outsider, check, numbers, 403, "", nil},
			{w.Reader, check, numbers, 403, "", nil},
			{crm.Actor{}, check, numbers, 401, "", nil},
			{w.Operator, "POST /v1/licenses/1229/messengers/telegram/contacts/check", numbers, 409, "", nil},
			{w.Operator, check, `{"numbers":[]}`, 422, "", nil},
			{w.Operator, check, `{}`, 422, "", nil},
			{w.Operator, check, `{"numbers":"79990001122"}`, 422, "", nil},
			{w.Operator, check, numbers, 0, "", nil},
		} {
			w.steps(s)
		}
		var got []map[string]any
		if err := json.Unmarshal(w.as(t, w.OnlyMine, "POST", phoneLine+"/contacts/check", numbers).Data, &got); err != nil {
			t.Fatal(err)
		}
		want := `[{"businessName":"Anna's flowers","error":null,"exists":true,"id":"79990001122","lid":"100200301@lid","name":"","number":"+7 999 000-11-22","phone":"79990001122","username":null},` +
			`{"businessName":null,"error":null,"exists":false,"id":null,"lid":null,"name":"","number":"79990000000","phone":null,"username":null},` +
			`{"businessName":null,"error":{"code":"invalid_number","message":"must be a phone number of 5 to 15 digits with its country code"},"exists":null,"id":null,"lid":null,"name":"","number":"nobody","phone":null,"username":null}]`
		if text, err := json.Marshal(got); err != nil || string(text) != want {
			t.Errorf("answered\n%s, want\n%s", text, want)
		}
	})
}
