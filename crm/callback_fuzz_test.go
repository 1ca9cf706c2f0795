package crm_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models/testdb"
)

// quiet is a crm.CallbackPoster that finds every URL good.
type quiet struct{}

var _ crm.CallbackPoster = quiet{}

func (quiet) CheckURL(context.Context, int64, string) error      { return nil }
func (quiet) Changed()                                           {}
func (quiet) CheckAddress(context.Context, string, string) error { return nil }
func (quiet) CheckEvents(string, string, []string) error         { return nil }
func (quiet) Live(int64, crm.CallbackEvent)                      {}
func (quiet) Post(_ context.Context, _ int64, read func() (crm.CallbackTarget, crm.CallbackEvent, error)) (crm.CallbackAttempt, error) {
	_, _, err := read()
	return crm.CallbackAttempt{Status: 200}, err
}

// FuzzCallback sets, and rewinds, a callback URL with any input: it works, or the error
// names a field.
func FuzzCallback(f *testing.F) {
	for _, seed := range []string{
		`{"url":"https://example.com/in","events":["message"],"chats":["79990001122"]}`, `{"url":"http://u:p@[::1]:80/%zz","lines":[{}]}`,
		`{"url":"https://x","chats":["\u0000"]}`, `{"eventId":-1}`, `{"eventId":0,"time":0}`, `{"time":9e18}`, `{"eventId":0,"url":"https://x/#"}`, `{"url":null}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t)))
		w.Callbacks = quiet{}
		on := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}
		named := func(err error) {
			t.Helper()
			var e *crm.Error
			if err != nil && (!errors.As(err, &e) || e.Code != crm.CodeInvalid || len(e.Fields) == 0) {
				t.Errorf("%q: %v", text, err)
			}
		}
		var in crm.CallbackInput
		if json.Unmarshal([]byte(text), &in) == nil {
			_, err := w.SetLineCallback(t.Context(), w.Owner, on, in)
			named(err)
			_, err = w.SetCompanyCallback(t.Context(), w.Owner, crmtest.CompanyID, in)
			named(err)
		}
		d, err := w.SetLineCallback(t.Context(), w.Owner, on, crm.CallbackInput{URL: "https://example.com"})
		if err != nil {
			t.Fatal(err)
		}
		var to crm.CallbackRewind
		if json.Unmarshal([]byte(text), &to) == nil {
			_, err := w.RewindCallback(t.Context(), w.Owner, d.ID, to)
			named(err)
		}
	})
}
