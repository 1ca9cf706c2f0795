package evolution_test

import (
	"fmt"
	"mime/multipart"
	"strings"
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

// TestBodiesThatGrow sends bodies that would take many times their size in memory.
func TestBodiesThatGrow(t *testing.T) {
	w := onSQLite(t)
	for _, body := range map[string]string{
		"lists":   `{"number":"351912000001","x":[` + strings.Repeat("[],", 60_000) + `[]]}`,
		"numbers": `{"number":"351912000001","mentioned":[` + strings.Repeat("1,", 60_000) + `1]}`,
		"members": `{"number":"351912000001","x":{` + strings.Repeat(`"a":0,`, 60_000) + `"a":0}}`,
	} {
		w.want(w.line, "POST /message/sendMedia/shop", body, 400, badText("the body has more than 50000 values"))
	}
	var form strings.Builder
	parts := multipart.NewWriter(&form)
	for i := range 30 {
		if err := parts.WriteField(fmt.Sprint("f", i), strings.Repeat("x", 100_000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := parts.Close(); err != nil {
		t.Fatal(err)
	}
	w.want(w.line, "POST /message/sendMedia/shop", form.String(), 400, badText("the fields of the form are over 1048576 bytes"), "Content-Type: "+parts.FormDataContentType())
	if status, _, _ := w.request(w.line, "POST /message/sendMedia/shop", strings.Repeat("a&", 1<<20), "Content-Type: application/x-www-form-urlencoded"); status != 400 {
		t.Errorf("a form of a million fields gets %d", status)
	}
}
