package access_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"chatcast/broadcasting/apps"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
	"chatcast/models"
	"chatcast/server/api/apitest"
)

// Where a value of a request comes from.
const absent = "absent"

const (
	password = "a password of the matrix"
	appID    = "matrix"
	line     = "caWhatsApp" // a bridge whose chats are phone numbers
)

var companyIDs = map[string]int64{hostCo: 2224, alpha: 5001, bravo: 6001, strictCo: 7001}

// world is the running program with all objects of the matrix.
type world struct {
	t      *testing.T
	p      *e2e.Running
	ref    *apitest.Reference
	saved  *snapshot
	people []*person

	// values are what requests name, by key, then by company or absent. A key without
	// a value of another company or of absent is no object.
	values map[string]map[string]any

	base   string // of the router itself: other tests hold its answers against the reference
	client http.Client
	asked  int    // for addresses of clients, and sessions
	opened string // a session over HTTP

	hooks     string // a URL that takes webhooks
	phones    *e2e.Phones
	assertion json.RawMessage // by the passkey of the account that is being paired; nil: none is
}

// newWorld starts the program with all people, and with more.
func newWorld(t *testing.T, url string, more ...*person) *world {
	t.Helper()
	ref, err := apitest.Load()
	if err != nil {
		t.Fatal(err)
	}
	cfg := e2e.Config(t)
	cfg.Server.SecurityContact = "security@example.com"
	cfg.Webhooks.AllowPrivateTargets = true
	hooks := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(hooks.Close)
	if url != "" {
		cfg.Database.URL = url
	}
	phones := e2e.StartPhones(t, &cfg)
	cfg.Apps[0].History = []apps.History{{Channels: "presence-room", Retention: "1h"}}
	second := cfg.Apps[0]
	second.ID, second.Key, second.Secret = "2", "SecondKey", "the secret of app 2"
	cfg.Apps = append(cfg.Apps, second)
	w := &world{t: t, phones: phones, hooks: hooks.URL, p: e2e.Start(t, cfg), ref: ref, people: append(people(), withIDs(more, 8101)...), values: map[string]map[string]any{}}
	plain := httptest.NewServer(w.p.Components().Router)
	t.Cleanup(plain.Close)
	w.base = plain.URL
	w.client.Transport = &http.Transport{MaxIdleConnsPerHost: 4}
	t.Cleanup(w.client.CloseIdleConnections)
	w.hire()
	w.furnish(alpha, "79990000001", 8001)
	w.furnish(bravo, "79990000002", 8008)
	w.withAccounts("grWhatsApp")
	w.fixedValues()
	owner := &e2e.Client{T: t, Base: w.p.Base, Token: "token of owner"}
	owner.Eventually("lines can be paired", func() bool {
		status, _ := owner.Call("POST", fmt.Sprintf("/v1/licenses/%d/messengers/grWhatsApp/connect", companyIDs[alpha]+100), nil)
		return status == http.StatusOK
	})
	w.disconnect(alpha)
	w.saved = takeSnapshot(t, w.p.Components().Store)
	return w
}

// set gives a key its value of a company.
func (w *world) set(key, company string, value any) {
	if w.values[key] == nil {
		w.values[key] = map[string]any{}
	}
	w.values[key][company] = value
}

// hire makes the companies and the people, with their tokens.
func (w *world) hire() {
	w.t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		w.t.Fatal(err)
	}
	now := time.Now().Unix()
	rows := []any{
		&models.Company{ID: companyIDs[alpha], Name: "alpha company", CreatedAt: now},
		&models.Company{ID: companyIDs[bravo], Name: "bravo company", CreatedAt: now},
		&models.Company{ID: companyIDs[strictCo], Name: "strict company", CreatedAt: now, RequireTOTP: true},
	}
	for _, c := range []string{alpha, bravo} {
		license := companyIDs[c] + 100
		rows = append(rows, &models.License{ID: license, CompanyID: companyIDs[c], Name: c + " licence", CreatedAt: now})
		types := map[string][]string{alpha: {line, "grWhatsApp", "telegram"}, bravo: {"WhatsApp", "grWhatsApp", "telegram"}}[c]
		for _, typ := range types {
			rows = append(rows, &models.Messenger{LicenseID: license, Type: typ, Name: typ, CreatedAt: now})
		}
		// A second owner, so that the first may leave, and an employee to work on.
		for i, role := range []string{models.RoleOwner, models.RoleOperator} {
			id := license + int64(i) + 1
			rows = append(rows, &models.User{ID: id, Email: fmt.Sprintf("%d@%s.test", id, c), Name: c + " colleague", PasswordHash: string(hash), CreatedAt: now},
				&models.Employee{CompanyID: companyIDs[c], UserID: id, Role: role, Workday: "end", CreatedAt: now})
		}
	}
	rows = append(rows, &models.EmployeeLicense{UserID: companyIDs[alpha] + 102, LicenseID: companyIDs[alpha] + 100, CanWrite: true},
		&models.EmployeeLicense{UserID: companyIDs[bravo] + 102, LicenseID: companyIDs[bravo] + 100, CanWrite: true})
	for _, p := range w.people {
		if p.id != 0 {
			rows = append(rows, p.rows(string(hash), now)...)
		}
	}
	err = w.p.Components().Store.Tx(w.t.Context(), func(tx *models.Tx) error {
		if err := tx.Insert(rows...); err != nil {
			return err
		}
		for _, table := range []string{"companies", "users", "licenses", "tokens", "api_keys"} {
			if err := tx.BumpIdentity(table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// rows returns the rows of a person: two sessions, the first with the token.
func (p *person) rows(hash string, now int64) []any {
	if p.key != nil {
		return p.keyRows(now)
	}
	user := &models.User{ID: p.id, Email: fmt.Sprintf("%d@people.test", p.id), Name: p.name, PasswordHash: hash, CreatedAt: now}
	ends := now + 86400
	switch p.name {
	case "disabled":
		user.DisabledAt = now
	case "expired token":
		ends = now - 1
	}
	rows := []any{user}
	for i, token := range []string{p.token, "second " + p.token} {
		rows = append(rows, &models.Token{
			ID: p.id*10 + int64(i), UserID: p.id, AppID: fmt.Sprintf("app_%d_1", p.id), CreatedAt: now, LastUsedAt: now,
			AccessHash: hashed(token), AccessExpiresAt: ends, RefreshHash: hashed("refresh " + token), RefreshExpiresAt: now + 2*86400,
		})
	}
	for company, j := range p.jobs {
		rows = append(rows, &models.Employee{CompanyID: companyIDs[company], UserID: p.id, Role: j.role, OnlyMine: j.onlyMine, Workday: "end", CreatedAt: now})
		if j.read && !j.manages() {
			rows = append(rows, &models.EmployeeLicense{UserID: p.id, LicenseID: companyIDs[company] + 100, CanWrite: j.write})
		}
	}
	return rows
}

// keyRows returns the rows of a key; of one that was revoked only its user is left.
func (p *person) keyRows(now int64) []any {
	company := companyIDs[p.key.company]
	license := company + 100
	user := &models.User{ID: p.id, Email: fmt.Sprintf("key:%d", p.id), Name: p.name, CreatedAt: now, OfKey: true}
	if p.refused != 0 {
		user.DisabledAt = now
		return []any{user}
	}
	may := func(right string) bool { return p.key.may([]string{right}) }
	k := &models.APIKey{
		ID: p.id, CompanyID: company, UserID: p.id, Name: p.name, Hash: hashed(p.token), CreatedAt: now,
		CanRead: may(crm.KeyRead), CanSend: may(crm.KeySend), CanManage: may(crm.KeyManage), CanInbound: may(crm.KeyInbound),
	}
	if p.key.line {
		k.LicenseID, k.Messenger = &license, cmp.Or(p.key.on, line)
	}
	return []any{user, k}
}

func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// furnish makes the objects of a company through its API, as its owner. Their names begin
// with the company's, so that a leak is seen.
func (w *world) furnish(company, chat string, owner int64) {
	w.t.Helper()
	c := &e2e.Client{T: w.t, Base: w.p.Base, Token: "token of owner"}
	messenger := line
	if company == bravo {
		c.Token, messenger = "token of stranger", "WhatsApp"
	}
	id := companyIDs[company]
	license := id + 100
	create := func(path string, body map[string]any) int64 {
		var out struct{ ID int64 }
		c.Must("POST", path, body, &out)
		return out.ID
	}
	category := create("/v1/tags/categories", map[string]any{"name": company + " category"})
	tag := create("/v1/tags", map[string]any{"name": company + " tag", "color": "#123456", "categoryId": category})
	level := create("/v1/levels", map[string]any{"name": company + " level"})
	access := []any{}
	for _, p := range w.people {
		if j := p.jobs[company]; j != nil && j.list != "" && p.id != owner {
			access = append(access, map[string]any{"userId": p.id, "permission": j.list})
		}
	}
	list := create("/v1/quickResponseLists", map[string]any{"name": company + " list", "access": access})
	responses := fmt.Sprintf("/v1/quickResponseLists/%d/quickResponses", list)
	response := create(responses, map[string]any{"name": company + " answer", "text": company + " text"})
	parent := create(responses, map[string]any{"name": company + " parent"})

	at := fmt.Sprintf("/v1/licenses/%d/messengers/%s", license, messenger)
	message := func(id, chat, customer, text string, fromMe bool) map[string]any {
		return map[string]any{"id": company + id, "chat": map[string]any{"id": chat, "name": customer}, "fromMe": fromMe, "message": map[string]any{"text": text},
			"fromUser": map[string]any{"id": chat, "name": customer}}
	}
	guarded := "7888" + chat[4:]
	c.Must("POST", at+"/inbound", map[string]any{"messages": []any{
		message("-1", chat, company+" customer", company+" said", false),
		message("-2", chat, company+" customer", company+" answered", true),
		message("-3", guarded, "guarded customer of "+company, "guarded words of "+company, false),
	}}, nil)
	c.Must("PUT", at+"/chats/"+guarded+"/responsible", map[string]any{"id": owner}, nil)
	var sent, invited struct {
		ID         any
		Invitation struct {
			ID   int64
			Code string
		}
	}
	c.Must("POST", at+"/chats/"+chat+"/messages/text", map[string]any{"text": company + " wrote"}, &sent)
	c.Must("PUT", fmt.Sprintf("/v1/companies/%d/callbackUrl", id), map[string]any{"url": w.hooks}, nil)
	c.Must("POST", fmt.Sprintf("/v1/companies/%d/employees", id), map[string]any{"email": "invited@" + company + ".test"}, &invited)
	for key, value := range map[string]any{
		"companyId": id, "licenseId": license, "messengerType": messenger, "pairing/messengerType": "grWhatsApp", "chatId": chat, "contactId": chat, "guarded": guarded,
		"messageId": company + "-2", "written": sent.ID, "fileId": w.upload(c, at+"/chats/"+chat), "quotedMessageId": company + "-1", "of guarded": company + "-3",
		"userId": license + 2, "tagId": tag, "tags/id": tag, "categoryId": category, "categories/id": category, "levels/id": level, "LevelOrNull.id": level,
		"quickResponseLists/id": list, "responseId": response, "parent": parent, "IDs.ids": response, "responsibleId": license + 2,
		"callbackUrls/id": w.callback(c, at), "CallbackRedelivery.eventId": w.event(c, fmt.Sprintf("private-v1.licenses.%d.messengers.%s", license, messenger)),
		"UserRef.id": license + 2, "UserOrNull.id": license + 2, "invitations/id": invited.Invitation.ID, "keys/id": create("/v1/keys", map[string]any{"name": company + " key", "rights": []string{"read"}}), "invitations/code": invited.Invitation.Code,
	} {
		w.set(key, company, value)
	}
}

// callback sets the callback URL of a line, and returns its id.
func (w *world) callback(c *e2e.Client, at string) int64 {
	w.t.Helper()
	var made struct{ ID int64 }
	c.Must("PUT", at+"/callbackUrl", map[string]any{"url": w.hooks}, &made)
	return made.ID
}

// appWebhook returns the id of the webhook of an app, and of an entry of its log.
func (w *world) appWebhook(host *e2e.Client, app string) (id string, delivery int64) {
	w.t.Helper()
	var list []struct{ ID string }
	host.Must("GET", "/v1/apps/"+app+"/webhooks", nil, &list)
	row := &models.WebhookAttempt{AppID: app, Endpoint: list[0].ID, Kind: "delivery", Batch: "matrix", Attempt: 1, AtMS: time.Now().UnixMilli()}
	err := w.p.Components().Store.Tx(w.t.Context(), func(tx *models.Tx) error {
		return tx.LogWebhooks([]*models.WebhookAttempt{row}, []*models.WebhookBatch{{Key: "matrix", AppID: app, Endpoint: list[0].ID, AtMS: row.AtMS}})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return list[0].ID, row.ID
}

// event returns the id of an event in the channel.
func (w *world) event(c *e2e.Client, channel string) (id int64) {
	w.t.Helper()
	c.Eventually("an event has a number", func() bool {
		entries, err := w.p.Components().Store.Read(w.t.Context()).NewestChannelJournal(models.ChannelView{Channel: channel}, 1<<40, 1)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(entries) > 0 {
			id = *entries[0].Seq
		}
		return id != 0
	})
	return id
}

// upload sends a file and returns its id.
func (w *world) upload(c *e2e.Client, chat string) string {
	w.t.Helper()
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	file, err := parts.CreateFormFile("file", "notes.txt")
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := file.Write([]byte("the content of a file")); err != nil {
		w.t.Fatal(err)
	}
	if err := parts.Close(); err != nil {
		w.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), "POST", c.Base+chat+"/messages/file", &form)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", c.Token)
	r.Header.Set("Content-Type", parts.FormDataContentType())
	res, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	var page struct {
		Items []struct {
			Message struct{ File *struct{ Link string } }
		}
	}
	c.Must("GET", chat+"/messages", nil, &page)
	for _, m := range page.Items {
		if m.Message.File != nil {
			link, _, _ := strings.Cut(m.Message.File.Link, "?")
			return link[strings.LastIndexByte(link, '/')+1:]
		}
	}
	w.t.Fatalf("no file in %+v, sending it answered %s", page, res.Status)
	return ""
}
