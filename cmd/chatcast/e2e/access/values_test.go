package access_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models"
	"chatcast/server/api/apitest"
)

// perPerson is a value that depends on who asks.
type perPerson func(p *person) any

// totpSecret is of every second factor in the matrix.
const totpSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// fixedValues sets the values of objects that do not exist, of secrets, and of what is no
// object. A key may begin with the name of the body's schema, or with the segment of the
// path before it, where a name alone is not clear.
func (w *world) fixedValues() {
	w.t.Helper()
	const none = 4711
	for key, value := range map[string]any{
		"companyId": none, "licenseId": none, "messengerType": "icq", "pairing/messengerType": "icq", "chatId": "79990000009", "contactId": "79990000009",
		"messageId": "none",
		"fileId":    strings.Repeat("0", 32), "quotedMessageId": "none", "userId": none, "tagId": none, "tags/id": none, "categoryId": none, "categories/id": none,
		"levels/id": none, "LevelOrNull.id": none, "quickResponseLists/id": none, "responseId": none, "parent": none, "IDs.ids": none, "responsibleId": none,
		"UserRef.id": none, "UserOrNull.id": none, "invitations/id": none, "invitations/code": strings.Repeat("0", 64), "apps/id": "none", "sessions/id": none,
		"callbackUrls/id": none, "keys/id": none, "CallbackRedelivery.eventId": 1 << 40, "webhookId": "none", "WebhookRedelivery.deliveryId": 1 << 40,
	} {
		w.set(key, absent, value)
	}
	w.set("sessions/id", alpha, perPerson(func(p *person) any { return max(p.id, 8001)*10 + 1 }))
	w.set("sessions/id", bravo, perPerson(func(p *person) any { // another person's
		if p.id == 8001 {
			return 80021
		}
		return 80011
	}))
	reset, _, err := w.p.Components().Rules.HostUsers().ResetCode(w.t.Context(), "8002@people.test")
	if err != nil {
		w.t.Fatal(err)
	}
	host := &e2e.Client{T: w.t, Base: w.p.Base, Token: "token of host"}
	var app struct{ ID string }
	host.Must("POST", "/v1/apps", map[string]any{"name": "matrix", "webhooks": []any{map[string]any{"url": w.hooks}}}, &app)
	hook, delivery := w.appWebhook(host, app.ID)
	invitation := w.values["invitations/code"][alpha]
	delete(w.values["invitations/code"], bravo)
	for key, value := range map[string]any{
		"apps/id": app.ID, "webhookId": hook, "WebhookRedelivery.deliveryId": delivery, "InvitationCode.code": invitation, "Acceptance.code": invitation, "PasswordReset.code": reset, "PasswordReset.password": "a new password",
		"SignIn.email": "8001@people.test", "SignIn.password": password, "SignIn.appId": "app_8001_1", "RefreshInput.refreshToken": "refresh token of owner",
		"PasskeyAnswer.assertion":   perPerson(func(*person) any { return w.assertion }),
		"TOTPInput.currentPassword": password, "CodeInput.code": perPerson(w.code), "CompanySecurityInput.requireTotp": false,
		"MessengerInput.type": "viber", "MessengerType.type": "telegram", "schemas/file": "message.json",
		"CallbackInput.url": w.hooks, "CallbackRewind.eventId": 0,
		"app/key": "ChatsAppApiProdKey", "{key}/serverId": "7", "{serverId}/session": perPerson(w.session),
		"socket_id": perPerson(func(*person) any { _, id := e2e.ConnectSocket(w.t, w.p.Base); return id }),
	} {
		w.set(key, alpha, value)
	}
	for key, wrong := range map[string]any{
		"InvitationCode.code": "none", "Acceptance.code": "none", "PasswordReset.code": "none", "SignIn.email": "none@people.test", "SignIn.password": "wrong",
		"RefreshInput.refreshToken": "none",
	} {
		w.set(key, absent, wrong)
	}
	// The console's files are there when it was built, each build with other names.
	if _, page := e2e.Get(w.t, w.p.Base+"/"); strings.Contains(page, `"/assets/`) {
		_, rest, _ := strings.Cut(page, `"/assets/`)
		name, _, _ := strings.Cut(rest, `"`)
		w.set("assets/file", alpha, name)
		w.set("lib/file", alpha, "pusher-js-8.min.js")
	}
}

// code returns the present code of the second factor that prepare gives to people.
func (w *world) code(*person) any {
	code, err := totp.GenerateCode(totpSecret, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

// prepare brings the rows into the state that an operation needs, by operationId. The
// snapshot is restored after the cell.
func (w *world) prepare(op apitest.Operation, p *person, company string) (prepared bool) {
	if p.want(op, company) != success {
		return false
	}
	put := func(f *models.TOTP) {
		err := w.p.Components().Store.Tx(w.t.Context(), func(tx *models.Tx) error { return tx.PutTOTP(f) })
		if err != nil {
			w.t.Fatal(err)
		}
	}
	switch op.OperationID {
	case "confirmSecondFactor":
		put(&models.TOTP{UserID: p.id, Secret: totpSecret})
	case "removeSecondFactor":
		put(&models.TOTP{UserID: p.id, Secret: totpSecret, ConfirmedAt: 1})
	case "pinChatResponsible": // needs a responsible
		w.saved.exec(w.t, fmt.Sprintf("UPDATE chats SET responsible_id = %d WHERE external_id LIKE '79990000001%%'", max(p.id, 8001)))
		w.saved.exec(w.t, "UPDATE chats SET responsible_id = 8008 WHERE external_id LIKE '79990000002%'")
	case "answerPasskey", "cancelPasskey": // need a pairing that waits for a passkey
		w.askForPasskey(company)
	case "logOutLine": // needs a session to end
		w.connect(company)
	case "sendToSession", "sendToSessionUnprefixed": // needs a session to send to
		w.open(op.Path)
	default:
		return false
	}
	return true
}

// open opens a session over HTTP, which the next request uses.
func (w *world) open(path string) {
	w.opened = w.session(nil).(string)
	path = strings.NewReplacer("{key}", "ChatsAppApiProdKey", "{serverId}", "7", "{session}", w.opened, "_send", "").Replace(path)
	res, err := w.client.Post(w.p.Base+path+"?protocol=7", "", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
}

// session returns the name of a new session over HTTP, or of the one that open has opened.
func (w *world) session(*person) any {
	if name := w.opened; name != "" {
		w.opened = ""
		return name
	}
	w.asked++
	return fmt.Sprintf("session%d", w.asked)
}

// connect begins to pair the company's line with an account.
func (w *world) connect(company string) {
	c := &e2e.Client{T: w.t, Base: w.p.Base, Token: map[string]string{alpha: "token of owner", bravo: "token of stranger"}[company]}
	if c.Token != "" {
		c.Eventually("the line can be paired", func() bool {
			status, _ := c.Call("POST", fmt.Sprintf("/v1/licenses/%d/messengers/grWhatsApp/connect", companyIDs[company]+100), nil)
			return status == http.StatusOK
		})
	}
}

// askForPasskey begins to pair the company's line with an account that has a passkey.
func (w *world) askForPasskey(company string) {
	c := &e2e.Client{T: w.t, Base: w.p.Base, Token: map[string]string{alpha: "token of owner", bravo: "token of stranger"}[company]}
	if c.Token == "" {
		return
	}
	connect := fmt.Sprintf("/v1/licenses/%d/messengers/grWhatsApp/connect", companyIDs[company]+100)
	var shown struct {
		QR      string
		Passkey *struct{ Options struct{ Challenge string } }
	}
	c.Eventually("there is a code", func() bool {
		status, answer := c.Call("POST", connect, nil)
		return status == http.StatusOK && json.Unmarshal(answer, &struct{ Data any }{&shown}) == nil && shown.QR != ""
	})
	key := w.phones.Shop.RequirePasskey(whatsapptest.PasskeyOptions{})
	code := shown.QR
	go func() { _, _ = w.phones.Shop.ScanQR(w.t.Context(), code) }() // ends with the pairing, however that ends
	c.Eventually("the passkey is asked for", func() bool {
		c.Must("POST", connect, nil, &shown)
		return shown.Passkey != nil
	})
	w.assertion = key.Sign(whatsapptest.Signing{Challenge: shown.Passkey.Options.Challenge})
}

// disconnect ends what connect, or a cell, began.
func (w *world) disconnect(company string) {
	c := &e2e.Client{T: w.t, Base: w.p.Base, Token: map[string]string{alpha: "token of owner", bravo: "token of stranger"}[company]}
	c.Eventually("the pairing ends", func() bool {
		status, _ := c.Call("DELETE", fmt.Sprintf("/v1/licenses/%d/messengers/grWhatsApp/session", companyIDs[company]+100), nil)
		return status < http.StatusInternalServerError
	})
}
