package multiwa_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/multiwa"
)

// TestProfiles checks the routes of profiles, with a connector whose answers the test sets.
func TestProfiles(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, crm.Line{})
		phone := r.World.Connect("grWhatsApp")
		made := member(t, r.asMade(t, `{"workspaceId":"x","name":"shop","engine":"whatsapp-web-js"}`), "id")
		v, ok := r.InstanceDirectory().ByID(made)
		if !ok {
			t.Fatal("the profile is not known")
		}
		delay, daily := "null", "null"
		profile := func(name, status, phone string) string {
			return fmt.Sprintf(`{"id":%q,"name":%q,"status":%q,"phone":%s,"engine":"whatsmeow","createdAt":"2021-11-19T10:55:00.000Z","updatedAt":"2021-11-19T10:55:00.000Z","messageDelayMs":%s,"dailyMessageLimit":%s}`, made, name, status, phone, delay, daily)
		}
		path := "/profiles/" + made
		r.want("GET", path, "", 200, profile("shop", "disconnected", "null"))
		r.want("GET", "/profiles/"+strings.ToUpper(made), "", 200, profile("shop", "disconnected", "null"))
		r.want("GET", path+"/status", "", 200, `{"id":"`+made+`","name":"shop","status":"disconnected","phone":null,"lastConnectedAt":null,"engineConnected":false}`)
		if _, list := r.call("GET", "/profiles", ""); !strings.Contains(list, profile("shop", "disconnected", "null")) || strings.Count(list, `"engine"`) != 5 {
			t.Errorf("the profiles are %s", list)
		}
		r.fails("GET", path+"/qr", "", 404, "NOT_FOUND", "There is no QR code now")
		code := "2@abc"
		phone.Answer(crm.Pairing{QR: &code}, nil)
		r.want("POST", path+"/connect", "", 201, `{"status":"connecting","message":"Scan the QR code of GET /profiles/`+made+`/qr, or of the event qr.updated"}`)
		state := func(st crm.LineState) {
			t.Helper()
			if err := r.SetLineState(t.Context(), v.Line, st); err != nil {
				t.Fatal(err)
			}
		}
		device, number := "1", "351912000000"
		state(crm.LineState{State: crm.StateConnected, Device: &device, Phone: &number})
		r.want("POST", path+"/connect", "", 201, `{"status":"already_connected","phone":"351912000000"}`)
		r.want("GET", path+"/status", "", 200, `{"id":"`+made+`","name":"shop","status":"connected","phone":"351912000000","lastConnectedAt":null,"engineConnected":true}`)
		state(crm.LineState{State: crm.StatePairing})
		if status, answer := r.call("GET", path+"/qr", ""); status != 200 || !strings.HasPrefix(answer, `{"success":true,"qr":"data:image/png;base64,`) {
			t.Errorf("the code: %d %.80s", status, answer)
		}
		state(crm.LineState{State: crm.StateConnecting})
		r.want("GET", path+"/status", "", 200, `{"id":"`+made+`","name":"shop","status":"connecting","phone":"351912000000","lastConnectedAt":null,"engineConnected":false}`)
		r.Clock.Advance(time.Minute)
		r.want("GET", path+"/status", "", 200, `{"id":"`+made+`","name":"shop","status":"disconnected","phone":"351912000000","lastConnectedAt":null,"engineConnected":false}`)
		r.Clock.Set(crmtest.Start)
		state(crm.LineState{State: crm.StateDisconnected})
		r.want("POST", path+"/connect", "", 201, `{"status":"connecting","message":"The account connects by itself"}`)
		r.want("POST", path+"/disconnect", "", 201, `{"status":"disconnected"}`)
		r.want("PUT", path, `{"name":"store","dailyMessageLimit":null}`, 200, profile("store", "disconnected", `"351912000000"`))
		delay, daily = "2000", "5"
		r.want("PUT", path, `{"messageDelayMs":1500,"dailyMessageLimit":5}`, 200, profile("store", "disconnected", `"351912000000"`))
		r.want("GET", path, "", 200, profile("store", "disconnected", `"351912000000"`))
		daily = "null"
		r.want("PUT", path, `{"dailyMessageLimit":null}`, 200, profile("store", "disconnected", `"351912000000"`))
		for _, bad := range []string{"0", "-5", "1.5", "1000001", "1e300"} {
			r.fails("PUT", path, `{"dailyMessageLimit":`+bad+`}`, 400, "VALIDATION_ERROR", "dailyMessageLimit must be a whole number from 1 to 1000000, or null")
		}
		r.fails("PUT", path, `{"messageDelayMs":-1}`, 400, "VALIDATION_ERROR", "messageDelayMs must be from 0 to 60000")
		r.fails("POST", "/profiles", `{"name":"store"}`, 409, "CONFLICT", "the company has an instance with this name already")
		r.fails("POST", "/profiles", `{"name":"/"}`, 400, "VALIDATION_ERROR", "name must be 1 to 100 letters, digits, spaces and any of . _ @ -, a letter or digit first")
		r.want("DELETE", path, "", 200, `{}`)
		r.fails("GET", path, "", 404, "NOT_FOUND", "Profile not found")
		strange := r.profileOf(t, crm.Line{LicenseID: crmtest.StrangeLicense, Messenger: "grWhatsApp"})
		for _, route := range []string{"GET ", "PUT ", "DELETE ", "GET /status", "GET /qr", "POST /connect", "POST /disconnect"} {
			method, end, _ := strings.Cut(route, " ")
			body := map[string]string{"PUT": `{"name":"x"}`}[method]
			r.fails(method, "/profiles/"+strange+end, body, 404, "NOT_FOUND", "Profile not found")
		}
		r.fails("GET", "/groups/profile/"+strange, "", 404, "NOT_FOUND", "Profile not found")
		r.fails("GET", "/conversations?profileId="+strange, "", 404, "NOT_FOUND", "Profile not found")
	})
}

// asMade makes a profile and returns the answer.
func (r *rest) asMade(t *testing.T, body string) string {
	t.Helper()
	status, answer := r.call("POST", "/profiles", body)
	if status != 201 {
		t.Fatalf("the profile was not made: %d %s", status, answer)
	}
	return answer
}

// TestForeignNumbers checks that numbers of another company's chats and messages lead nowhere.
func TestForeignNumbers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, crm.Line{})
		strange := crm.Line{LicenseID: crmtest.StrangeLicense, Messenger: "grWhatsApp"}
		in := crm.InboundRequest{Messages: []crm.InboundMessage{{
			ID: crm.MakeID("grWhatsApp", "3A01"), Chat: crm.InboundChat{ID: crm.MakeID("grWhatsApp", "351912000001")}, Message: crm.Content{Text: "Theirs"},
		}}}
		if _, err := r.IngestAs(t.Context(), r.Stranger, strange, in); err != nil {
			t.Fatal(err)
		}
		n, err := r.NumbersOf(t.Context(), r.Stranger, crm.ChatAddress{Line: strange, ChatID: "351912000001"}, "3A01")
		if err != nil || n.Chat == 0 || n.Message == 0 {
			t.Fatalf("the numbers are %+v, %v", n, err)
		}
		r.fails("GET", "/messages/conversation/"+multiwa.ConversationUUID(n.Chat), "", 404, "NOT_FOUND", "chat not found")
		r.fails("GET", "/conversations/"+multiwa.ConversationUUID(n.Chat), "", 404, "NOT_FOUND", "chat not found")
		for _, id := range []string{multiwa.MessageUUID(n.Message), multiwa.MessageUUID(n.Message + 1000)} {
			r.fails("POST", "/messages/reaction", `{"profileId":"`+r.profileOf(t, onGr)+`","messageId":"`+id+`","emoji":"x"}`, 404, "NOT_FOUND", "message not found")
		}
	})
}

// TestDailyLimit checks the answer to a message over the limit of a profile's day, which the
// next program on the same database keeps.
func TestDailyLimit(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, crm.Line{})
		r.World.Connect("grWhatsApp")
		profile := r.profileOf(t, onGr)
		device, number := "1", "351912000000"
		if err := r.SetLineState(t.Context(), onGr, crm.LineState{State: crm.StateConnected, Device: &device, Phone: &number}); err != nil {
			t.Fatal(err)
		}
		if status, answer := r.call("PUT", "/profiles/"+profile, `{"dailyMessageLimit":2}`); status != 200 {
			t.Fatalf("the limit was not set: %d %s", status, answer)
		}
		message := `{"profileId":"` + profile + `","to":"351912000001","text":"x"}`
		send := func() (int, string) { return r.call("POST", "/messages/text", message) }
		if status, answer := send(); status != 201 {
			t.Fatalf("the first: %d %s", status, answer)
		}
		again := crmtest.Reopen(t, store) // another program
		again.Connect("grWhatsApp")
		for i := range 2 {
			_, err := again.Send(t.Context(), again.Owner, crm.ChatAddress{Line: onGr, ChatID: "351912000002"}, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "x"}})
			var full *crm.Error
			if over := errors.As(err, &full) && full.Quota != nil; over != (i == 1) {
				t.Errorf("message %d of the other program: %v", i+1, err)
			}
		}
		const refused = `{"success":false,"statusCode":429,"message":"the line has sent 2 messages today, by UTC, and its limit is 2","error":"DAILY_LIMIT_REACHED","limit":2,"count":2,"resetAt":"2021-11-20T00:00:00Z"}`
		r.want("POST", "/messages/text", message, 429, refused)
		r.want("POST", "/messages/location", `{"profileId":"`+profile+`","to":"351912000001","latitude":1,"longitude":2}`, 429, refused)
		r.Clock.Set(crmtest.Start + 24*60*60)
		if status, answer := send(); status != 201 {
			t.Errorf("the next day: %d %s", status, answer)
		}
	})
}
