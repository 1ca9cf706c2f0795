package multiwa_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/multiwa"
)

// delivery is what a receiver got.
type delivery struct {
	header http.Header
	body   string
}

// receiver takes webhooks. While fails is positive it answers 500 and counts it down; so it
// always does to a body that has refuses in it.
type receiver struct {
	url string
	got chan delivery

	mu      sync.Mutex
	fails   int    // guarded by mu
	refuses string // guarded by mu; empty: nothing
	refused int    // guarded by mu
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{got: make(chan delivery, 100)}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if bad := r.refuses != "" && strings.Contains(string(body), r.refuses); bad || r.fails > 0 {
			r.fails, r.refused = max(0, r.fails-1), r.refused+1
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		r.got <- delivery{req.Header, string(body)}
	}))
	t.Cleanup(srv.Close)
	r.url = srv.URL
	return r
}

func (r *receiver) failing(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails = n
}

func (r *receiver) next(t *testing.T) delivery {
	t.Helper()
	select {
	case d := <-r.got:
		return d
	case <-time.After(testwait.Long):
		t.Fatal("nothing was delivered")
	}
	return delivery{}
}

// quick is the format with short waits.
type quick struct{ multiwa.Hooks }

func (quick) Policy() *crm.CallbackPolicy {
	p := *multiwa.Hooks{}.Policy()
	p.First, p.Most = time.Millisecond, time.Millisecond
	return &p
}

// withWebhooks has the rules deliver webhooks.
func (h *harness) withWebhooks(private bool) {
	h.deliver(private, directory{h.InstanceDirectory()})
}

// deliver is withWebhooks with what is known of the lines.
func (h *harness) deliver(private bool, lines multiwa.Lines) {
	hooks := webhook.New(webhook.Options{
		Log: discard, AllowPrivate: private, Alone: true,
		Formats: map[string]crm.CallbackFormat{crm.FormatMultiWA: quick{multiwa.Hooks{Lines: lines}}},
	})
	hooks.Serve(h.Service)
	h.Callbacks = hooks
	h.t.Cleanup(h.run(hooks.Run))
}

// row is a webhook, as answers show it.
func row(id, profile, url, events string, enabled bool) string {
	return fmt.Sprintf(`{"id":%q,"profileId":%q,"url":%q,"events":%s,"enabled":%v,"createdAt":"2021-11-19T10:55:00.000Z"}`, id, profile, url, events, enabled)
}

// hook makes a webhook and returns its id.
func (r *rest) hook(body string) string {
	r.t.Helper()
	status, answer := r.call("POST", "/webhooks", body)
	if status != 201 {
		r.t.Fatalf("the webhook was not made: %d %s", status, answer)
	}
	return member(r.t, answer, "id")
}

// TestWebhooks checks the routes of webhooks: status and exact JSON of each.
func TestWebhooks(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, crm.Line{})
		r.withWebhooks(true)
		to, profile := newReceiver(t), r.profileOf(t, onGr)
		url := to.url + "/hook?x=1"
		id := r.hook(`{"profileId":"` + profile + `","url":"` + url + `","events":["message.received","session.connected"],"headers":{"X-Mine":"yes"},"secret":"hidden-word"}`)
		r.want("GET", "/webhooks?profileId="+profile, "", 200, "["+row(id, profile, url, `["message.received","session.connected"]`, true)+"]")
		r.want("PUT", "/webhooks/"+id, `{"events":["*"],"enabled":false}`, 200, row(id, profile, url, `["*"]`, false))
		r.want("PUT", "/webhooks/"+strings.ToUpper(id), `{"url":"`+to.url+`","enabled":true,"secret":"other-word","headers":{}}`, 200, row(id, profile, to.url, `["*"]`, true))
		r.want("POST", "/profiles/"+profile+"/webhook", `{"url":"`+to.url+`","events":["message.ack"]}`, 201, row(id, profile, to.url, `["message.ack"]`, true))
		status, answer := r.call("POST", "/profiles/"+profile+"/webhook", `{"url":"`+to.url+`/2"}`)
		second := member(t, answer, "id")
		if want := multiwa.Union(row(second, profile, to.url+"/2", `["*"]`, true)); status != 201 || answer != want {
			t.Errorf("the second: %d %s, want %s", status, answer, want)
		}
		status, answer = r.call("POST", "/webhooks/"+id+"/test", "")
		if took := member(t, answer, "durationMs"); status != 201 || answer != `{"success":true,"statusCode":200,"durationMs":`+took+`,"data":{"statusCode":200,"durationMs":`+took+`}}` {
			t.Errorf("the test: %d %s", status, answer)
		}
		if got := to.next(t); !strings.HasPrefix(got.body, `{"event":"webhook.test","timestamp":"2021-11-19T10:55:00.000Z","profileId":"`+profile+`","data":{"message":"This is a test"}}`) {
			t.Errorf("the test is %s", got.body)
		}
		to.failing(1)
		status, answer = r.call("POST", "/webhooks/"+id+"/test", "")
		if status != 201 || !strings.HasPrefix(answer, `{"success":false,"statusCode":500,"durationMs":`) || !strings.Contains(answer, `"message":"`) {
			t.Errorf("the test that fails: %d %s", status, answer)
		}
		r.want("DELETE", "/webhooks/"+id, "", 200, `{}`)
		r.want("GET", "/webhooks?profileId="+profile, "", 200, "["+row(second, profile, to.url+"/2", `["*"]`, true)+"]")
		for _, route := range []string{"PUT ", "DELETE ", "POST /test"} {
			method, end, _ := strings.Cut(route, " ")
			for _, gone := range []string{id, "x", testProfile} {
				r.fails(method, "/webhooks/"+gone+end, map[string]string{"PUT": `{"enabled":true}`}[method], 404, "NOT_FOUND", "webhook not found")
			}
		}
		made := r.asMade(t, `{"name":"shop","webhookUrl":"`+to.url+`/3","webhookSecret":"third-word"}`)
		shop := member(t, made, "id")
		_, list := r.call("GET", "/webhooks?profileId="+shop, "")
		if !strings.Contains(list, `"url":"`+to.url+`/3","events":["*"],"enabled":true`) || strings.Contains(made+list, "third-word") {
			t.Errorf("the profile is %s, its webhooks %s", made, list)
		}
		page, err := r.AuditLog(t.Context(), r.Owner, crm.AuditQuery{Action: crm.AuditCallbackMade})
		if err != nil || len(page.Items) != 3 || strings.Contains(fmt.Sprint(page.Items), "word") {
			t.Errorf("the audit log has %+v, %v", page.Items, err)
		}
	})
}

// TestBadWebhooks checks the answers to webhooks that cannot be.
func TestBadWebhooks(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, crm.Line{})
		r.withWebhooks(false)
		profile := r.profileOf(t, onGr)
		strange := r.profileOf(t, crm.Line{LicenseID: crmtest.StrangeLicense, Messenger: "grWhatsApp"})
		in := func(more string) string { return `{"profileId":"` + profile + `",` + more + `}` }
		for _, c := range []struct{ body, code, text string }{
			{`{"url":"https://h.example","events":["*"]}`, "VALIDATION_ERROR", "profileId is required"},
			{in(`"events":["*"]`), "VALIDATION_ERROR", "url is required"},
			{in(`"url":"https://h.example"`), "VALIDATION_ERROR", `events is required; ["*"] is all of them`},
			{in(`"url":"https://h.example","events":[]`), "VALIDATION_ERROR", `events must name an event; ["*"] is all of them`},
			{in(`"url":"https://h.example","events":["messages.upsert"]`), "VALIDATION_ERROR", "events must be a list of names of events: Unknown event: messages.upsert"},
			{in(`"url":"https://h.example","events":"*"`), "VALIDATION_ERROR", "events must be a list of names of events: Events array is required"},
			{in(`"url":"https://h.example","events":["*"],"headers":{"Host":"x"}`), "VALIDATION_ERROR", "headers must not have Host, which belongs to the connection"},
			{in(`"url":"https://h.example","events":["*"],"headers":{"X Y":"x"}`), "VALIDATION_ERROR", "headers has a name or a value that no header may have"},
		} {
			r.fails("POST", "/webhooks", c.body, 400, c.code, c.text)
		}
		for _, url := range []string{"http://127.0.0.1/x", "http://[::1]:8080/", "http://10.0.0.1/", "http://169.254.169.254/latest", "ftp://h.example", "https://"} {
			for _, path := range []string{"/webhooks", "/profiles/" + profile + "/webhook"} {
				status, answer := r.call("POST", path, in(`"url":"`+url+`","events":["*"]`))
				if status != 400 || !strings.Contains(answer, `"VALIDATION_ERROR","message":"url `) {
					t.Errorf("%s: %d %s", url, status, answer)
				}
			}
			if status, answer := r.call("POST", "/profiles", `{"name":"shop","webhookUrl":"`+url+`"}`); status != 400 {
				t.Errorf("a profile with %s: %d %s", url, status, answer)
			}
		}
		if _, list := r.call("GET", "/profiles", ""); strings.Contains(list, "shop") {
			t.Errorf("a profile was made: %s", list)
		}
		r.fails("POST", "/profiles", `{"name":"shop","webhookSecret":"x"}`, 400, "VALIDATION_ERROR", "webhookUrl is required with webhookSecret")
		r.fails("POST", "/webhooks", `{"profileId":"`+strange+`","url":"https://h.example","events":["*"]}`, 404, "NOT_FOUND", "Profile not found")
		r.fails("POST", "/profiles/"+strange+"/webhook", `{"url":"https://h.example"}`, 404, "NOT_FOUND", "Profile not found")
		r.fails("GET", "/webhooks?profileId="+strange, "", 404, "NOT_FOUND", "Profile not found")
	})
}

// TestWebhookRights checks that a key without the right manage, of another line, or of another
// company can do nothing with a webhook.
func TestWebhookRights(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr)
		r.withWebhooks(true)
		id := r.hook(`{"url":"https://h.example/x","events":["*"]}`)
		strange := crm.Line{LicenseID: crmtest.StrangeLicense, Messenger: "grWhatsApp"}
		theirs, err := r.CreateKey(t.Context(), r.Stranger, crm.KeyInput{CompanyID: crmtest.StrangeCompany, Name: "Theirs", LicenseID: strange.LicenseID, Messenger: strange.Messenger, Rights: []string{crm.KeyRead, crm.KeyManage}})
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{r.harness.key(t, onOther).Key, theirs.Key} {
			r.key = key
			r.fails("PUT", "/webhooks/"+id, `{"enabled":false}`, 404, "NOT_FOUND", "webhook not found")
			r.fails("DELETE", "/webhooks/"+id, "", 404, "NOT_FOUND", "webhook not found")
			r.fails("POST", "/webhooks/"+id+"/test", "", 404, "NOT_FOUND", "webhook not found")
		}
		for _, k := range []struct{ has, lacks string }{{crm.KeyRead, crm.KeyManage}, {crm.KeyManage, crm.KeyRead}} {
			r.key = r.harness.key(t, onGr, k.has).Key
			text := "this key does not have the right " + k.lacks
			r.fails("POST", "/webhooks", `{"url":"https://h.example/x","events":["*"]}`, 403, "FORBIDDEN", text)
			r.fails("GET", "/webhooks", "", 403, "FORBIDDEN", text)
			r.fails("PUT", "/webhooks/"+id, `{"enabled":false}`, 403, "FORBIDDEN", text)
			r.fails("DELETE", "/webhooks/"+id, "", 403, "FORBIDDEN", text)
			r.fails("POST", "/webhooks/"+id+"/test", "", 403, "FORBIDDEN", text)
		}
	})
}

// TestDeliveries checks what is delivered, signed, in which order, and that what fails comes
// again before what is later.
func TestDeliveries(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr)
		r.withWebhooks(true)
		to, profile := newReceiver(t), r.profileOf(t, onGr)
		r.hook(`{"url":"` + to.url + `","events":["message.received","message"],"headers":{"X-Mine":"yes","X-MultiWA-Event":"no"},"secret":"a secret"}`)
		r.settle(t) // the events of what was there are not its
		to.failing(3)
		for i := range 3 {
			r.say(t, onGr, fmt.Sprint("3A0", i), fmt.Sprintf("Text <%d> \u2028", i))
		}
		seen := map[string]bool{}
		for i := range 3 {
			for n, name := range []string{"message.received", "message"} {
				got := to.next(t)
				want := fmt.Sprintf(`{"event":%q,"timestamp":"2021-11-19T10:55:00.000Z","profileId":%q,"data":{"id":"false_351912000001@c.us_3A0%d","from":"351912000001@c.us","to":"","body":"Text <%d> `+"\u2028"+`",`+
					`"type":"chat","timestamp":"2021-11-19T10:55:00.000Z","hasMedia":false,"fromMe":false,"pushName":"Ana","isGroup":false}}`, name, profile, i, i)
				if got.body != want {
					t.Errorf(" got %s\nwant %s", got.body, want)
				}
				mac := hmac.New(sha256.New, []byte("a secret"))
				mac.Write([]byte(got.body))
				signature := "sha256=" + hex.EncodeToString(mac.Sum(nil))
				if got.header.Get("X-MultiWA-Signature") != signature || got.header.Get("X-MultiWA-Event") != name || len(got.header.Values("X-MultiWA-Event")) != 1 || got.header.Get("X-Mine") != "yes" ||
					!strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
					t.Errorf("the headers are %v", got.header)
				}
				id := got.header.Get("X-Event-Id")
				if seen[id] || id == "" || strings.HasSuffix(id, "-2") != (n == 1) {
					t.Errorf("the id is %q", id)
				}
				seen[id] = true
			}
		}
	})
}

// TestCodesAreDelivered checks that the code that pairs a profile is delivered, once.
func TestCodesAreDelivered(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr)
		r.withWebhooks(true)
		to := newReceiver(t)
		r.hook(`{"url":"` + to.url + `","events":["qr:update","message.received"],"headers":{"x-event-id":"mine"}}`)
		code := "2@abc"
		if err := r.PublishQR(t.Context(), onGr, crm.Pairing{QR: &code, ExpiresAt: crmtest.Start}); err != nil {
			t.Fatal(err)
		}
		got := to.next(t)
		if !strings.HasPrefix(got.body, `{"event":"qr:update","timestamp":"2021-11-19T10:55:00.000Z","profileId":"`+r.profileOf(t, onGr)+`","data":{"qr":"data:image/png;base64,`) ||
			!strings.Contains(got.body, `","code":"2@abc","expiresAt":"2021-11-19T10:55:00.000Z"}}`) || got.header.Get("X-Event-Id") != "" {
			t.Errorf("it got %v %.300s", got.header, got.body)
		}
		r.say(t, onGr, "3A00", "After it")
		if got := to.next(t); !strings.Contains(got.body, `"body":"After it"`) {
			t.Errorf("then %s", got.body)
		}
	})
}

// TestDeliveriesEnd checks that a delivery is tried five times, and given up when the receiver
// takes the one behind it.
func TestDeliveriesEnd(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		if p := *(multiwa.Hooks{}).Policy(); p.Timeout != 30*time.Second || p.First != 30*time.Second || p.Most != 4*time.Minute || p.Tries != 5 || p.Jitter != 0 {
			t.Errorf("the policy is %+v", p)
		}
		r := newRest(t, store, onGr)
		r.withWebhooks(true)
		to := newReceiver(t)
		to.refuses = "Never taken"
		r.hook(`{"url":"` + to.url + `","events":["message.received"]}`)
		r.settle(t)
		r.say(t, onGr, "3A00", "Never taken")
		r.say(t, onGr, "3A01", "Taken")
		if got := to.next(t); !strings.Contains(got.body, `"body":"Taken"`) || got.header.Get("X-MultiWA-Signature") != "" {
			t.Errorf("it got %+v", got)
		}
		testwait.Count(t, "requests that were given up", 1, func() int {
			list, err := r.Endpoints(t.Context(), r.Owner, onGr, crm.FormatMultiWA)
			if err != nil || len(list) != 1 {
				t.Fatalf("%+v, %v", list, err)
			}
			return int(list[0].GivenUp)
		})
		to.mu.Lock()
		defer to.mu.Unlock()
		if to.refused < 5 { // it may be tried on until there is one behind it
			t.Errorf("it was tried %d times", to.refused)
		}
	})
}
