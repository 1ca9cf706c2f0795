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
	w.want(w.line, "POST /message/sendMedia/shop", form.String(), 413, `{"status":413,"error":"Request Entity Too Large","response":{"message":["the fields of the form are over 1048576 bytes"]}}`, "Content-Type: "+parts.FormDataContentType())
	if status, _, _ := w.request(w.line, "POST /message/sendMedia/shop", strings.Repeat("a&", 1<<20), "Content-Type: application/x-www-form-urlencoded"); status != 400 {
		t.Errorf("a form of a million fields gets %d", status)
	}
}

// TestTextsThatNoDatabaseHas puts a zero byte wherever a text is looked for.
func TestTextsThatNoDatabaseHas(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const zero = `"\u0000"`
		for _, request := range []string{
			`DELETE /chat/deleteMessageForEveryone/shop {"fromMe":true,"id":` + zero + `,"remoteJid":"351912000001@s.whatsapp.net"}`,
			`DELETE /chat/deleteMessageForEveryone/shop {"fromMe":true,"id":"x","remoteJid":` + zero + `}`,
			`POST /chat/getBase64FromMediaMessage/shop {"message":{"key":{"id":` + zero + `}}}`,
			`POST /chat/markMessageAsRead/shop {"readMessages":[{"id":` + zero + `},{"id":"x","remoteJid":` + zero + `}]}`,
			`POST /chat/archiveChat/shop {"archive":true,"lastMessage":{"key":{"id":` + zero + `}}}`,
			`POST /chat/archiveChat/shop {"archive":true,"chat":` + zero + `}`,
			`POST /chat/markChatUnread/shop {"lastMessage":{"key":{"remoteJid":` + zero + `}}}`,
			`POST /chat/findMessages/shop {"where":{"id":` + zero + `}}`,
			`POST /chat/findMessages/shop {"where":{"key":{"id":` + zero + `,"remoteJid":` + zero + `}}}`,
			`POST /chat/findStatusMessage/shop {"where":{"keyId":` + zero + `}}`,
			`POST /chat/findChats/shop {"where":{"remoteJid":` + zero + `}}`,
			`POST /chat/findContacts/shop {"where":{"pushName":` + zero + `}}`,
			`POST /chat/findContacts/shop {"where":{"id":` + zero + `}}`,
			`POST /chat/whatsappNumbers/shop {"numbers":[` + zero + `,"1@g.us","` + `\u0000@lid"]}`,
			`POST /message/sendText/shop {"number":"351912000001","text":"x","quoted":{"key":{"id":` + zero + `}}}`,
			`POST /message/sendText/shop {"number":"351912000001","text":"x","mentioned":["\u0000@lid"]}`,
			`POST /message/sendText/shop {"number":"351912000001","text":` + zero + `}`,
			`POST /message/sendReaction/shop {"key":{"id":` + zero + `,"remoteJid":"\u0000@lid","fromMe":true},"reaction":""}`,
			`POST /settings/set/shop {"msgCall":` + zero + `,"wavoipToken":` + zero + `}`,
			`POST /webhook/set/shop {"webhook":{"enabled":false,"url":` + zero + `,"headers":{"x":` + zero + `}}}`,
			`POST /group/create/shop {"subject":` + zero + `,"participants":["\u0000@lid"]}`,
			`GET /chat/findChatByRemoteJid/shop?remoteJid=%00`,
			`GET /group/inviteInfo/shop?inviteCode=%00`,
			`GET /group/findGroupInfos/shop?groupJid=%00@g.us`,
			`GET /instance/fetchInstances?instanceName=%00&instanceId=%00&number=%00`,
			`GET /instance/connect/shop?number=%00`,
		} {
			method, rest, _ := strings.Cut(request, " ")
			path, body, _ := strings.Cut(rest, " ")
			status, answer, _ := w.request(w.line, method+" "+path, body, "Idempotency-Key: \u00e9")
			if status >= 500 && !strings.Contains(answer, `"message":[`) {
				t.Errorf("%s: %d %s", request, status, answer)
			}
		}
	})
}
