package multiwa_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/multiwa"
)

// rest is a program that calls the REST API with a key.
type rest struct {
	*harness
	t   *testing.T
	key string
}

// call calls a route under /api/v1, and returns the status and the body.
func (r *rest) call(method, path, body string) (int, string) {
	r.t.Helper()
	return r.callAt("/api/v1"+path, method, body, http.Header{"X-Api-Key": {r.key}})
}

func (r *rest) callAt(path, method, body string, header http.Header) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header = header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNotFound && !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		r.t.Errorf("%s %s is %s", method, path, res.Header.Get("Content-Type"))
	}
	return res.StatusCode, string(text)
}

// unstable matches what differs between two runs.
var unstable = regexp.MustCompile(`00000000-0000-8c0[cd]-8000-[0-9a-f]{12}|true_([^_"]+)_[0-9A-Z]{16,}|"timestamp":"20[^"]+"`)

func stable(text string) string {
	return unstable.ReplaceAllStringFunc(text, func(found string) string {
		switch {
		case strings.HasPrefix(found, "0"):
			return map[string]string{"c0c": "CONVERSATION", "c0d": "MESSAGE"}[found[15:18]]
		case strings.HasPrefix(found, "true_"):
			return found[:strings.LastIndexByte(found, '_')] + "_SENT"
		}
		return `"timestamp":"*"`
	})
}

// want calls a route and checks the answer. Members of objects in want stand there once.
func (r *rest) want(method, path, body string, status int, want string) (answer string) {
	r.t.Helper()
	got, answer := r.call(method, path, body)
	if strings.HasPrefix(want, "{") && status < 300 {
		want = multiwa.Union(want)
	}
	if got != status || stable(answer) != want {
		r.t.Errorf("%s %s %.200s\n got %d %s\nwant %d %s", method, path, body, got, stable(answer), status, want)
	}
	return answer
}

// fails calls a route and checks the error.
func (r *rest) fails(method, path, body string, status int, code, message string) {
	r.t.Helper()
	r.want(method, path, body, status, multiwa.Failed(status, code, message))
}

func newRest(t *testing.T, store *models.Store, on crm.Line, rights ...string) *rest {
	h := newHarness(t, store)
	return &rest{harness: h, t: t, key: h.key(t, on, rights...).Key}
}

// member returns a member of an answer.
func member(t *testing.T, answer, name string) string {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(answer), &object); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(object[name])
}

const sentAnswer = `{"messageId":"MESSAGE","waMessageId":"true_351912000001@c.us_SENT","conversationId":"CONVERSATION","status":"queued","timestamp":"*"}`

// TestSends sends a message of every kind, and checks what the rules have of it.
func TestSends(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr)
		profile := r.profileOf(t, onGr)
		r.say(t, onGr, "3A01", "Hello")
		to := func(more string) string {
			return `{"profileId":"` + profile + `","to":"+351 912-000-001",` + more + `}`
		}
		picture := base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n and more"))
		var last string
		for _, c := range []struct{ path, body, typ, content string }{
			{"text", to(`"text":"Hi <there>"`), "text", `{"text":"Hi <there>","caption":"","file":null}`},
			{"text", `{"to":"351912000001@c.us","text":"The key has one profile","quotedMessageId":"false_351912000001@c.us_3A01"}`, "text", ""},
			{"location", to(`"latitude":38.5,"longitude":-9.25,"name":"Here"`), "location", `{"text":"","caption":"","file":null,"location":{"latitude":38.5,"longitude":-9.25,"name":"Here","address":""}}`},
			{"contact", to(`"contacts":[{"name":"Bea","phone":"351912000002","email":"x@example.com"}]`), "contact", `{"text":"","caption":"","file":null,"contact":{"name":"Bea","phone":"351912000002"}}`},
			{"poll", to(`"question":"Lunch?","options":["Yes","No"],"allowMultipleAnswers":true`), "poll", `{"text":"","caption":"","file":null,"poll":{"question":"Lunch?","options":["Yes","No"],"multiple":true}}`},
			{"poll", to(`"question":"Lunch?","options":["Yes","No"]`), "poll", ""},
			{"reaction", `{"profileId":"` + profile + `","messageId":"false_351912000001@c.us_3A01","emoji":"👍"}`, "reaction", ""},
			{"reaction", `{"profileId":"` + profile + `","to":"351912000001","messageId":"3A01","emoji":""}`, "reaction", ""},
			{"reply", `{"profileId":"` + profile + `","quotedMessageId":"false_351912000001@c.us_3A01","text":"An answer"}`, "text", ""},
			{"image", to(`"url":"https://files.example/cat.jpg","caption":"A cat"`), "image", ""},
			{"image", to(`"base64":"` + picture + `","mimetype":"image/png","caption":"Small"`), "image", ""},
			{"image", to(`"base64":"data:image/png;base64,` + picture + `"`), "image", ""},
			{"video", to(`"url":"https://files.example/film.mp4"`), "video", ""},
			{"audio", to(`"url":"https://files.example/song.mp3"`), "audio", ""},
			{"audio", to(`"url":"https://files.example/voice.ogg","ptt":true`), "voice", ""},
			{"document", to(`"url":"https://files.example/x","filename":"bill.pdf","caption":"The bill"`), "document", ""},
		} {
			mark := r.Mark(t)
			last = r.want("POST", "/messages/"+c.path, c.body, 201, sentAnswer)
			events := r.EventsAfter(t, mark, crm.EventMessage)
			if len(events) != 1 {
				t.Errorf("%s %s: %d messages", c.path, c.body, len(events))
				continue
			}
			var item struct {
				Type    string
				Message json.RawMessage
				Created crm.IDRef
			}
			if err := json.Unmarshal(events[0].Items(t)[0], &item); err != nil {
				t.Fatal(err)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, item.Message); err != nil {
				t.Fatal(err)
			}
			got := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(compact.String())
			if item.Type != c.typ || c.content != "" && got != c.content || item.Created.ID == 0 {
				t.Errorf("%s %s: of type %s by %d: %s", c.path, c.body, item.Type, item.Created.ID, got)
			}
		}
		// By the id that this server gave.
		id := member(t, last, "messageId")
		r.want("POST", "/messages/reaction", `{"profileId":"`+profile+`","messageId":"`+id+`","emoji":"👍"}`, 201, sentAnswer)
		r.want("POST", "/messages/reply", `{"messageId":"x","quotedMessageId":"`+id+`","text":"Again"}`, 201, sentAnswer)
		r.want("POST", "/messages/mark-read", `{"profileId":"`+profile+`","chatId":"351912000001@c.us","messageIds":["x"]}`, 201, `{}`)
		r.want("POST", "/messages/typing", `{"profileId":"`+profile+`","to":"351912000001","state":"paused"}`, 201, `{}`)
		r.want("POST", "/messages/delete-for-everyone", `{"profileId":"`+profile+`","chatId":"351912000001@c.us","messageId":"`+id+`"}`, 201, `{}`)
		if n := len(r.Events(t, crm.EventMessageDelete)); n != 1 {
			t.Errorf("%d messages were deleted", n)
		}
	})
}

// TestSendTwice checks that the same request with an Idempotency-Key sends once.
func TestSendTwice(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr)
		header := http.Header{"Authorization": {"Bearer " + r.key}, "Idempotency-Key": {"one"}}
		_, first := r.callAt("/api/messages/text", "POST", `{"to":"351912000001","text":"Hi"}`, header)
		_, second := r.callAt("/api/v1/messages/text", "POST", `{"to":"351912000001","text":"Hi"}`, header)
		if member(t, first, "messageId") != member(t, second, "messageId") || len(r.Events(t, crm.EventMessage)) != 1 {
			t.Errorf("twice: %s and %s", first, second)
		}
	})
}

// TestBadRequests checks the answers to requests that are not served.
func TestBadRequests(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, crm.Line{})
		profile := r.profileOf(t, onGr)
		strange := r.profileOf(t, crm.Line{LicenseID: crmtest.StrangeLicense, Messenger: "grWhatsApp"})
		in := `"profileId":"` + profile + `","to":"351912000001"`
		for _, c := range []struct {
			path, body string
			status     int
			code, text string
		}{
			{"text", ``, 400, "VALIDATION_ERROR", "body must be JSON, but is empty"},
			{"text", `{`, 400, "VALIDATION_ERROR", "body must be a JSON object"},
			{"text", `[]`, 400, "VALIDATION_ERROR", "body must be a JSON object"},
			{"text", `{"to":5}`, 400, "VALIDATION_ERROR", "to must not be number"},
			{"text", `{` + in + `,"to":"1"}`, 400, "VALIDATION_ERROR", "to is given twice"},
			{"text", `{"to":"351912000001","text":"x"}`, 400, "VALIDATION_ERROR", "profileId is required"},
			{"text", `{"profileId":"` + profile + `","text":"x"}`, 400, "VALIDATION_ERROR", "to is required"},
			{"text", `{` + in + `}`, 400, "VALIDATION_ERROR", "text is required in a message of type text"},
			{"text", `{"profileId":"profile-123","to":"1","text":"x"}`, 404, "NOT_FOUND", "Profile not found"},
			{"text", `{"profileId":"` + strange + `","to":"351912000001","text":"x"}`, 404, "NOT_FOUND", "Profile not found"},
			{"text", `{` + in + `,"text":"x","quotedMessageId":"false_351912000001@c.us_3A99"}`, 400, "VALIDATION_ERROR", "quotedMessageId is not a message of this chat"},
			{"text", `{"profileId":"` + profile + `","to":"120363000000000001@g.us","text":"x"}`, 404, "NOT_FOUND", "chat not found"},
			{"location", `{` + in + `,"longitude":1}`, 400, "VALIDATION_ERROR", "latitude is required"},
			{"location", `{` + in + `,"latitude":1}`, 400, "VALIDATION_ERROR", "longitude is required"},
			{"contact", `{` + in + `,"contacts":[]}`, 400, "VALIDATION_ERROR", "contacts must be 1 to 10 contacts"},
			{"poll", `{` + in + `,"question":"x","options":["a"]}`, 400, "VALIDATION_ERROR", "options must be 2 to 12 texts"},
			{"reaction", `{` + in + `,"messageId":"x"}`, 400, "VALIDATION_ERROR", "emoji is required; empty takes the reaction off"},
			{"reaction", `{"profileId":"` + profile + `","messageId":"3A01","emoji":"x"}`, 400, "VALIDATION_ERROR", "messageId must have the chat in it, or be the id that this server gave to the message"},
			{"reaction", `{"profileId":"` + profile + `","messageId":"` + multiwa.MessageUUID(999) + `","emoji":"x"}`, 404, "NOT_FOUND", "message not found"},
			{"reply", `{` + in + `,"text":"x"}`, 400, "VALIDATION_ERROR", "quotedMessageId is required"},
			{"image", `{` + in + `}`, 400, "VALIDATION_ERROR", "url is required, or base64, and not both"},
			{"image", `{` + in + `,"base64":"%%"}`, 400, "VALIDATION_ERROR", "base64 must be a file as base64, or as a data URL"},
			{"image", `{` + in + `,"url":"ftp://x"}`, 400, "VALIDATION_ERROR", "url must be an http or https address without a password in it"},
			{"document", `{` + in + `,"url":"https://files.example/x"}`, 400, "VALIDATION_ERROR", "filename is required"},
			{"typing", `{` + in + `,"state":"dancing"}`, 400, "VALIDATION_ERROR", "state must be typing, composing, recording, paused or stop"},
			{"mark-read", `{"profileId":"` + profile + `"}`, 400, "VALIDATION_ERROR", "chatId is required"},
			{"mark-read", `{"profileId":"` + profile + `","chatId":"351912000001"}`, 404, "NOT_FOUND", "chat not found"},
			{"delete-for-everyone", `{"profileId":"` + profile + `","chatId":"351912000001"}`, 400, "VALIDATION_ERROR", "messageId is required"},
		} {
			r.fails("POST", "/messages/"+c.path, c.body, c.status, c.code, c.text)
		}
		for _, prefix := range multiwa.Prefixes {
			for _, header := range []http.Header{{}, {"X-Api-Key": {"wrong"}}, {"Authorization": {"Basic " + r.key}}, {"X-Api-Key": {r.Token(r.Owner)}}} {
				status, body := r.callAt(prefix+"/profiles?apiKey="+r.key, "GET", "", header)
				if status != 401 || body != `{"success":false,"statusCode":401,"message":"Invalid API key","error":{"code":"UNAUTHORIZED","message":"Invalid API key"}}` {
					t.Errorf("%v: %d %s", header, status, body)
				}
			}
			if status, body := r.callAt(prefix+"/health", "GET", "", nil); status != 200 || body != `{"success":true,"status":"ok","data":{"status":"ok"}}` {
				t.Errorf("health: %d %s", status, body)
			}
		}
		for _, path := range []string{"/accounts", "/bulk", "/broadcast/x", "/automation", "/autoreply", "/ai/x", "/templates", "/settings", "/uploads", "/integrations", "/statistics", "/audit", "/notifications", "/organizations", "/workspaces", "/rbac", "/auth/login", "/"} {
			r.fails("POST", path, "{}", 404, "NOT_FOUND", "Cannot POST /api/v1"+path)
		}
	})
}

// TestScopes checks that a key can do what it has the rights for, and where.
func TestScopes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr, crm.KeySend)
		other := r.profileOf(t, onOther)
		r.fails("POST", "/messages/text", `{"profileId":"`+other+`","to":"351912000001","text":"x"}`, 404, "NOT_FOUND", "Profile not found")
		r.want("POST", "/messages/text", `{"to":"351912000001","text":"x"}`, 201, sentAnswer)
		r.fails("GET", "/conversations", "", 403, "FORBIDDEN", "this key does not have the right read")
		r.key = r.harness.key(t, onGr, crm.KeyRead).Key
		r.fails("POST", "/messages/text", `{"to":"351912000001","text":"x"}`, 403, "FORBIDDEN", "this key does not have the right send")
		r.fails("POST", "/profiles/"+r.profileOf(t, onGr)+"/disconnect", ``, 403, "FORBIDDEN", "this key does not have the right manage")
	})
}

// TestLists checks the lists of messages, conversations and contacts.
func TestLists(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr)
		profile := r.profileOf(t, onGr)
		for i := range 5 {
			r.Clock.Set(crmtest.Start + int64(i)*10)
			r.say(t, onGr, fmt.Sprint("3A0", i), fmt.Sprint("Text ", i))
		}
		r.Clock.Set(crmtest.Start + 100)
		sent := r.want("POST", "/messages/text", `{"to":"351912000002","text":"To Bea"}`, 201, strings.ReplaceAll(sentAnswer, "0001@", "0002@"))
		ofBea := member(t, sent, "conversationId")
		incoming := func(i int) string {
			return fmt.Sprintf(`{"id":"false_351912000001@c.us_3A0%d","from":"351912000001@c.us","to":"","body":"Text %d","type":"chat","timestamp":"*","hasMedia":false,"fromMe":false,`+
				`"pushName":"Ana","isGroup":false,"messageId":"MESSAGE","conversationId":"CONVERSATION","profileId":"%s","direction":"incoming"}`, i, i, profile)
		}
		outgoing := `{"id":"true_351912000002@c.us_SENT","from":"","to":"351912000002@c.us","body":"To Bea","type":"chat","timestamp":"*","hasMedia":false,"fromMe":true,` +
			`"pushName":"Test","isGroup":false,"messageId":"MESSAGE","conversationId":"CONVERSATION","profileId":"` + profile + `","direction":"outgoing","status":"pending","ack":0}`
		list := func(items ...string) string { return "[" + strings.Join(items, ",") + "]" }
		r.want("GET", "/messages/profile/"+profile, "", 200, list(outgoing, incoming(4), incoming(3), incoming(2), incoming(1), incoming(0)))
		r.want("GET", "/messages/profile/"+profile+"?limit=2&offset=1", "", 200, list(incoming(4), incoming(3)))
		r.want("GET", "/messages/profile/"+profile+"?direction=outgoing", "", 200, list(outgoing))
		r.want("GET", "/messages/profile/"+profile+"?direction=inbound&limit=1", "", 200, list(incoming(4)))
		r.want("GET", "/messages/profile/"+profile+"?type=image", "", 200, "[]")
		r.want("GET", "/messages/profile/"+profile+"?offset=50", "", 200, "[]")
		r.want("GET", "/messages/conversation/"+ofBea, "", 200, list(outgoing))
		ofAna := r.want("GET", "/messages/conversation/351912000001@c.us?profileId="+profile+"&limit=2", "", 200, list(incoming(4), incoming(3)))
		var two []struct{ MessageID, ConversationID string }
		if err := json.Unmarshal([]byte(ofAna), &two); err != nil {
			t.Fatal(err)
		}
		r.want("GET", "/messages/conversation/"+two[0].ConversationID+"?before="+two[1].MessageID, "", 200, list(incoming(2), incoming(1), incoming(0)))
		r.want("GET", "/messages/conversation/"+two[0].ConversationID+"?before=2021-11-19T10:55:10Z", "", 200, list(incoming(0)))
		r.fails("GET", "/messages/conversation/"+two[0].ConversationID+"?before=x", "", 400, "VALIDATION_ERROR", "before must be the messageId of a message of the conversation, or a time such as 2026-03-01T09:00:00Z")
		r.fails("GET", "/messages/conversation/"+multiwa.ConversationUUID(12345), "", 404, "NOT_FOUND", "chat not found")
		r.fails("GET", "/messages/profile/"+profile+"?limit=0", "", 400, "VALIDATION_ERROR", "limit must be from 1 to 100")
		r.fails("GET", "/messages/profile/"+profile+"?offset=950&limit=100", "", 400, "VALIDATION_ERROR", "offset and limit together must be at most 1000: older messages are in their conversations")
		r.fails("GET", "/messages/profile/"+profile+"?direction=up", "", 400, "VALIDATION_ERROR", "direction must be incoming or outgoing")

		ana := `{"id":"CONVERSATION","profileId":"` + profile + `","chatId":"351912000001@c.us","name":"Ana","phone":"351912000001","isGroup":false,"unreadCount":5,"profilePicUrl":null,` +
			`"lastMessageAt":"2021-11-19T10:55:40.000Z","lastMessage":{"id":"false_351912000001@c.us_3A04","body":"Text 4","type":"chat","fromMe":false,"timestamp":"*"}}`
		bea := `{"id":"CONVERSATION","profileId":"` + profile + `","chatId":"351912000002@c.us","name":"351912000002","phone":"351912000002","isGroup":false,"unreadCount":0,"profilePicUrl":null,` +
			`"lastMessageAt":"2021-11-19T10:56:40.000Z","lastMessage":{"id":"true_351912000002@c.us_SENT","body":"To Bea","type":"chat","fromMe":true,"timestamp":"*"}}`
		r.want("GET", "/conversations?profileId="+profile, "", 200, list(bea, ana))
		r.want("GET", "/conversations?offset=1", "", 200, list(ana))
		r.want("GET", "/conversations?search=Ana", "", 200, list(ana))
		r.want("GET", "/conversations/"+two[0].ConversationID, "", 200, ana)

		contact := `{"id":"351912000001@c.us","profileId":"` + profile + `","name":"Ana","pushName":"Ana","phone":"351912000001","profilePicUrl":null,"isBlocked":false,"createdAt":"2021-11-19T10:55:00.000Z"}`
		r.want("GET", "/contacts?search=Ana", "", 200, list(contact))
		r.want("GET", "/contacts/351912000001@c.us", "", 200, contact)
		r.want("GET", "/contacts/+351912000001?profileId="+profile, "", 200, contact)
		r.fails("GET", "/contacts/351912000099", "", 404, "NOT_FOUND", "contact not found")
		r.want("PUT", "/contacts/351912000001", `{"name":"Ana of Porto"}`, 200, strings.ReplaceAll(contact, `"Ana"`, `"Ana of Porto"`))
		r.want("POST", "/contacts", `{"phone":"+351 912 000 003","name":"Carl"}`, 201,
			strings.NewReplacer(`"Ana"`, `"Carl"`, "0001", "0003", "55:00", "56:40").Replace(contact))
		r.fails("POST", "/contacts/validate", `{"phones":[]}`, 400, "VALIDATION_ERROR", "phones must be a list of phone numbers")
		r.fails("POST", "/contacts/validate", `{"phones":["351912000001"]}`, 409, "CONFLICT", "lines of this type have no account that could ask about numbers")
	})
}
