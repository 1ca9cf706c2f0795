package api_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

const annChat = line + "/chats/79990001122"

// ask sends a request with headers, given as key and value in turn.
func (r routes) ask(who crm.Actor, request string, body []byte, headers ...string) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(request, " ")
	req := httptest.NewRequest(method, path, bytes.NewReader(body))
	if who != (crm.Actor{}) {
		req.Header.Set("Authorization", r.Token(who))
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	r.handler.ServeHTTP(rec, req)
	return rec
}

// TestMessageRoutes calls every route of messages once.
func TestMessageRoutes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRoutes(t, store)
		var inbound crm.InboundAnswer
		r.data(t, r.Owner, "POST "+line+"/inbound", `{"messages":[{"id":"IN1","chat":{"id":"79990001122@c.us"},"fromUser":{"id":"79990001122","name":"Ann"},"time":1637319290,"type":"text","message":{"text":"Hi"}}]}`, &inbound)
		if m := inbound.Messages[0]; m.Result != "accepted" || m.ChatID != "79990001122@c.us" || len(inbound.Statuses) != 0 {
			t.Errorf("inbound %+v", inbound)
		}
		var sent struct {
			ID     string `json:"id"`
			ChatID string `json:"chatId"`
		}
		ids := map[string]bool{}
		for _, step := range []struct{ kind, body string }{
			{"text", `{"text":"Hello","parseMode":"plain","tracking":"t1","quotedMessageId":"IN1","sender":"system"}`},
			{"location", `{"latitude":0,"longitude":0,"name":"Null Island"}`},
			{"contact", `{"name":"Bob","phone":"+1555"}`},
			{"poll", `{"question":"Tea?","options":["yes","no"],"multiple":true}`},
			{"reaction", `{"messageId":"IN1","emoji":"👍"}`},
			{"file", `{"file":"https://example.com/cat.png","caption":"Look"}`},
			{"file", `{"file":"https://example.com/x","fileName":"report.pdf","tracking":"t2"}`},
			{"file", `{"file":"https://example.com/cat.webp","type":"sticker"}`},
			{"file", `{"file":"https://example.com/hello","type":"voice"}`},
			{"text", `{"text":"<b>Hello</b>","parseMode":"html"}`},
		} {
			r.data(t, r.Operator, "POST "+annChat+"/messages/"+step.kind, step.body, &sent)
			if sent.ID == "" || ids[sent.ID] || sent.ChatID != "79990001122@c.us" {
				t.Errorf("%s: %+v", step.kind, sent)
			}
			ids[sent.ID] = true
		}
		r.data(t, r.Operator, "POST "+annChat+"/messages/text", `{"text":"Oops @79990003344","mentions":["79990003344",79990005566]}`, &sent)
		var item crm.HistoryItem
		r.data(t, r.Operator, "PATCH "+annChat+"/messages/"+sent.ID, `{"text":"Better"}`, &item)
		r.data(t, r.Operator, "DELETE "+annChat+"/messages/"+sent.ID, "", nil)
		r.data(t, r.Owner, "POST "+line+"/inbound", fmt.Sprintf(`{"statuses":[{"id":%q,"chat":"79990001122","type":"viewed"}]}`, sent.ID), &inbound)
		var chat crm.ChatData
		r.data(t, r.Operator, "PATCH "+annChat+"/read", "", &chat)
		r.data(t, r.Operator, "POST "+annChat+"/typing", `{"type":"voice"}`, nil)
		var page crm.Page[crm.HistoryItem]
		r.data(t, r.Reader, "GET "+annChat+"/messages?limit=2", "", &page)
		if len(page.Items) != 2 || page.NextPage == nil || page.Items[0].Status != "viewed" || page.Items[0].InternalID == 0 || page.Items[0].DeletedAt == nil {
			t.Errorf("page %+v", page)
		}
		r.data(t, r.Reader, "GET "+annChat+"/messages?limit=100&nextPage="+url.QueryEscape(*page.NextPage), "", &page)
		if len(page.Items) != 10 || page.NextPage != nil {
			t.Errorf("second page: %d items", len(page.Items))
		}
		r.data(t, r.Reader, fmt.Sprintf("GET %s/messages?direction=next&lastTime=%d&lastInternalId=%d", annChat, page.Items[9].Time, page.Items[9].InternalID), "", &page)
		if len(page.Items) != 11 {
			t.Errorf("after the first: %d items", len(page.Items))
		}
		var status crm.LineStatus
		r.data(t, r.Reader, "GET "+line+"/status", "", &status)
		if !status.Connected || status.Via != "bridge" {
			t.Errorf("status %+v", status)
		}
		for _, request := range []string{"POST " + line + "/connect", "GET " + line + "/qr", "POST " + line + "/pairingCode", "DELETE " + line + "/session"} {
			if code, body := r.do(r.Owner, request, `{"phone":"79990001122"}`); code != http.StatusServiceUnavailable || !strings.Contains(body, "ApiUnavailableError") {
				t.Errorf("%s: %d %s", request, code, body)
			}
		}
	})
}

func TestBadMessagesHaveClearAnswers(t *testing.T) {
	const text = "/messages/text"
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRoutes(t, store)
		for _, test := range []struct {
			request, body string
			status        int
			want          string
		}{
			{"POST " + annChat + text, ``, 422, `"body"`},
			{"POST " + annChat + text, `{`, 422, `"body"`},
			{"POST " + annChat + "/messages/reaction", `{"messageId":"IN1","reaction":"x"}`, 422, `"emoji":"is required; empty takes the reaction off"`},
			{"POST " + annChat + text, `{"text":"Hi","mentions":"all"}`, 422, `"mentions":"must be an array, not string"`},
			{"POST " + annChat + text, `{"text":"Hi","mentions":["79990003344","bob"]}`, 422, `"mentions[1]":"must be a phone number`},
			{"POST " + annChat + text, `{"text":1}`, 422, `"text":"must be a string, not number"`},
			{"POST " + annChat + text, `{"text":"a\u0000"}`, 422, `"text"`},
			{"POST " + annChat + text, "{\"text\":\"a\xff\"}", 422, `"body":"must be valid UTF-8"`},
			{"POST " + annChat + text, `{"text":"a","quotedMessageId":{}}`, 422, `"quotedMessageId":"must be a string, not object"`},
			{"POST " + annChat + text, `{"text":"` + strings.Repeat("x", 1<<20) + `"}`, 413, `ApiTooLargeError`},
			{"POST " + line + "/chats/abc" + text, `{"text":"a"}`, 422, `"chatId"`},
			{"POST " + line + "/chats/79990001122%00" + text, `{"text":"a"}`, 422, `"chatId"`},
			{"POST " + line + "/chats/" + strings.Repeat("7", 200) + text, `{"text":"a"}`, 422, `"chatId"`},
			{"POST /v1/licenses/99999999999999999999/messengers/grWhatsApp/chats/79990001122" + text, `{"text":"a"}`, 404, `ApiNotFoundError`},
			{"POST /v1/licenses/1229/messengers/%00/chats/79990001122" + text, `{"text":"a"}`, 404, `ApiNotFoundError`},
			{"POST /v1/licenses/3001/messengers/grWhatsApp/chats/79990001122" + text, `{"text":"a"}`, 404, `ApiNotFoundError`},
			{"POST " + annChat + "/messages/poll", `{"question":"?","options":[1]}`, 422, `"options":"must be a string, not number"`},
			{"POST " + annChat + "/messages/file", `{"file":1}`, 422, `"file":"must be a string, not number"`},
			{"POST " + annChat + "/messages/location", `{"longitude":1}`, 422, `"latitude"`},
			{"POST " + annChat + "/messages/file", `{}`, 422, `"file"`},
			{"POST " + annChat + "/typing", `{"type":"dance"}`, 422, `"type"`},
			{"PATCH " + annChat + "/messages/x", `{"text":"a"}`, 404, `ApiNotFoundError`},
			{"PATCH " + annChat + "/messages/%00", `{"text":"a"}`, 422, `"messageId"`},
			{"GET " + annChat + "/messages?lastTime=x", ``, 422, `"lastTime"`},
			{"GET " + annChat + "/messages?lastInternalId=99999999999999999999", ``, 422, `"lastInternalId"`},
			{"POST " + line + "/inbound", `{"messages":{}}`, 422, `"messages":"must be an array, not object"`},
			{"POST " + line + "/inbound", `{"messages":[null]}`, 422, `"messages[0]"`},
			{"POST " + line + "/inbound", `{"messages":[{"id":"1"},{"id":"2","chat":{"id":[]}}]}`, 422, `"messages[1].chat.id":"must be a string, not array"`},
			{"POST " + line + "/inbound", `{"messages":[{"id":1.5}]}`, 422, `"messages[0].id"`},
			{"POST " + line + "/inbound", `{"messages":[{"id":"1","message":{"file":{"size":"big"}}}]}`, 422, `"messages[0].message.file.size":"must be an integer, not string"`},
			{"POST " + line + "/inbound", `{"messages":[{"id":"1","time":9999999999999999999}]}`, 422, `"messages[0].time"`},
			{"POST " + line + "/inbound", `{"statuses":[{"id":"1","chat":"79990001122","type":"sent","time":"now"}]}`, 422, `"statuses[0].time":"must be an integer, not string"`},
			{"POST " + line + "/inbound", `{"messages":[` + strings.Repeat(`{},`, 100) + `{}]}`, 422, `"messages"`},
			{"GET " + line + "/files/x", ``, 404, `ApiNotFoundError`},
			{"GET " + line + "/files/x?signature=0", ``, 403, `ApiAccessDeniedError`},
		} {
			status, body := r.do(r.Owner, test.request, test.body)
			if status != test.status || !strings.Contains(body, test.want) {
				t.Errorf("%s %.60s: %d %s; want %d with %s", test.request, test.body, status, body, test.status, test.want)
			}
		}
		if events := r.Events(t); len(events) != 0 {
			t.Errorf("events %v", events)
		}
		for _, request := range []string{"POST " + annChat + text, "POST " + line + "/inbound", "GET " + line + "/files/x", "GET " + annChat + "/messages"} {
			if status, body := r.do(crm.Actor{}, request, `{}`); status != http.StatusUnauthorized {
				t.Errorf("%s without a token: %d %s", request, status, body)
			}
		}
	})
}

func TestIdempotencyKeyHeader(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRoutes(t, store)
		post := func(body string) *httptest.ResponseRecorder {
			return r.ask(r.Operator, "POST "+annChat+"/messages/text", []byte(body), "Idempotency-Key", `"8e03978e-40d5"`)
		}
		first, again := post(`{"text":"Hello"}`), post(`{"text":"Hello"}`)
		if first.Code != 200 || again.Code != 200 || again.Body.String() != first.Body.String() {
			t.Errorf("first %d %s, again %d %s", first.Code, first.Body, again.Code, again.Body)
		}
		if other := post(`{"text":"Other"}`); other.Code != http.StatusConflict || !strings.Contains(other.Body.String(), "ApiConflictError") {
			t.Errorf("another request: %d %s", other.Code, other.Body)
		}
		if n := len(r.Events(t, "message")); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
}

// form returns a multipart body of fields, given as name and value in turn. A name that
// begins with @ is the name of a file in the field file.
func form(t *testing.T, fields ...string) (body []byte, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		if name, isFile := strings.CutPrefix(fields[i], "@"); isFile {
			part, err := w.CreateFormFile("file", name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := part.Write([]byte(fields[i+1])); err != nil {
				t.Fatal(err)
			}
		} else if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), w.FormDataContentType()
}

func TestFileRoutes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRoutes(t, store)
		body, kind := form(t, "caption", "Look", "@кот.html", "<script>alert(1)</script>", "fileName", "кот.html", "tracking", "t1")
		if rec := r.ask(r.Operator, "POST "+annChat+"/messages/file", body, "Content-Type", kind); rec.Code != 200 {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		var page crm.Page[crm.HistoryItem]
		r.data(t, r.Reader, "GET "+annChat+"/messages", "", &page)
		file := page.Items[0].Message.File
		if page.Items[0].Message.Caption != "Look" || file.Name != "кот.html" || *file.Size != 25 {
			t.Errorf("message %+v, file %+v", page.Items[0].Message, file)
		}
		path, _, _ := strings.Cut(file.Link, "?")
		for name, rec := range map[string]*httptest.ResponseRecorder{
			"signed link": r.ask(crm.Actor{}, "GET "+file.Link, nil),
			"token":       r.ask(r.Reader, "GET "+path, nil),
			"a part":      r.ask(r.Reader, "GET "+path, nil, "Range", "bytes=0-7"),
			"HEAD":        r.ask(crm.Actor{}, "HEAD "+file.Link, nil),
		} {
			h := rec.Header()
			want := map[string]string{"a part": "<script>", "HEAD": ""}
			text, special := want[name]
			if !special {
				text = "<script>alert(1)</script>"
			}
			if rec.Body.String() != text || rec.Code != map[bool]int{true: 206, false: 200}[name == "a part"] {
				t.Errorf("%s: %d %q", name, rec.Code, rec.Body)
			}
			if !strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") || h.Get("X-Content-Type-Options") != "nosniff" ||
				!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
				t.Errorf("%s: headers %v", name, h)
			}
		}
		if rec := r.ask(r.Stranger, "GET "+path, nil); rec.Code != http.StatusNotFound {
			t.Errorf("a stranger: %d %s", rec.Code, rec.Body)
		}
	})
}

func TestBadFormsHaveClearAnswers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRoutes(t, store)
		r.MaxFile = 1000
		var many []string
		for range 20 {
			many = append(many, "x", "y")
		}
		for name, test := range map[string]struct {
			fields []string
			status int
			want   string
		}{
			"nothing":        {nil, 422, `"file"`},
			"no file":        {[]string{"caption", "x"}, 422, `"file"`},
			"too large":      {[]string{"@a", strings.Repeat("x", 1001)}, 413, "1000 bytes"},
			"two files":      {[]string{"@a", "x", "@b", "y"}, 422, `"file":"is given twice"`},
			"two captions":   {[]string{"@a", "x", "caption", "y", "caption", "z"}, 422, `"caption":"is given twice"`},
			"a file, a link": {[]string{"@a", "x", "file", "https://example.com/a.png"}, 422, `"file":"is given twice"`},
			"NUL":            {[]string{"@a", "x", "caption", "\x00"}, 422, `"caption"`},
			"not UTF-8":      {[]string{"@a", "x", "caption", "\xff"}, 422, `"caption"`},
			"a long caption": {[]string{"@a", "x", "caption", strings.Repeat("x", 70000)}, 422, `"caption"`},
			"many parts":     {many, 422, "parts"},
			"empty file":     {[]string{"@a", ""}, 422, `"file":"is empty"`},
			"unknown quoted": {[]string{"@a", "x", "quotedMessageId", "NONE"}, 422, `"quotedMessageId"`},
		} {
			body, kind := form(t, test.fields...)
			rec := r.ask(r.Operator, "POST "+annChat+"/messages/file", body, "Content-Type", kind)
			if rec.Code != test.status || !strings.Contains(rec.Body.String(), test.want) {
				t.Errorf("%s: %d %s; want %d with %s", name, rec.Code, rec.Body, test.status, test.want)
			}
		}
		cut, kind := form(t, "@a", strings.Repeat("x", 900))
		for name, rec := range map[string]*httptest.ResponseRecorder{
			"cut off":     r.ask(r.Operator, "POST "+annChat+"/messages/file", cut[:500], "Content-Type", kind),
			"no boundary": r.ask(r.Operator, "POST "+annChat+"/messages/file", cut, "Content-Type", "multipart/form-data"),
		} {
			if rec.Code != 422 {
				t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
			}
		}
		body, kind := form(t, "file", "https://example.com/a.png")
		if rec := r.ask(r.Operator, "POST "+annChat+"/messages/file", body, "Content-Type", kind); rec.Code != 200 {
			t.Errorf("a link in a form: %d %s", rec.Code, rec.Body)
		}
		if n := len(r.Events(t, "message")); n != 1 {
			t.Errorf("%d messages, want the last alone", n)
		}
	})
}
