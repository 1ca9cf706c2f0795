package api_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
)

func (w *walker) steps(all ...step) {
	w.t.Helper()
	for _, s := range all {
		w.send(s)
	}
}

func (w *walker) people() {
	const staff, offers = "/v1/companies/2224/employees", "/v1/companies/2224/invitations"
	nobody, signIn := crm.Actor{}, `{"email":"test@test.test","password":"`+secret+`"}`
	w.steps(
		step{nobody, "POST /v1/tokens", signIn, 0, "refresh=data.refreshToken", nil},
		step{nobody, "POST /v1/tokens/refresh", "", 0, "access=data.accessToken", []string{"Refresh", "{refresh}"}},
		step{nobody, "POST /v1/tokens/refresh", "", 401, "", nil},
		step{nobody, "POST /v1/tokens", `{"email":"test@test.test","password":"wrong"}`, 403, "", nil},
		step{nobody, "GET /v1/tokens/check", "", 0, "", []string{"Authorization", "Bearer {access}"}},
		step{nobody, "POST /v1/tokens/refresh", `{"refreshToken":"{refresh}"}`, 403, "", nil},
		step{nobody, "GET /v1/tokens/check", "", 403, "", []string{"Authorization", "{access}"}},
		step{nobody, "POST /v1/tokens", signIn, 0, "access=data.accessToken", nil},
		step{nobody, "DELETE /v1/tokens", "", 0, "", []string{"Authorization", "{access}"}},
		step{w.Operator, "GET /v1/me", "", 0, "", nil},
		step{w.Admin, "GET /v1/server?limit=2&prefix=presence-", "", 0, "", nil},
		step{w.Operator, "GET /v1/server", "", 403, "", nil},
		step{w.Admin, "GET /v1/audit?limit=1&companyId=2224&action=session&userId=685&from=0&to=4000000000", "", 0, "auditpage=data.nextPage", nil},
		step{w.Admin, "GET /v1/audit?companyId=2224&action=session&nextPage={auditpage}", "", 0, "", nil},
		step{w.Operator, "GET /v1/audit", "", 403, "", nil},
		step{w.Stranger, "GET /v1/server?limit=0", "", 403, "", nil},
		step{w.Owner, "PATCH /v1/me", `{"name":"The owner","password":"` + secret + `s","currentPassword":"` + secret + `"}`, 0, "", nil},
		step{w.Admin, "POST /v1/keys", `{"companyId":2224,"name":"Sync","rights":["read"]}`, 0, "keyid=data.id", nil},
		step{w.Owner, "POST /v1/keys", `{"name":"Shop","licenseId":1229,"messengerType":"grWhatsApp","rights":["read","send"]}`, 0, "key=data.key", nil},
		step{w.Owner, "GET /v1/keys?companyId=2224&limit=1", "", 0, "keypage=data.nextPage", nil},
		step{w.Owner, "GET /v1/keys?nextPage={keypage}", "", 0, "", nil},
		step{w.Operator, "GET /v1/keys", "", 403, "", nil},
		step{nobody, "GET /v1/licenses", "", 0, "", []string{"Authorization", "Bearer {key}"}},
		step{nobody, "GET /v1/me", "", 403, "", []string{"Authorization", "{key}"}},
		step{w.Owner, "DELETE /v1/keys/{keyid}", "", 0, "", nil},
		step{w.Owner, "GET /v1/licenses", "", 0, "", nil},
		step{w.Owner, "POST /v1/licenses", `{"companyId":2224,"name":"New"}`, 0, "license=data.licenseId", nil},
		step{w.Owner, "PATCH /v1/licenses/{license}", `{"name":"Newer"}`, 0, "", nil},
		step{w.Owner, "POST /v1/licenses/{license}/messengers", `{"type":"carrierPigeon"}`, 0, "", nil},
		step{w.Owner, "POST /v1/licenses/{license}/messengers", `{"type":"carrierPigeon"}`, 409, "", nil},
		step{w.Owner, "DELETE /v1/licenses/{license}/messengers", `{"type":"carrierPigeon"}`, 0, "", nil},
		step{w.Owner, "POST /v1/licenses/{license}/messengers", `{"type":"viber","name":"V"}`, 0, "", nil},
		step{w.Owner, "DELETE /v1/licenses/{license}/messengers/viber", "", 0, "", nil},
		step{w.Owner, "POST /v1/licenses/{license}/messengers", `{"type":"viber"}`, 0, "", nil}, // which goes with its licence
		step{w.Owner, "DELETE /v1/licenses/{license}", "", 0, "", nil},
		step{w.Owner, "GET " + staff + "?limit=2", "", 0, "next=data.nextPage", nil},
		step{w.Owner, "GET " + staff + "?nextPage={next}", "", 0, "", nil},
		step{w.Admin, "POST " + staff, `{"email":"new@test.test","name":"New","licenses":[{"licenseId":1229,"write":true}]}`, 0, "code=data.invitation.code", nil},
		step{nobody, "POST /v1/invitations/open", `{"code":"{code}"}`, 0, "", nil},
		step{w.Admin, "GET " + offers, "", 0, "", nil},
		step{w.Operator, "POST /v1/invitations/{code}/accept", "", 403, "", nil},
		step{w.Operator, "POST /v1/invitations/accept", `{"code":"{code}"}`, 403, "", nil},
		step{nobody, "POST /v1/invitations/{code}/accept", `{"name":"New","password":"` + secret + `"}`, 0, "employee=data.userId", nil},
		step{w.Admin, "POST " + staff, `{"email":"new@test.test","name":"New"}`, 409, "", nil},
		step{w.Admin, "POST " + staff, `{"email":"newer@test.test"}`, 0, "code=data.invitation.code", nil},
		step{nobody, "POST /v1/invitations/accept", `{"code":"{code}","name":"Newer","password":"` + secret + `"}`, 0, "", nil},
		step{w.Admin, "POST " + staff, `{"email":"admin2@test.test","role":"admin"}`, 0, "invitation=data.invitation.id", nil},
		step{w.Admin, "DELETE " + offers + "/{invitation}", "", 0, "", nil},
		step{w.Admin, "POST /v1/companies", `{"name":"Second","ownerEmail":"operator@test.test"}`, 0, "code=data.invitation.code", nil},
		step{w.Stranger, "POST /v1/companies", `{"name":"Third","ownerEmail":"stranger@test.test"}`, 403, "", nil},
		step{w.Admin, "GET " + staff + "/{employee}", "", 0, "", nil},
		step{w.Admin, "PATCH " + staff + "/{employee}", `{"role":"operator","onlyMine":true,"name":"Newer"}`, 0, "", nil},
		step{w.Owner, "PATCH " + staff + "/685", `{"role":"admin"}`, 409, "", nil},
		step{w.Owner, "DELETE " + staff + "/685", "", 409, "", nil},
		step{w.Admin, "PUT " + staff + "/{employee}/workday", `{"type":"start"}`, 0, "", nil},
	)
	id, err := strconv.ParseInt(w.vars["{employee}"], 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Tx(w.t, func(tx *models.Tx) error { _, err := tx.SetOnline(2224, id, true); return err })
	const theirs = line + "/chats/79990003344"
	w.steps(
		step{w.Admin, "POST " + line + "/chats", `{"phone":"79990003344"}`, 0, "", nil},
		step{w.Admin, "PUT " + theirs + "/responsible", `{"id":{employee}}`, 0, "", nil},
		step{w.Admin, "PUT " + theirs + "/responsible/pin", `{"type":"pin"}`, 0, "", nil},
		step{w.Admin, "POST /v1/quickResponseLists", `{"name":"Shared","access":[{"userId":"{employee}","permission":"r"}]}`, 0, "", nil},
		step{w.Admin, "DELETE " + staff + "/{employee}", "", 0, "", nil},
	)
}

func (w *walker) catalogues() {
	for _, c := range []struct{ path, body string }{
		{"/v1/tags/categories", `{"name":"Kind","sort":5}`},
		{"/v1/levels", `{"name":"First","companyId":2224}`},
		{"/v1/tags", `{"name":"VIP","color":"#123df55","categoryId":null}`},
	} {
		w.steps(
			step{w.Owner, "POST " + c.path, c.body, 0, "gone=data.id", nil},
			step{w.Owner, "POST " + c.path, c.body, 0, "id=data.id", nil},
			step{w.Reader, "GET " + c.path + "/{id}", "", 0, "", nil},
			step{w.Reader, "GET " + c.path + "?limit=1&companyId=2224", "", 0, "", nil},
			step{w.Owner, "PATCH " + c.path + "/{id}", `{"sort":7}`, 0, "", nil},
			step{w.Owner, "PUT " + c.path + "/{id}", `{"name":"Renamed"}`, 0, "", nil},
			step{w.Owner, "DELETE " + c.path + "/{gone}", "", 0, "", nil},
		)
		w.vars["{of"+c.path+"}"] = w.vars["{id}"]
	}
	w.vars["{level}"], w.vars["{tag}"], w.vars["{category}"] = w.vars["{of/v1/levels}"], w.vars["{of/v1/tags}"], w.vars["{of/v1/tags/categories}"]
	w.steps(
		step{w.Owner, "PATCH /v1/tags/{tag}", `{"categoryId":{category}}`, 0, "", nil},
		step{w.Owner, "GET /v1/tags?categoryId={category}", "", 0, "", nil},
	)
}

func (w *walker) chats() {
	const at = annChat
	w.steps(
		step{w.Operator, "POST " + line + "/chats", `{"phone":"+7 999 000-11-22","name":"Ann"}`, 0, "", nil},
		step{w.Operator, "PUT " + at + "/responsible/pin", `{"type":"pin"}`, 409, "", nil},
	)
	for _, s := range []struct{ request, body string }{
		{"POST /tags", `{"tagId":{tag}}`}, {"PUT /level", `{"id":{level}}`}, {"PUT /responsible", `{"id":687}`},
		{"PUT /responsible/pin", `{"type":"pin"}`}, {"PUT /producer", `{"id":686}`}, {"POST /accomplices", `{"id":687}`},
		{"POST /auditors", `{"id":688}`}, {"PUT /process", `{"process":"inWork"}`},
	} {
		method, path, _ := strings.Cut(s.request, " ")
		w.steps(step{w.Operator, method + " " + at + path, s.body, 0, "", nil})
	}
	w.steps(
		step{w.Operator, "GET " + at, "", 0, "", nil},
		step{w.Operator, "PATCH " + at, `{"name":"Ann, flowers"}`, 0, "", nil},
		step{w.Operator, "GET " + line + "/chats?limit=5&status=open&responsibleId=687&tagId={tag}&unread=false&search=Ann&lastTime=1637319300", "", 0, "", nil},
		step{w.Operator, "GET /v1/chats?responsibleId=none&unread=1", "", 0, "", nil},
		step{w.Operator, "DELETE " + at + "/accomplices/687", "", 0, "", nil},
		step{w.Operator, "DELETE " + at + "/auditors/688", "", 0, "", nil},
		step{w.Operator, "DELETE " + at + "/tags/{tag}", "", 0, "", nil},
		step{w.Operator, "PUT " + at + "/responsible", `{"id":null}`, 0, "", nil},
		step{w.Operator, "PUT " + at + "/status", `{"type":"close"}`, 0, "", nil},
		// again, so that the catalogue's deletions cause events
		step{w.Operator, "POST " + at + "/tags", `{"tagId":{tag}}`, 0, "", nil},
		step{w.Operator, "PUT " + at + "/level", `{"id":{level}}`, 0, "", nil},
		step{w.Owner, "DELETE /v1/tags/{tag}", "", 0, "", nil},
		step{w.Owner, "DELETE /v1/levels/{level}", "", 0, "", nil},
	)
}

func (w *walker) messages() {
	const brought = `{"messages":[{"id":"IN1","chat":{"id":"79990001122@c.us"},"fromUser":{"id":"79990001122","name":"Ann"},"time":1637319290,` +
		`"type":"text","message":{"text":"Hi"},"utm":{"source":"x"}},{"id":"IN2","chat":"79990001122","type":"image","quotedMessage":{"id":"IN1"},` +
		`"message":{"caption":"A cat","file":{"link":"https://example.com/cat.png","name":"cat.png"}}}]}`
	upload, uploadType := form(w.t, "@cat.txt", "meow", "caption", "Look")
	w.steps(
		step{w.Owner, "POST " + line + "/inbound", brought, 0, "", nil}, // reopens the chat
		step{w.Owner, "POST " + line + "/inbound", `{"messages":[{"id":"LID1","chat":"777@lid","message":{"text":"Hi"}}]}`, 0, "", nil},
		step{w.Owner, "POST " + line + "/inbound", `{"messages":[{"id":"LID2","chat":{"id":"777@lid","phone":"79990008877"},"message":{"text":"Hi"}}]}`, 0, "", nil},
		step{w.Operator, "PATCH " + line + "/contacts/79990001122", `{"name":"Ann, roses"}`, 0, "", nil},
		step{w.Operator, "PATCH " + annChat, `{"name":null}`, 0, "", nil},
		step{w.Operator, "PATCH " + annChat + "/read", "", 0, "", nil},
		step{w.Operator, "POST " + annChat + "/typing", `{"type":"text"}`, 0, "", nil},
		step{w.Operator, "POST " + annChat + "/messages/text", `{"text":"Hello","tracking":"t1","quotedMessageId":"IN1"}`, 0, "sent=data.id", nil},
		step{w.Owner, "POST " + line + "/inbound", `{"statuses":[{"id":"{sent}","chat":"79990001122","type":"viewed"},{"id":"no","chat":"79990001122","type":"sent"}]}`, 0, "", nil},
		step{w.Operator, "PATCH " + annChat + "/messages/{sent}", `{"text":"Better"}`, 0, "", nil},
		step{w.Operator, "PATCH " + annChat + "/messages/IN1", `{"text":"Better"}`, 409, "", nil},
		step{w.Operator, "DELETE " + annChat + "/messages/{sent}", "", 0, "", nil},
		step{w.Operator, "DELETE " + annChat + "/messages/IN1", "", 409, "", nil},
		step{w.Operator, "POST " + annChat + "/messages/file", string(upload), 0, "", []string{"Content-Type", uploadType}},
	)
	w.checks()
	for n, s := range []struct{ kind, body string }{
		{"text", `{"text":"*Hello*","parseMode":"markdown"}`},
		{"location", `{"latitude":1.5,"longitude":-2,"name":"Here","address":"There"}`},
		{"contact", `{"name":"Bob","phone":"+1555"}`},
		{"poll", `{"question":"Tea?","options":["yes","no"],"multiple":true}`},
		{"reaction", `{"messageId":"IN1","emoji":"👍"}`},
		{"file", `{"file":"https://example.com/cat.png","caption":"Look"}`},
	} {
		// each to a new phone: the first message of a window opens it
		to, key := line+"/chats/7999000220"+strconv.Itoa(n), []string{"Idempotency-Key", "key-" + s.kind}
		if s.kind == "reaction" {
			to = annChat // where the message is
		}
		w.steps(
			step{w.Operator, "POST " + to + "/messages/" + s.kind, s.body, 0, "", key},
			step{w.Operator, "POST " + to + "/messages/" + s.kind, s.body, 0, "", key},
			step{w.Operator, "POST " + to + "/messages/" + s.kind, strings.Replace(s.body, "{", `{"tracking":"other",`, 1), 409, "", key},
		)
	}
	w.steps(
		step{w.Reader, "GET " + annChat + "/messages?limit=1", "", 0, "internal=data.items.0.internalId", nil},
		step{w.Reader, "GET " + annChat + "/messages?direction=prev&lastInternalId={internal}&limit=100", "", 0, "link=data.items.0.message.file.link", nil},
		step{w.Reader, "GET " + annChat + "/messages?direction=next&lastTime=0", "", 0, "", nil},
		step{w.Reader, "GET " + line + "/contacts?limit=1&search=ann", "", 0, "", nil},
		step{w.Reader, "GET " + line + "/messages?search=hi&limit=1", "", 0, "found=data.nextPage", nil},
		step{w.Reader, "GET " + line + "/messages?search=hi&limit=1&nextPage={found}", "", 0, "", nil},
		step{w.Reader, "GET " + line + "/messages?search=" + strings.Repeat("%E6%9D%B1", 100), "", 0, "", nil},
		step{w.Reader, "GET " + line + "/messages?search=NEAR%28a+b%2C+1%29+OR+%22c+AND+d%2A+-e+words%3Af+%27+%5C", "", 0, "", nil},
		step{w.Reader, "GET " + line + "/messages?search=look&chatId=79990001122&lastTime=1999999999", "", 0, "", nil},
		step{w.Reader, "GET " + line + "/status", "", 0, "", nil},
		step{w.Owner, "POST " + phoneLine + "/connect", "", 0, "", nil},
	)
	w.Clock.Advance(10 * 60e9) // one entry of the audit log tells of five minutes of asking
	w.steps(
		step{w.Owner, "GET " + phoneLine + "/qr", "", 0, "", nil},
		step{w.Owner, "GET " + phoneLine + "/qr?format=json", "", 0, "", nil},
		step{w.Owner, "GET " + phoneLine + "/qr?format=png", "", 0, "", nil},
		step{w.Owner, "POST " + phoneLine + "/pairingCode", `{"phone":"79990001122"}`, 0, "", nil},
		step{w.Owner, "POST " + phoneLine + "/passkey", `{"assertion":{"id":"q80","rawId":"q80","type":"public-key","authenticatorAttachment":"platform","clientExtensionResults":{},"response":{"clientDataJSON":"e30","authenticatorData":"AAAA","signature":"MEUC","userHandle":null}}}`, 0, "", nil},
		step{w.Owner, "POST " + phoneLine + "/passkey", `{"assertion":{"id":"q80","rawId":"q80","type":"public-key","authenticatorAttachment":"platform","clientExtensionResults":{},"response":{"clientDataJSON":"e3?","authenticatorData":"AAAA","signature":"MEUC","userHandle":null}}}`, 422, "", nil},
		step{w.Owner, "POST " + line + "/passkey", `{"code":"ABCD-EFGH"}`, 409, "", nil},
		step{w.Owner, "DELETE " + line + "/passkey", "", 409, "", nil},
		step{w.Owner, "DELETE " + phoneLine + "/passkey", "", 0, "", nil},
		step{w.Owner, "POST " + phoneLine + "/passkey", `{"code":"ABCD-EFGH"}`, 0, "", nil},
	)
	w.steps(
		step{w.Owner, "GET " + line + "/settings", "", 409, "", nil},
		step{w.Owner, "PATCH " + line + "/settings", "{}", 409, "", nil},
		step{w.Owner, "GET " + phoneLine + "/settings", "", 0, "", nil},
		step{w.Admin, "PATCH " + phoneLine + "/settings", `{"rejectCalls":true,"rejectText":"Please write","proxy":"socks5://me:hidden@proxy.example:1080"}`, 0, "", nil},
	)
	w.account()
	w.files()
}

// callbacks sets URLs, of which the first stays. It numbers the journal: the walker has no
// relay.
func (w *walker) callbacks() {
	const of, url = "/v1/companies/2224/callbackUrl", `{"url":"https://example.com/in?key=hidden","events":["message"],"chats":["79990001122"]}`
	w.steps(
		step{w.Owner, "PUT " + line + "/callbackUrl", url, 0, "hook=data.id", nil},
		step{w.Admin, "PUT " + phoneLine + "/callbackUrl", `{"url":"https://example.com"}`, 0, "", nil},
		step{w.Operator, "PUT " + phoneLine + "/callbackUrl", `{"url":"https://example.com"}`, 403, "", nil},
		step{w.Operator, "DELETE " + phoneLine + "/callbackUrl", "", 403, "", nil},
		step{w.Admin, "DELETE " + phoneLine + "/callbackUrl", "", 0, "", nil},
		step{w.Admin, "PUT " + of, `{"url":"https://example.com","lines":[{"licenseId":1229,"messengerType":"grWhatsApp"}]}`, 0, "", nil},
		step{w.Operator, "DELETE " + of, "", 403, "", nil},
		step{w.Admin, "DELETE " + of, "", 0, "", nil},
		step{w.Owner, "GET /v1/callbackUrls?companyId=2224", "", 0, "", nil},
		step{w.Operator, "GET /v1/callbackUrls", "", 403, "", nil},
	)
	w.Tx(w.t, func(tx *models.Tx) error { _, err := tx.NumberJournal(10_000); return err })
	entries, err := w.Store.Read(context.Background()).ChannelJournal(models.ChannelView{Channel: "private-v1.licenses.1229.messengers.grWhatsApp"}, 0, 1<<40, 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	event := slices.IndexFunc(entries, func(e models.JournalEntry) bool {
		return e.Name == "message" && strings.Contains(e.Data, "79990001122@c.us")
	})
	w.vars["{event}"] = strconv.FormatInt(*entries[event].Seq, 10)
	w.steps(
		step{w.Owner, "POST /v1/callbackUrls/{hook}/redeliver", `{"eventId":{event}}`, 0, "", nil},
		step{w.Owner, "GET /v1/callbackUrls/{hook}/deliveries?failed=false", "", 0, "", nil},
		step{w.Owner, "POST /v1/callbackUrls/{hook}/rewind", `{"eventId":0}`, 0, "", nil},
		step{w.Owner, "POST /v1/callbackUrls/{hook}/rewind", `{"time":1637319282,"url":"https://example.com/dry"}`, 0, "", nil},
	)
	w.Tx(w.t, func(tx *models.Tx) error {
		id, err := strconv.ParseInt(w.vars["{hook}"], 10, 64)
		if err != nil {
			return err
		}
		row, err := tx.LockCallbackURL(id)
		if err != nil {
			return err
		}
		row.SuspendedAt, row.LastError, row.LostFrom, row.LostTo, row.LostAt = 1637319300, "answered 500", 1, 2, 1637319300
		return tx.PutCallbackURL(row)
	})
	w.steps(
		step{w.Owner, "POST /v1/callbackUrls/{hook}/resume", "", 0, "", nil},
		step{w.Owner, "POST /v1/callbackUrls/{hook}/rotate", "", 0, "", nil},
	)
}

// account tests a line with an account of its own, up to its logout.
func (w *walker) account() {
	device := "1:7@s.whatsapp.net"
	at := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "WhatsApp"}
	if err := w.SetLineState(w.t.Context(), at, crm.LineState{State: crm.StateConnected, Device: &device}); err != nil {
		w.t.Fatal(err)
	}
	w.connected, w.FirstContactsPerDay = true, 1
	w.steps(
		step{w.Owner, "POST " + phoneLine + "/connect", "", 409, "", nil},
		step{w.Owner, "GET " + phoneLine + "/qr", "", 409, "", nil},
		step{w.Owner, "POST " + phoneLine + "/pairingCode", `{"phone":"79990001122"}`, 409, "", nil},
		step{w.Owner, "POST " + phoneLine + "/inbound", `{"messages":[{"id":"IN1","chat":"79990001122","message":{"text":"Hi"}}]}`, 409, "", nil},
		step{w.Owner, "POST " + phoneLine + "/chats/79990001122/messages/text", `{"text":"Hello"}`, 0, "", nil},
	)
	for kind, body := range map[string]string{
		"text": `{"text":"Hello"}`, "location": `{"latitude":1,"longitude":2}`, "contact": `{"name":"Bea","phone":"79990003344"}`,
		"poll": `{"question":"When?","options":["now","later"]}`, "file": `{"file":"https://example.com/cat.png"}`,
	} { // the limit is one stranger, who was written to
		w.steps(step{w.Owner, "POST " + phoneLine + "/chats/79990005566/messages/" + kind, body, 429, "", nil})
	}
	w.connected, w.FirstContactsPerDay = false, 0
	w.steps(
		step{w.Owner, "DELETE " + phoneLine + "/session", "", 0, "", nil},
		step{w.Owner, "POST " + phoneLine + "/chats/79990001122/messages/text", `{"text":"Hello"}`, 503, "", nil},
	)
}

// files requests the uploaded file by its signed link and by token.
func (w *walker) files() {
	nobody := crm.Actor{}
	plain, _, _ := strings.Cut(w.vars["{link}"], "?")
	w.steps(
		step{nobody, "GET {link}", "", 0, "", nil},
		step{nobody, "HEAD {link}", "", 0, "", nil},
		step{nobody, "GET {link}0", "", 403, "", nil},
		step{nobody, "HEAD {link}0", "", 403, "", nil},
	)
	for _, method := range []string{"GET ", "HEAD "} {
		w.steps(
			step{w.Reader, method + plain, "", 0, "", nil},
			step{w.Reader, method + plain, "", 206, "", []string{"Range", "bytes=1-2"}},
			step{w.Reader, method + plain, "", 416, "", []string{"Range", "bytes=100-"}},
			step{w.Reader, method + plain, "", 304, "", []string{"If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"}},
			step{w.Reader, method + plain, "", 412, "", []string{"If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"}},
			step{w.Reader, method + plain + "0", "", 404, "", nil},
			step{nobody, method + plain, "", 401, "", nil},
		)
	}
	files := w.Files
	w.Files = nowhere{files}
	w.steps(
		step{nobody, "GET {link}", "", 503, "", nil},
		step{nobody, "HEAD {link}", "", 503, "", nil},
	)
	w.Files = files
}

// nowhere is an unavailable file store.
type nowhere struct{ crm.FileStore }

func (nowhere) Open(context.Context, string) (io.ReadSeekCloser, int64, error) {
	return nil, 0, errors.New("connection refused")
}

func (w *walker) quick() {
	const lists = "/v1/quickResponseLists"
	w.steps(
		step{w.Owner, "POST " + lists, `{"name":"Greetings","access":[{"userId":"687","permission":"r"}]}`, 0, "list=data.id", nil},
		step{w.Owner, "GET " + lists + "/{list}", "", 0, "", nil},
		step{w.Operator, "GET " + lists + "?companyId=2224&limit=3", "", 0, "", nil},
		step{w.Owner, "PATCH " + lists + "/{list}", `{"sort":3}`, 0, "", nil},
		step{w.Owner, "PUT " + lists + "/{list}", `{"access":[{"userId":688,"permission":"w"}]}`, 0, "", nil},
	)
	at := w.fill(lists + "/{list}/quickResponses")
	w.steps(
		step{w.Owner, "POST " + at, `{"name":"Hi","text":"Hello","keywords":"hi hello","enableAI":true}`, 0, "parent=data.id", nil},
		step{w.Owner, "POST " + at, `{"name":"Under","parent":{parent}}`, 0, "response=data.id", nil},
		step{w.Reader, "GET " + at + "/{response}", "", 0, "", nil},
		step{w.Reader, "GET " + at + "?limit=1", "", 0, "", nil},
		step{w.Reader, "PATCH " + at + "/{response}", `{"text":"x"}`, 0, "", nil},
		step{w.Reader, "PUT " + at + "/{response}", `{"parent":null}`, 0, "", nil},
		step{w.Reader, "DELETE " + at + "/{response}", "", 0, "", nil},
		step{w.Reader, "DELETE " + at, `{"ids":[{parent}]}`, 0, "", nil},
		step{w.Owner, "DELETE " + lists + "/{list}", "", 0, "", nil},
	)
}

// streams opens a stream of events with a token, and one with a ticket.
func (w *walker) streams() {
	const own = "GET /v1/events/stream?channel=private-v1.users.685"
	w.steps(
		step{w.Owner, own, "", 0, "", nil},
		step{w.Owner, own, "", 0, "", []string{"Last-Event-ID", "0"}},
		step{w.Owner, "POST /v1/events/tickets", `{"channel":"private-v1.users.685"}`, 0, "ticket=data.ticket", nil},
		step{crm.Actor{}, own + "&ticket={ticket}", "", 0, "", nil},
		step{crm.Actor{}, own + "&ticket={ticket}", "", 403, "", nil},
	)
}

// journal requests events and the references.
func (w *walker) journal() {
	const own = "GET /v1/events?channel=private-v1.users.685"
	nobody := crm.Actor{}
	for more := true; more; { // as the relay does
		n, err := w.Journal.Number(w.t.Context(), 1000)
		if err != nil {
			w.t.Fatal(err)
		}
		more = n > 0
	}
	w.steps(
		step{w.Owner, own + "&after=0&limit=100&wait=0", "", 0, "event=data.items.0.event", nil},
		step{w.Owner, own + "&newest=true&limit=100", "", 0, "", nil},
		step{w.Owner, own + "&after=100000", "", 409, "", nil},
		step{w.Owner, "GET /v1/events?channel=private-v1.users.687", "", 403, "", nil},
		step{nobody, "GET /schemas/{event}.json", "", 0, "", nil},
		step{nobody, "GET /openapi.yaml", "", 0, "", nil},
		step{nobody, "GET /openapi.json", "", 0, "", nil},
		step{nobody, "GET /openapi-3.0.json", "", 0, "", nil},
		step{nobody, "GET /asyncapi.yaml", "", 0, "", nil},
	)
}
