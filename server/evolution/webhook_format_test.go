package evolution_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/server/evolution"
	"chatcast/server/evolution/shape"
)

const hookURL = "https://crm.example/hook"

// hooks returns the format of webhooks on the rules of the world.
func (w *world) hooks(base64Max int64) *evolution.Webhooks {
	return evolution.NewWebhooks(evolution.WebhookOptions{
		Rules: w.Service, Instances: w.InstanceDirectory(), PublicURL: "https://chat.example", Base64Max: base64Max, BlockMax: 5 * time.Minute,
	})
}

// told returns what an endpoint of the line is told of all that has happened.
func (w *world) told(h *evolution.Webhooks, to crm.CallbackTarget) (all []crm.CallbackRequest) {
	w.t.Helper()
	to.Format, to.Line = crm.FormatEvolution, onShop
	if to.URL == "" {
		to.URL = hookURL
	}
	for _, ev := range w.EventsAfter(w.t, 0) {
		list, err := h.Requests(w.t.Context(), to, callbackEvent(ev), time.Unix(crmtest.Start, 0))
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, list...)
	}
	return all
}

func callbackEvent(ev crmtest.Event) crm.CallbackEvent {
	body := strings.TrimSuffix(strings.TrimPrefix(ev.Data, `{"payload":`), "}")
	return crm.CallbackEvent{ID: ev.ID, Name: ev.Name, Body: []byte(body), Line: onShop, At: time.UnixMilli(crmtest.Start*1000 + 412)}
}

func names(list []crm.CallbackRequest) (all []string) {
	for _, r := range list {
		all = append(all, r.Name)
	}
	return all
}

// body returns the body of a request and the headers that were made with it.
func body(t *testing.T, r crm.CallbackRequest) (string, http.Header) {
	t.Helper()
	if r.Open == nil {
		return string(r.Body), nil
	}
	b, more, done, err := r.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	return string(b), more
}

// TestWebhookBodies checks the whole body in each shape: the order of its members is that of
// Evolution, destination stands behind the data, and there is no key in it.
func TestWebhookBodies(t *testing.T) {
	w := onSQLite(t)
	w.ingest(says(hiID, "Hi", crmtest.Start-60))
	for _, c := range []struct{ shape, data string }{
		{crm.ShapeV2, `{"key":{"remoteJid":"79990001122@s.whatsapp.net","fromMe":false,"id":"` + hiID + `"},"pushName":"Ann","status":"DELIVERY_ACK","message":{"conversation":"Hi"},` +
			`"messageType":"conversation","messageTimestamp":1637319240,"instanceId":"UUID","source":"ios"}`},
		{crm.ShapeV1, `{"key":{"remoteJid":"79990001122@s.whatsapp.net","fromMe":false,"id":"` + hiID + `"},"pushName":"Ann","message":{"conversation":"Hi"},` +
			`"messageType":"conversation","messageTimestamp":1637319240,"owner":"shop","source":"ios"}`},
		{crm.ShapeL2msg, `{"key":{"remoteJid":"79990001122@s.whatsapp.net","fromMe":false,"id":"` + hiID + `"},"pushName":"Ann","status":"DELIVERY_ACK","message":{"conversation":"Hi"},` +
			`"messageType":"conversation","messageTimestamp":"1637319240","instanceId":"UUID","source":"ios"}`},
	} {
		if _, err := w.ChangeInstance(t.Context(), w.Owner, shop, crm.InstanceChanges{Shape: crm.Value(c.shape)}); err != nil {
			t.Fatal(err)
		}
		list := w.told(w.hooks(0), crm.CallbackTarget{Events: []string{"MESSAGES_UPSERT"}})
		if len(list) != 1 {
			t.Fatalf("%s: it is told %v", c.shape, names(list))
		}
		want := `{"event":"messages.upsert","instance":"shop","data":` + c.data + `,"destination":"` + hookURL + `","date_time":"2021-11-19T10:55:00.412Z",` +
			`"server_url":"https://chat.example","apikey":null}`
		if got := settled(string(list[0].Body)); got != want {
			t.Errorf("%s: the body is\n%s, want\n%s", c.shape, got, want)
		}
	}
}

// TestComplaint6 checks that what is told keeps the order of the journal, and that around one
// message of a new person the chat comes before it; each request has an id of its own, which is
// the same in each attempt.
func TestComplaint6(t *testing.T) {
	w := onSQLite(t)
	w.talk()
	list := w.told(w.hooks(0), crm.CallbackTarget{})
	got := names(list)
	if first := slices.Index(got, "messages.upsert"); first < 1 || got[0] != "chats.upsert" || got[first+1] != "contacts.upsert" {
		t.Errorf("it is told %v", got)
	}
	if !slices.Contains(got, "messages.update") || slices.Index(got, "messages.update") < slices.Index(got, "messages.upsert") {
		t.Errorf("it is told %v", got)
	}
	var ids []string
	for _, r := range list {
		ids = append(ids, r.Header.Get("X-Event-Id"))
		if !regexp.MustCompile(`^[0-9]+(-[2-9])?$`).MatchString(ids[len(ids)-1]) {
			t.Errorf("an id is %q", ids[len(ids)-1])
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(ids)))) != len(ids) {
		t.Errorf("the ids are %v", ids)
	}
	var again []string
	for _, r := range w.told(w.hooks(0), crm.CallbackTarget{}) {
		again = append(again, r.Header.Get("X-Event-Id"))
	}
	if !slices.Equal(ids, again) {
		t.Errorf("the ids are %v, and then %v", ids, again)
	}
}

// TestComplaint5 checks that what sends a message twice to a client that follows the ids is one
// request: one message is one messages.upsert.
func TestComplaint5(t *testing.T) {
	w := onSQLite(t)
	w.ingest(says(hiID, "Hi", crmtest.Start-60))
	w.ingest(says(hiID, "Hi", crmtest.Start-60)) // the messenger brings it again
	if got := names(w.told(w.hooks(0), crm.CallbackTarget{Events: []string{"MESSAGES_UPSERT"}})); !slices.Equal(got, []string{"messages.upsert"}) {
		t.Errorf("it is told %v", got)
	}
}

// TestComplaint11 checks that the options work together: the name of the event in the path, files
// in the body, and both with a list of events. A file that is too large, or gone, is a link.
func TestComplaint11(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.talk()
		photo := func(to crm.CallbackTarget, most int64) (url, text string) {
			t.Helper()
			for _, r := range w.told(w.hooks(most), to) {
				if text, _ := body(t, r); strings.Contains(text, photoID) {
					return r.URL, text
				}
			}
			t.Fatal("the picture is not told")
			return "", ""
		}
		file := `"base64":"` + base64.StdEncoding.EncodeToString([]byte("\xff\xd8\xffcat")) + `"`
		for _, byEvents := range []bool{false, true} {
			to := crm.CallbackTarget{Events: []string{"MESSAGES_UPSERT"}, URL: hookURL + "?key=a%2Fb", Options: crm.EndpointOptions{ByEvents: byEvents, Base64: true}}
			url, text := photo(to, 16<<20)
			if want := hookURL + map[bool]string{true: "/messages-upsert"}[byEvents] + "?key=a%2Fb"; url != want {
				t.Errorf("byEvents %v: it goes to %s, want %s", byEvents, url, want)
			}
			var envelope struct {
				Data struct {
					Message struct{ Base64, MediaURL string }
				}
				Destination string
			}
			if err := json.Unmarshal([]byte(text), &envelope); err != nil || envelope.Destination != hookURL+"?key=a%2Fb" || !strings.Contains(text, file) ||
				envelope.Data.Message.Base64 == "" || envelope.Data.Message.MediaURL == "" {
				t.Errorf("byEvents %v: the body is %s, %v", byEvents, text, err)
			}
		}
		if _, text := photo(crm.CallbackTarget{Options: crm.EndpointOptions{Base64: true}}, 5); strings.Contains(text, `"base64"`) || !strings.Contains(text, `"mediaUrl":"https://chat.example/`) {
			t.Errorf("a file that is too large: %s", text)
		}
		if _, text := photo(crm.CallbackTarget{}, 16<<20); strings.Contains(text, `"base64"`) {
			t.Errorf("without base64: %s", text)
		}
		gone := evolution.NewWebhooks(evolution.WebhookOptions{
			Rules: &pendingFile{w.Service, -1}, Instances: w.InstanceDirectory(), PublicURL: "https://chat.example", Base64Max: 100, BlockMax: time.Minute,
		})
		for _, r := range w.told(gone, crm.CallbackTarget{Options: crm.EndpointOptions{Base64: true}}) {
			if text, _ := body(t, r); !json.Valid([]byte(text)) || strings.Contains(text, `"base64"`) {
				t.Errorf("without its file the body is %s", text)
			}
		}
	})
}

// TestWebhookHeaders checks the headers that a row asks for. In place of jwt_key there is a token
// that the receiver can verify with it.
func TestWebhookHeaders(t *testing.T) {
	w := onSQLite(t)
	w.ingest(says(hiID, "Hi", crmtest.Start-60))
	list := w.told(w.hooks(0), crm.CallbackTarget{
		Secret: "s3cret", Events: []string{"MESSAGES_UPSERT"}, Options: crm.EndpointOptions{Headers: map[string]string{"autorization": "Bearer x", "JWT_KEY": "the key of the tests", "x-event-id": "7", "X-Chatcast-Signature": "forged"}},
	})
	if len(list) != 1 {
		t.Fatalf("it is told %v", names(list))
	}
	h := list[0].Header
	mac := hmac.New(sha256.New, []byte("s3cret"))
	mac.Write(list[0].Body)
	if h.Get("Autorization") != "Bearer x" || h.Get("X-Event-Id") == "7" || h.Get("X-Chatcast-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
		t.Errorf("the header is %v", h)
	}
	for name, values := range h {
		if strings.Contains(strings.Join(values, " "), "the key of the tests") || strings.EqualFold(name, "jwt_key") {
			t.Errorf("the key is in %s", name)
		}
	}
	parts := strings.Split(strings.TrimPrefix(h.Get("Authorization"), "Bearer "), ".")
	if len(parts) != 3 {
		t.Fatalf("the token is %q", h.Get("Authorization"))
	}
	mac = hmac.New(sha256.New, []byte("the key of the tests"))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	head, err := base64.RawURLEncoding.DecodeString(parts[0])
	claims, err2 := base64.RawURLEncoding.DecodeString(parts[1])
	if errors.Join(err, err2) != nil || parts[2] != base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) || string(head) != `{"alg":"HS256","typ":"JWT"}` ||
		string(claims) != `{"iat":1637319300,"exp":1637319900,"app":"evolution","action":"webhook"}` {
		t.Errorf("the token is %s %s, %v", head, claims, errors.Join(err, err2))
	}
}

// TestWebhookHeadersOfOurs sets headers that say something of the event: none of them reaches the
// receiver, which would take all that is in no journal for one event.
func TestWebhookHeadersOfOurs(t *testing.T) {
	w := onSQLite(t)
	w.ingest(says(hiID, "Hi", crmtest.Start-60))
	to := crm.CallbackTarget{Format: crm.FormatEvolution, Line: onShop, URL: hookURL, Options: crm.EndpointOptions{Headers: map[string]string{
		"x-event-id": "mine", "X-CHATCAST-SIGNATURE": "mine", "x-team": "a",
	}}}
	seen := 0
	for _, ev := range w.EventsAfter(t, 0) {
		live := callbackEvent(ev)
		live.ID = 0
		list, err := w.hooks(0).Requests(t.Context(), to, live, time.Unix(crmtest.Start, 0))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			seen++
			if h := r.Header; h.Get("X-Event-Id") != "" || h.Get("X-Chatcast-Signature") != "" || h.Get("X-Team") != "a" {
				t.Errorf("the header of %s is %v", r.Name, h)
			}
		}
	}
	if seen == 0 {
		t.Error("there is no request")
	}
}

// TestWebhookFilter checks what a list of events leaves out. GROUP_UPDATE and GROUPS_UPDATE are
// both groups.update, and the instance's groupsIgnore counts.
func TestWebhookFilter(t *testing.T) {
	w := onSQLite(t)
	w.talk()
	h := w.hooks(0)
	for _, c := range []struct {
		events []string
		want   []string
	}{
		{[]string{"MESSAGES_UPSERT"}, []string{"messages.upsert"}}, {[]string{"MESSAGES_UPDATE", "CALL"}, []string{"messages.update"}},
		{[]string{"TYPEBOT_START"}, nil},
	} {
		got := names(w.told(h, crm.CallbackTarget{Events: c.events}))
		if got = slices.Compact(got); !slices.Equal(got, c.want) {
			t.Errorf("%v: it is told %v", c.events, got)
		}
	}
	if err := h.CheckEvents([]string{"GROUP_UPDATE", "GROUPS_UPDATE", "NEW_JWT_TOKEN"}); err != nil {
		t.Error(err)
	}
	if err := h.CheckEvents([]string{"message"}); err == nil {
		t.Error("a name of the CRM is good")
	}
	test := crm.CallbackEvent{Name: crm.CallbackTest, Line: onShop}
	if list, err := h.Requests(t.Context(), crm.CallbackTarget{Line: onShop, URL: hookURL}, test, time.Now()); len(list) > 0 || err != nil {
		t.Errorf("a test is %v, %v", list, err)
	}
	unknown := crm.CallbackEvent{Name: "message", Line: crm.Line{LicenseID: 999, Messenger: "grWhatsApp"}, Body: []byte("{}")}
	if _, err := h.Requests(t.Context(), crm.CallbackTarget{Line: unknown.Line, URL: hookURL}, unknown, time.Now()); err == nil {
		t.Error("an instance that is not known yet is left out")
	}
	if list, err := h.Requests(t.Context(), crm.CallbackTarget{CompanyID: crmtest.CompanyID, URL: hookURL}, unknown, time.Now()); len(list) > 0 || err != nil {
		t.Errorf("of the company: %v, %v", list, err)
	}
}

// TestComplaint14 checks that what happens to groups is told, whichever of its two names the list
// has, with the numbers of the members.
func TestComplaint14(t *testing.T) {
	w := onSQLite(t)
	ann := crm.GroupMember{ID: annChat, Phone: new("79990001122"), Role: crm.MemberOwner}
	now := &crm.Group{Name: "Team", OwnerID: new(annChat), CreatedAt: 1600000000, Size: 1, Members: []crm.GroupMember{ann}}
	team, by := idOf("120363000000000001@g.us"), &crm.InboundUser{ID: idOf(annChat), Name: "Ann"}
	for _, g := range []crm.InboundGroup{
		{ID: team, By: by, Joined: true, Now: now}, {ID: team, By: by, Changes: crm.GroupChanges{Name: crm.Value("Friends")}},
		{ID: team, By: by, Members: []crm.InboundMembers{{What: crm.MembersAdd, People: []crm.GroupMember{{ID: "79990003344@c.us", Phone: new("79990003344")}}}}},
	} {
		if _, err := w.Ingest(t.Context(), onShop, crm.InboundBatch{Groups: []crm.InboundGroup{g}}); err != nil {
			t.Fatal(err)
		}
	}
	h := w.hooks(0)
	for _, c := range []struct{ event, name, part string }{
		{"GROUP_UPDATE", "groups.update", `"subject":"Friends"`}, {"GROUPS_UPDATE", "groups.update", `"subject":"Friends"`}, {"GROUPS_UPSERT", "groups.upsert", `"subject":"Team"`},
		{"GROUP_PARTICIPANTS_UPDATE", "group-participants.update", `"phoneNumber":"79990003344@s.whatsapp.net"`},
	} {
		list := w.told(h, crm.CallbackTarget{Events: []string{c.event}, Options: crm.EndpointOptions{ByEvents: true}})
		if len(list) != 1 || list[0].Name != c.name || !strings.Contains(string(list[0].Body), c.part) || list[0].URL != hookURL+"/"+strings.ReplaceAll(c.name, ".", "-") {
			t.Errorf("%s: it is told %v", c.event, list)
		}
	}
	if _, err := w.ChangeInstance(t.Context(), w.Owner, shop, crm.InstanceChanges{GroupsIgnore: crm.Value(true)}); err != nil {
		t.Fatal(err)
	}
	if list := w.told(h, crm.CallbackTarget{}); len(list) > 0 {
		t.Errorf("without groups it is told %v", names(list))
	}
}

// TestComplaint15 checks that a message that the server has is not told as delivered, and that no
// body has a key.
func TestComplaint15(t *testing.T) {
	w := onSQLite(t)
	w.Connect("grWhatsApp")
	if _, err := w.Send(t.Context(), w.Owner, crm.ChatAddress{Line: onShop, ChatID: annChat}, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "Hello"}}); err != nil {
		t.Fatal(err)
	}
	sent := w.told(w.hooks(0), crm.CallbackTarget{Events: []string{"SEND_MESSAGE"}})
	if len(sent) != 1 {
		t.Fatalf("it is told %v", names(sent))
	}
	var m struct {
		Data struct {
			Key    struct{ ID string }
			Status string
		}
	}
	if err := json.Unmarshal(sent[0].Body, &m); err != nil || m.Data.Status != "PENDING" {
		t.Errorf("the message is %s, %v", sent[0].Body, err)
	}
	for _, kind := range []string{"sent", "delivered", "viewed"} {
		status := crm.InboundStatus{ID: idOf(m.Data.Key.ID), Chat: crm.InboundChat{ID: idOf(annChat)}, Type: kind}
		if _, err := w.Ingest(t.Context(), onShop, crm.InboundBatch{Statuses: []crm.InboundStatus{status}}); err != nil {
			t.Fatal(err)
		}
	}
	var statuses []string
	for _, r := range w.told(w.hooks(0), crm.CallbackTarget{}) {
		var update struct {
			APIKey *string
			Data   json.RawMessage
		}
		if err := json.Unmarshal(r.Body, &update); err != nil || update.APIKey != nil || strings.Contains(string(r.Body), w.line) {
			t.Errorf("the body is %s, %v", r.Body, err)
		}
		if r.Name == "messages.update" {
			if err := json.Unmarshal(update.Data, &m.Data); err != nil {
				t.Fatal(err)
			}
			statuses = append(statuses, m.Data.Status)
		}
	}
	if !slices.Equal(statuses, []string{"SERVER_ACK", "DELIVERY_ACK", "READ"}) {
		t.Errorf("the statuses are %v", statuses)
	}
}

// pendingFile is the rules with a file that comes at the nth look; of -1: that is gone.
type pendingFile struct {
	*crm.Service
	looks int
}

func (p *pendingFile) OpenStored(ctx context.Context, on crm.Line, id string) (*crm.Attachment, error) {
	if p.looks < 0 {
		return nil, &crm.Error{Code: crm.CodeNotFound, Message: "file not found"}
	}
	if p.looks--; p.looks > 0 {
		return nil, crm.ErrFilePending
	}
	return p.Service.OpenStored(ctx, on, id)
}

// TestWebhookWaitsForFile checks that a file that is still being fetched is waited for.
func TestWebhookWaitsForFile(t *testing.T) {
	w := onSQLite(t)
	w.talk()
	h := evolution.NewWebhooks(evolution.WebhookOptions{
		Rules: &pendingFile{w.Service, 3}, Instances: w.InstanceDirectory(), PublicURL: "https://chat.example", Base64Max: 100, BlockMax: time.Minute,
	})
	found := false
	for _, r := range w.told(h, crm.CallbackTarget{Options: crm.EndpointOptions{Base64: true}}) {
		text, _ := body(t, r)
		found = found || strings.Contains(text, `"base64"`)
	}
	if !found {
		t.Error("no body has the file")
	}
}

// TestWebhookRows checks that what is set is what the endpoint does, and what is found again:
// every name that clients give the fields, nested or flat.
func TestWebhookRows(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		endpoint := func() *crm.Endpoint {
			t.Helper()
			list, err := w.Endpoints(t.Context(), w.Owner, onShop, crm.FormatEvolution)
			if err != nil || len(list) > 1 {
				t.Fatalf("the endpoints are %+v, %v", list, err)
			}
			if len(list) == 0 {
				return nil
			}
			return &list[0]
		}
		for _, set := range []string{
			`{"webhook":{"enabled":true,"url":"https://crm.example/a","webhookByEvents":true,"webhookBase64":true,"events":["CALL"]}}`,
			`{"webhook":{"url":"https://crm.example/a","byEvents":true,"base64":true,"events":["CALL"]}}`,
			`{"url":"https://crm.example/a","webhook_by_events":true,"webhook_base64":true,"events":["CALL"]}`,
			`{"webhook":"https://crm.example/a","webhookByEvents":true,"base64":true,"events":["CALL"]}`,
		} {
			w.want(w.line, "POST /webhook/set/shop", set, 201, row("https://crm.example/a", `["CALL"]`, true))
			w.want(w.line, "GET /webhook/find/shop", ``, 200, row("https://crm.example/a", `["CALL"]`, true))
			if e := endpoint(); e == nil || !e.Enabled || e.URL != "https://crm.example/a" || !e.Options.ByEvents || !e.Options.Base64 || !slices.Equal(e.Events, []string{"CALL"}) {
				t.Errorf("%s: the endpoint is %+v", set, e)
			}
		}
		before := endpoint().ID
		w.want(w.line, "POST /webhook/set/shop", `{"webhook":{"enabled":false,"url":"vazio"}}`, 201, strings.Replace(row("vazio", `[]`, false), `"enabled":true`, `"enabled":false`, 1))
		if e := endpoint(); e.Enabled || e.ID != before {
			t.Errorf("switched off, the endpoint is %+v", e)
		}
		w.want(w.line, "POST /webhook/set/shop", `{"url":"https://crm.example/b"}`, 201, row("https://crm.example/b", allEventNames(t), false))
		if e := endpoint(); !e.Enabled || e.ID != before || e.URL != "https://crm.example/b" || len(e.Events) > 0 {
			t.Errorf("switched on, the endpoint is %+v", e)
		}
		for _, wrong := range []string{`{"url":"ftp://crm.example"}`, `{"url":"crm"}`, `{"enabled":true}`, `{"url":"http://a:99999/"}`} {
			w.want(w.line, "POST /webhook/set/shop", wrong, 400, badText(`Invalid "url" property`))
		}
		if _, err := w.ChangeInstance(t.Context(), w.Owner, shop, crm.InstanceChanges{Webhook: crm.Null[crm.InstanceWebhook]()}); err != nil {
			t.Fatal(err)
		}
		if e := endpoint(); e != nil {
			t.Errorf("removed, the endpoint is %+v", e)
		}
	})
}

func row(url, events string, both bool) string {
	flag := map[bool]string{true: "true", false: "false"}[both]
	return `{"id":"UUID","url":"` + url + `","headers":null,"enabled":true,"events":` + events + `,"webhookByEvents":` + flag + `,"webhookBase64":` + flag + `,` +
		`"createdAt":"2021-11-19T10:55:00.000Z","updatedAt":"2021-11-19T10:55:00.000Z","instanceId":"UUID"}`
}

func allEventNames(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(shape.EventNames())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestUnreadableEventFails checks that an event that the rules did not write is an error, which
// the log of the deliveries shows, and not an event without words.
func TestUnreadableEventFails(t *testing.T) {
	w := onSQLite(t)
	ev := crm.CallbackEvent{ID: 12, Name: crm.EventMessengerStatus, Body: []byte(`{"data":[{"state":7}],"meta":{}}`), Line: onShop, At: time.Unix(crmtest.Start, 0)}
	list, err := w.hooks(0).Requests(t.Context(), crm.CallbackTarget{Format: crm.FormatEvolution, Line: onShop, URL: hookURL}, ev, time.Unix(crmtest.Start, 0))
	if err == nil || len(list) != 0 {
		t.Errorf("it becomes %d requests, %v", len(list), err)
	}
}

// TestWebhookOfADeletedInstance checks that the webhook of all instances is told that one was deleted,
// also by a process that has started since then. What happened before is deleted with it.
func TestWebhookOfADeletedInstance(t *testing.T) {
	w := onSQLite(t)
	made, err := w.CreateInstance(t.Context(), w.Owner, crm.InstanceInput{CompanyID: crmtest.CompanyID, Name: "brief"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteInstance(t.Context(), w.Owner, "brief"); err != nil {
		t.Fatal(err)
	}
	later := evolution.NewWebhooks(evolution.WebhookOptions{
		Rules: w.Service, Instances: onSQLite(t).InstanceDirectory(), PublicURL: "https://chat.example", Shape: crm.ShapeV2,
	})
	for name, h := range map[string]*evolution.Webhooks{"at once": w.hooks(0), "later": later} {
		var all []string
		for _, told := range w.EventsAfter(t, 0, crm.EventInstance) {
			ev := callbackEvent(told)
			ev.Line = made.Line
			list, err := h.Requests(t.Context(), crm.CallbackTarget{Format: crm.FormatEvolution, URL: hookURL}, ev, time.Unix(crmtest.Start, 0))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range list {
				if !strings.Contains(string(r.Body), `"instance":"brief"`) {
					t.Errorf("%s: %s does not name the instance: %s", name, r.Name, r.Body)
				}
			}
			all = append(all, names(list)...)
		}
		if want := []string{"instance.delete", "remove.instance"}; !slices.Equal(all, want) {
			t.Errorf("%s: it is told %v, want %v", name, all, want)
		}
	}
}
