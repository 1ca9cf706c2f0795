package evolution_test

import (
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
)

// TestLesserKeysSeeNoSecrets looks at what keys see of an instance that may not set it up.
func TestLesserKeysSeeNoSecrets(t *testing.T) {
	w := onSQLite(t)
	status, _, _ := w.request(w.line, "POST /webhook/set/shop", `{"webhook":{"enabled":true,"url":"https://example.com/path","headers":{"Authorization":"Bearer hidden"}}}`)
	if status != 201 {
		t.Fatal(status)
	}
	of := func(rights ...string) string {
		return w.key(w.Owner, crm.KeyInput{Name: "less", Rights: rights, LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"})
	}
	denied := func(right string) string {
		return `{"status":403,"error":"Forbidden","response":{"message":["this key does not have the right ` + right + `"]}}`
	}
	w.want(of(crm.KeyRead, crm.KeySend, crm.KeyInbound), "GET /webhook/find/shop", "", 403, denied(crm.KeyManage))
	w.want(of(crm.KeySend), "GET /webhook/find/shop", "", 403, denied(crm.KeyManage))
	w.want(of(crm.KeyManage), "GET /webhook/find/shop", "", 403, denied(crm.KeyRead))
	if status, _, _ := w.request(w.line, "GET /webhook/find/shop", ""); status != 200 {
		t.Errorf("the key that set it gets %d", status)
	}
}
