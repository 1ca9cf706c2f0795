package api_test

import (
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestLineSettings checks who may see and change the settings of a line, bad input, and
// that the proxy's password is neither answered, logged, nor lost.
func TestLineSettings(t *testing.T) {
	const password, settings = "hidden-word", phoneLine + "/settings"
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWalker(t, store)
		at := crm.Line{LicenseID: 1229, Messenger: "WhatsApp"}
		proxy := "socks5://me:" + password + "@proxy.example:1080"
		for _, s := range []step{
			{w.Owner, "PATCH " + settings, `{"proxy":"` + proxy + `"}`, 0, "", nil},
			{w.Admin, "GET " + settings, "", 0, "", nil},
			{w.Owner, "PATCH " + settings, `{"rejectCalls":true,"rejectText":"Please write","proxy":"socks5://me:***@proxy.example:1080"}`, 0, "", nil},
			{w.Owner, "PATCH " + settings, `{"proxy":"ftp://me:` + password + `@proxy.example"}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"proxy":"http://me:` + password + `@proxy.example/path"}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"proxy":"http://me:` + password + `@%zz"}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"proxy":"http://me:` + password + `@proxy.example:99999"}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"proxy":"http://me:***@other.example"}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"typing":false,"sendDelay":3}`, 0, "", nil},
			{w.Owner, "PATCH " + settings, `{"typing":false,"sendDelay":3}`, 0, "", nil}, // changes nothing
			{w.Owner, "PATCH " + settings, `{"sendDelay":61}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"sendDelay":-1}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"sendDelay":"3"}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"rejectCalls":null}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"labels":null}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"receiveStatus":null}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"receiveChannels":"yes"}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"disappearing":60}`, 422, "", nil},
			{w.Owner, "PATCH " + settings, `{"rejectText":"` + strings.Repeat("x", crm.MaxText+1) + `"}`, 422, "", nil},
			{w.Owner, "GET " + line + "/settings", "", 409, "", nil},
			{w.Operator, "GET " + settings, "", 403, "", nil},
			{w.Operator, "PATCH " + settings, `{"rejectCalls":false}`, 403, "", nil},
			{w.Stranger, "GET " + settings, "", 404, "", nil},
		} {
			if rec := w.send(s); strings.Contains(rec.Body.String(), password) {
				t.Errorf("%s answers with the password: %s", s.request, rec.Body)
			}
		}
		got, err := w.AccountSettings(t.Context(), at)
		if got.Typing == nil || *got.Typing || got.SendDelay == nil || *got.SendDelay != 3*time.Second {
			t.Errorf("typing is %v, the delay %v", got.Typing, got.SendDelay)
		}
		got.Typing, got.SendDelay = nil, nil
		if want := (crm.AccountSettings{RejectCalls: true, RejectText: "Please write", Proxy: proxy}); err != nil || got != want {
			t.Errorf("the settings are %+v, %v, want %+v", got, err, want)
		}
		if w.configured != 3 {
			t.Errorf("the messenger was told %d times", w.configured)
		}
		page, err := w.AuditLog(t.Context(), w.Owner, crm.AuditQuery{Action: crm.AuditLineSettings})
		if err != nil || len(page.Items) != 3 || page.Items[2].Details["proxy"] != "socks5://me:***@proxy.example:1080" || page.Items[1].Details["rejectCalls"] != "true" || page.Items[0].Details["sendDelay"] != "3" {
			t.Errorf("the audit log has %+v, %v", page.Items, err)
		}
		w.steps(step{w.Owner, "PATCH " + settings, `{"proxy":null,"typing":null,"sendDelay":null,"labels":true,"disappearing":86400,"receiveStatus":true,"receiveChannels":true}`, 0, "", nil})
		if data, err := w.LineSettings(t.Context(), w.Admin, at); err != nil || !data.Labels || data.HasLabels != nil || data.Disappearing != 86400 || !data.ReceiveStatus || !data.ReceiveChannels {
			t.Errorf("the settings are %+v, %v", data, err)
		}
		if got, err := w.AccountSettings(t.Context(), at); err != nil || got.Proxy != "" || got.Typing != nil || got.SendDelay != nil || !got.ReceiveStatus || !got.ReceiveChannels {
			t.Errorf("after null the settings are %+v, %v", got, err)
		}
	})
}
