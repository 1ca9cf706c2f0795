package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server"
	"chatcast/server/api"
	"chatcast/server/api/apitest"
)

// phoneLine is served by a messenger that pairs accounts; line is served by a bridge.
const phoneLine = "/v1/licenses/1229/messengers/WhatsApp"

// phone is a messenger with an account, which may be unreachable or connected.
type phone struct {
	rules                  *crm.Service
	unavailable, connected bool
	tries                  int
	refusal                error  // of questions about groups
	configured             int    // calls of Configure
	member                 string // the id of the member of its group; empty: the number
	pictures               int    // that were set
	name, about            string // of its account
}

var (
	_ crm.Queued           = (*phone)(nil)
	_ crm.PasskeyMessenger = (*phone)(nil)
)

func (p *phone) reach() error {
	if p.unavailable {
		return crm.Unavailable("the phone is away")
	}
	return nil
}

func (p *phone) Status(context.Context, crm.Line) (crm.LineStatus, error) {
	number := "79990001122"
	return crm.LineStatus{State: "connected", Connected: true, Via: "phone", Phone: &number}, p.reach()
}
func (p *phone) MessageID(crm.Line) string                              { return "PHONE1" }
func (p *phone) Typing(context.Context, crm.Line, string, string) error { return p.reach() }
func (p *phone) Queue(crm.Line)                                         {}

func (p *phone) Logout(ctx context.Context, l crm.Line) error {
	if p.unavailable {
		return p.reach()
	}
	return p.rules.SetLineState(ctx, l, crm.LineState{State: crm.StateLoggedOut})
}

// passkey is SignPasskey, ConfirmPasskey and CancelPasskey. What they cause is a new state,
// and something to show.
func (p *phone) passkey(ctx context.Context, l crm.Line) error {
	if p.connected {
		return crm.NoPasskeyAsked()
	}
	if p.unavailable {
		return p.reach()
	}
	p.tries++
	err := p.rules.SetLineState(ctx, l, crm.LineState{State: crm.StatePasskey, Detail: fmt.Sprintf("Try %d.", p.tries)})
	code := "ABCD-EFGH"
	return errors.Join(err, p.rules.PublishQR(ctx, l, crm.Pairing{ExpiresAt: 1637319320, Passkey: &crm.PasskeyStep{Origin: "https://example.com", Code: &code}}))
}

func (p *phone) SignPasskey(ctx context.Context, l crm.Line, _ crm.Assertion) error {
	return p.passkey(ctx, l)
}
func (p *phone) ConfirmPasskey(ctx context.Context, l crm.Line, _ string) error {
	return p.passkey(ctx, l)
}

func (p *phone) CancelPasskey(ctx context.Context, l crm.Line) error {
	switch {
	case p.connected:
		return crm.NoPasskeyAsked()
	case p.unavailable:
		return p.reach()
	}
	p.tries++
	return p.rules.SetLineState(ctx, l, crm.LineState{State: crm.StateDisconnected, Detail: fmt.Sprintf("Try %d.", p.tries)})
}

func (p *phone) Pair(ctx context.Context, l crm.Line, to string) (crm.Pairing, error) {
	if p.connected {
		return crm.Pairing{}, &crm.Error{Code: crm.CodeConflict, Message: "an account is connected"}
	}
	text := "2@" + to
	pairing := crm.Pairing{QR: &text, ExpiresAt: 1637319320}
	if p.unavailable {
		return pairing, p.reach()
	}
	p.tries++
	err := p.rules.SetLineState(ctx, l, crm.LineState{State: crm.StatePairing, Detail: fmt.Sprintf("Try %d.", p.tries)})
	return pairing, errors.Join(err, p.rules.PublishQR(ctx, l, pairing))
}

// poster takes every URL, and every event.
type poster struct{}

var _ crm.CallbackPoster = poster{}

func (poster) CheckURL(context.Context, int64, string) error      { return nil }
func (poster) CheckAddress(context.Context, string, string) error { return nil }
func (poster) CheckEvents(string, string, []string) error         { return nil }
func (poster) Live(int64, crm.CallbackEvent)                      {}
func (poster) Changed()                                           {}
func (poster) Post(_ context.Context, _ int64, read func() (crm.CallbackTarget, crm.CallbackEvent, error)) (crm.CallbackAttempt, error) {
	_, _, err := read()
	return crm.CallbackAttempt{Status: 200}, err
}

// appPoster delivers to webhooks of apps.
type appPoster struct{}

var _ crm.AppWebhooks = appPoster{}

func (appPoster) Resumed() {}
func (appPoster) Redeliver(_ context.Context, read func() (crm.AppWebhookBatch, error)) (*models.WebhookAttempt, *models.WebhookBatch, error) {
	b, err := read()
	if err != nil {
		return nil, nil, err
	}
	app, endpoint := b.App.ID, b.App.WebhookIDs()[b.Index]
	return &models.WebhookAttempt{AppID: app, Endpoint: endpoint, Kind: "redelivery", Batch: "again", Attempt: 1, Status: 200},
		&models.WebhookBatch{Key: "again", AppID: app, Endpoint: endpoint, Events: b.Events, Size: int64(len(b.Events))}, nil
}

// walker calls the routes and records the answers.
type walker struct {
	office
	*phone
	t    *testing.T
	vars map[string]string // remembered by steps, by "{name}"

	seen map[string]bool // "/v1/tags POST 200"
	told map[string]bool // operations whose success made an entry of the audit log
	last map[string]step // the last success, by operation
	op   *apitest.Operation

	// several, if not nil, may add the id of a company to a request that takes one, in
	// its query or its body.
	several func(s *step, takesQuery, takesBody bool)
	// succeeded, if not nil, is called after each step that was answered with 200.
	succeeded func(s step)
}

// step is one request. want is the status, 0 means 200. keep names what to remember of
// the answer, such as "sent=data.id".
type step struct {
	who     crm.Actor
	request string
	body    string
	want    int
	keep    string
	headers []string
}

func newWalker(t *testing.T, store *models.Store) *walker {
	w := &walker{office: unchecked(t, store), phone: &phone{}, t: t, vars: map[string]string{}, seen: map[string]bool{}, told: map[string]bool{}, last: map[string]step{}}
	w.phone.rules, w.Messengers["WhatsApp"], w.Callbacks = w.Service, w.phone, poster{}
	w.AppWebhooks = appPoster{}
	w.Handler = apitest.Documented(t, w.Handler, func(op *apitest.Operation, _ *http.Request, status int) {
		w.op = op
		w.seen[op.String()+" "+strconv.Itoa(status)] = true
	})
	return w
}

// fill replaces the placeholders in text by remembered values.
func (w *walker) fill(text string) string {
	for name, value := range w.vars {
		text = strings.ReplaceAll(text, name, value)
	}
	return text
}

// send performs one step. The events that it causes must be documented.
func (w *walker) send(s step) *httptest.ResponseRecorder {
	w.t.Helper()
	if w.several != nil {
		w.nameCompany(&s)
	}
	method, path, _ := strings.Cut(w.fill(s.request), " ")
	mark, published, entry := w.Mark(w.t), len(w.Live.Published()), w.lastEntry()
	w.op = nil
	rec := w.record(s, method)
	if s.want == 0 {
		s.want = http.StatusOK
	}
	if rec.Code != s.want {
		w.t.Errorf("%s %s %s: %d %s, want %d", method, path, s.body, rec.Code, rec.Body, s.want)
	}
	if w.op == nil {
		w.t.Fatalf("%s %s is not documented", method, path)
	}
	for _, ev := range append(w.EventsAfter(w.t, mark), w.Live.Published()[published:]...) {
		if !slices.Contains(w.op.Events(), ev.Name) {
			w.t.Errorf("%s caused %s, which is not among its x-events %v", w.op, ev.Name, w.op.Events())
		}
		w.seen[w.op.String()+" "+ev.Name] = true
	}
	if rec.Code == http.StatusOK {
		w.told[w.op.String()] = w.told[w.op.String()] || w.lastEntry() > entry
		s.request, s.body = w.fill(s.request), w.fill(s.body)
		w.last[w.op.String()] = s
	}
	if name, at, keeps := strings.Cut(s.keep, "="); keeps {
		w.keep("{"+name+"}", rec.Body.Bytes(), strings.Split(at, "."))
	}
	if rec.Code == http.StatusOK && w.succeeded != nil {
		w.succeeded(s)
	}
	return rec
}

// record sends the request of a step with this method, and returns the answer.
func (w *walker) record(s step, method string) *httptest.ResponseRecorder {
	w.t.Helper()
	_, path, _ := strings.Cut(w.fill(s.request), " ")
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, http.NoBody)
	if s.body != "" {
		r = httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(w.fill(s.body)))
		r.Header.Set("Content-Type", "application/json")
	}
	if s.who != (crm.Actor{}) {
		r.Header.Set("Authorization", w.Token(s.who))
	}
	for i := 0; i < len(s.headers); i += 2 {
		r.Header.Set(s.headers[i], w.fill(s.headers[i+1]))
	}
	r.RemoteAddr = "127.0.0.1:4711"
	rec := httptest.NewRecorder()
	if strings.HasPrefix(path, "/v1/events/stream") { // the client leaves when it has the beginning
		ctx, leave := context.WithCancel(r.Context())
		defer leave()
		w.ServeHTTP(&impatient{rec, leave}, r.WithContext(ctx))
		return rec
	}
	w.ServeHTTP(rec, r)
	return rec
}

// impatient is the client of a stream that leaves at the first flush.
type impatient struct {
	*httptest.ResponseRecorder
	leave func()
}

// Flush implements http.Flusher.
func (i *impatient) Flush() { i.ResponseRecorder.Flush(); i.leave() }

// nameCompany calls several with what openapi.yaml says about the request.
func (w *walker) nameCompany(s *step) {
	method, path, _ := strings.Cut(w.fill(s.request), " ")
	op, _, _ := reference(w.t).Find(httptest.NewRequestWithContext(w.t.Context(), method, path, http.NoBody))
	if op == nil {
		return
	}
	query, body := takesCompany(op)
	w.several(s, query, body)
}

func (w *walker) keep(name string, answer []byte, at []string) {
	w.t.Helper()
	var node any
	if err := json.Unmarshal(answer, &node); err != nil {
		w.t.Fatal(err)
	}
	for _, key := range at {
		switch in := node.(type) {
		case map[string]any:
			node = in[key]
		case []any:
			node = in[0]
		}
	}
	if w.vars[name] = fmt.Sprint(node); node == nil {
		w.t.Fatalf("%s is not at %v of %s", name, at, answer)
	}
}

// TestEveryDocumentedAnswerIsGiven calls every operation, then provokes every error that
// openapi.yaml names. It fails for answers that are documented but never given, or given
// but not documented. A HEAD of what is a GET changes nothing: see headsOf.
func TestEveryDocumentedAnswerIsGiven(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, heads := newWalker(t, store), map[string]bool{}
		w.succeeded = headsOf(w, heads)
		w.everything()
		w.refusals()
		w.journal()
		documented := map[string]bool{}
		for _, op := range reference(t).Operations {
			route := pathParam.ReplaceAllString(op.String(), "{}")
			if slices.Contains(elsewhere, route) {
				continue
			}
			if op.Method == http.MethodGet && !heads[op.String()] {
				t.Errorf("%s was not asked with HEAD", op)
			}
			for _, want := range slices.Concat(op.Statuses(), op.Events()) {
				key := op.String() + " " + want
				documented[key] = true
				if !w.seen[key] && rare[key] == "" && want != "500" && !(want == "503" && tellsTrouble(op)) {
					t.Errorf("%s is documented, but was not seen", key)
				}
			}
		}
		for _, key := range slices.Sorted(maps.Keys(rare)) {
			if w.seen[key] || !documented[key] {
				t.Errorf("%s was seen, or is not documented: it is not rare", key)
			}
		}
	})
}

// everything calls every operation with success.
func (w *walker) everything() {
	w.accounts()
	w.people()
	w.catalogues()
	w.chats()
	w.messages()
	w.groups()
	w.accountOfLine()
	w.quick()
	w.apps()
	w.streams()
	w.callbacks()
}

// rare lists documented answers that one client alone cannot cause, and why.
var rare = map[string]string{
	"/v1/callbackUrls/{id}/redeliver POST 429":                                "three URLs that hang are asked at once: TestAskingIsBounded",
	"/v1/callbackUrls/{id}/rewind POST 429":                                   "three URLs that hang are asked at once: TestAskingIsBounded",
	"/v1/apps/{id}/webhooks/{webhookId}/redeliver POST 429":                   "URLs that hang are asked at once: TestRedeliveriesAreBounded",
	"/v1/companies/{companyId}/callbackUrl PUT 429":                           "three URLs that hang are asked at once: TestAskingIsBounded",
	"/v1/licenses/{licenseId}/messengers/{messengerType}/callbackUrl PUT 429": "three URLs that hang are asked at once: TestAskingIsBounded",
	"/v1/events GET 429":                                                      "a user's calls take all places to wait in",
	"/v1/events GET 503":                                                      "the server stops during a wait",
	"/v1/events/stream GET 429":                                               "a user's streams take all places: TestEventStreamsOfOneUserAreFew",
	"/v1/events/tickets POST 429":                                             "sixty tickets in a minute: TestEventTickets",
	lineRoute + "/messages GET 503":                                           "too many searches at once, or one that takes long: TestSearchesLeaveConnections",
	lineRoute + "/chats POST chatGroup":                                       "of a group: TestGroupRights",
	"/v1/keys POST 409":                                                       "a company with a thousand keys: TestKeysOfACompanyAreBounded",
	"/v1/me PATCH 409":                                                        "two changes of a password at once",
	"/v1/invitations/{code}/accept POST 409":                                  "two acceptances at once",
	"/v1/invitations/accept POST 409":                                         "two acceptances at once",
	"/v1/password/reset POST 429":                                             "many changes of passwords at once wait for a processor",
}

// TestFaultsOfOurOwnAreDocumented closes the database: each route that needs it answers
// 500 in the documented shape, without the reason.
func TestFaultsOfOurOwnAreDocumented(t *testing.T) {
	store := testdb.Open(t, testdb.SQLiteURL(t))
	log := slog.New(slog.DiscardHandler)
	a := &api.API{CRM: crm.New(crm.Options{Store: store, Live: &crmtest.Live{}, Log: log, Files: crm.Folder(t.TempDir())}), Log: log}
	router, err := server.NewRouter(server.RouterOptions{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	a.Register(router)
	handler := apitest.Documented(t, router, nil)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, op := range reference(t).Operations {
		if op.Responses.Value("500") == nil || slices.Contains(elsewhere, pathParam.ReplaceAllString(op.String(), "{}")) {
			continue
		}
		r := httptest.NewRequestWithContext(t.Context(), op.Method, sample(op), strings.NewReader(`{"email":"a@b.c","password":"long enough","refreshToken":"x","code":"x"}`))
		r.Header.Set("Authorization", "some token")
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		if rec.Code != http.StatusInternalServerError || strings.Contains(rec.Body.String(), "sql") {
			t.Errorf("%s: %d %s", op, rec.Code, rec.Body)
		}
	}
}

// tellsTrouble reports whether 503 of the operation is about the database alone.
func tellsTrouble(op apitest.Operation) bool {
	r := op.Responses.Value("503")
	return r != nil && strings.HasSuffix(r.Ref, "/TroubleResponse")
}

// TestTroublesOfTheDatabaseAreTold lets the time for each route run out, as it does when the
// database does not answer: it answers 503, and says when to come again.
func TestTroublesOfTheDatabaseAreTold(t *testing.T) {
	store := testdb.Open(t, testdb.SQLiteURL(t))
	logged := new(testwait.Output)
	log := slog.New(slog.NewTextHandler(logged, nil))
	a := &api.API{CRM: crm.New(crm.Options{Store: store, Live: &crmtest.Live{}, Log: log, Files: crm.Folder(t.TempDir())}), Log: log}
	router, err := server.NewRouter(server.RouterOptions{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	a.Register(router)
	handler := apitest.Documented(t, router, nil)
	ctx, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	for _, op := range reference(t).Operations {
		if op.Responses.Value("500") == nil || slices.Contains(elsewhere, pathParam.ReplaceAllString(op.String(), "{}")) {
			continue
		}
		r := httptest.NewRequestWithContext(ctx, op.Method, sample(op), strings.NewReader(`{"email":"a@b.c","password":"long enough","refreshToken":"x","code":"x"}`))
		r.Header.Set("Authorization", "some token")
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" || !strings.Contains(rec.Body.String(), "ApiUnavailableError") {
			t.Errorf("%s: %d %s %v", op, rec.Code, rec.Body, rec.Header())
		}
	}
	if n := strings.Count(logged.String(), "the database cannot serve requests"); n < 1 || n > 10 || !strings.Contains(logged.String(), "trouble=timeout") {
		t.Errorf("the log says %d times\n%s", n, logged)
	}
}

// sample returns a path of the operation with plausible parameters.
func sample(op apitest.Operation) string {
	return strings.NewReplacer("{chatId}", "79990001122", "{licenseId}", "1229", "{messengerType}", "grWhatsApp",
		"{companyId}", "2224", "{userId}", "687", "{groupId}", "120363000000000001@g.us", "{fileId}", strings.Repeat("a", 32), "{code}", strings.Repeat("b", 64), "{messageId}", "IN1",
		"/v1/apps/{id}", "/v1/apps/none", "{id}", "1", "{tagId}", "1", "{responseId}", "1", "{file}", "message.json").Replace(op.Path)
}
