package api_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/api"
	"chatcast/server/api/apitest"
)

const line = "/v1/licenses/1229/messengers/grWhatsApp"

// routes serves the API over a world.
type routes struct {
	*crmtest.World
	handler http.Handler
}

func newRoutes(t *testing.T, store *models.Store) routes {
	t.Helper()
	gin.SetMode(gin.TestMode)
	w := crmtest.New(t, store)
	engine := gin.New()
	(&api.API{CRM: w.Service, Log: slog.New(slog.DiscardHandler)}).Register(engine)
	return routes{World: w, handler: apitest.Documented(t, engine, nil)}
}

// do sends a request such as "PUT /path" as who and returns the status and the body.
func (r routes) do(who crm.Actor, request, body string) (int, string) {
	method, path, _ := strings.Cut(request, " ")
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if who != (crm.Actor{}) {
		req.Header.Set("Authorization", r.Token(who))
	}
	rec := httptest.NewRecorder()
	r.handler.ServeHTTP(rec, req)
	return rec.Code, strings.TrimSpace(rec.Body.String())
}

// data sends a request as who, requires success, and decodes the answer's data.
func (r routes) data(t *testing.T, who crm.Actor, request, body string, dst any) {
	t.Helper()
	status, text := r.do(who, request, body)
	answer := struct {
		Success bool
		Data    any
	}{Data: dst}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != 200 || !answer.Success {
		t.Fatalf("%s %s: %d %s (%v)", request, body, status, text, err)
	}
}

// TestCatalogueAndChatRoutes calls every route once, as an owner would.
func TestCatalogueAndChatRoutes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRoutes(t, store)
		var category crm.CategoryData
		r.data(t, r.Owner, "POST /v1/tags/categories", `{"name":"Kind"}`, &category)
		r.data(t, r.Owner, fmt.Sprintf("PATCH /v1/tags/categories/%d", category.ID), `{"sort":5}`, &category)
		if category.Name != "Kind" || category.Sort != 5 {
			t.Errorf("category %+v", category)
		}
		var tag crm.TagData
		r.data(t, r.Owner, "POST /v1/tags", fmt.Sprintf(`{"name":"VIP","color":"#123df55","categoryId":%d,"unknown":1}`, category.ID), &tag)
		r.data(t, r.Operator, fmt.Sprintf("GET /v1/tags/%d", tag.ID), "", &tag)
		if tag.Color != "#123df55" || tag.Category == nil || tag.Category.ID != category.ID {
			t.Errorf("tag %+v", tag)
		}
		var level crm.LevelData
		r.data(t, r.Owner, "POST /v1/levels", `{"name":"New","companyId":2224}`, &level)
		r.data(t, r.Owner, fmt.Sprintf("PUT /v1/levels/%d", level.ID), `{"name":"Newer"}`, &level)

		var chat crm.ChatData
		r.data(t, r.Owner, "POST "+line+"/chats", `{"phone":"79990001122"}`, &chat)
		at := line + "/chats/79990001122" // the bare phone
		for _, step := range []struct{ request, body string }{
			{"POST " + at + "/tags", fmt.Sprintf(`{"tagId":%d}`, tag.ID)},
			{"PUT " + at + "/level", fmt.Sprintf(`{"id":%d}`, level.ID)},
			{"PUT " + at + "/responsible", `{"id":687}`},
			{"PUT " + at + "/responsible/pin", `{"type":"pin"}`},
			{"PUT " + at + "/producer", `{"id":686}`},
			{"POST " + at + "/accomplices", `{"id":687}`},
			{"POST " + at + "/auditors", `{"id":688}`},
			{"PUT " + at + "/process", `{"process":"inWork"}`},
		} {
			r.data(t, r.Operator, step.request, step.body, &chat)
		}
		got, err := json.Marshal(chat)
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf(`"status":"open","responsible":{"id":687},"pin":true,"producer":{"id":686},"accomplices":[{"id":687}],`+
			`"auditors":[{"id":688}],"level":{"id":%d,"name":"Newer","sort":100},"process":"inWork","tags":[{"id":%d,"name":"VIP"`, level.ID, tag.ID)
		if !strings.Contains(string(got), want) {
			t.Errorf("the chat is\n%s, want in it\n%s", got, want)
		}
		var page crm.Page[crm.ChatData]
		q := fmt.Sprintf("?limit=1&status=open&responsibleId=687&tagId=%d&unread=false&lastTime=%d&search=7999", tag.ID, crmtest.Start)
		r.data(t, r.Operator, "GET "+line+"/chats"+q, "", &page)
		if len(page.Items) != 1 || page.Items[0].ID != "79990001122@c.us" || page.NextPage != nil {
			t.Errorf("the list: %+v", page)
		}
		r.data(t, r.Operator, "GET /v1/chats?responsibleId=none", "", &page)
		if len(page.Items) != 0 {
			t.Errorf("the chats of no one: %+v", page)
		}
		for _, step := range []struct{ request, body string }{
			{fmt.Sprintf("DELETE %s/tags/%d", at, tag.ID), ""},
			{"DELETE " + at + "/accomplices/687", ""},
			{"DELETE " + at + "/auditors/688", ""},
			{"PUT " + at + "/producer", `{"id":null}`},
			{"PUT " + at + "/process", `{"process":null}`},
			{"PUT " + at + "/responsible", `{"id":null}`},
			{"PUT " + at + "/status", `{"type":"close"}`},
			{"GET " + line + "/chats/79990001122@s.whatsapp.net", ""},
		} {
			chat = crm.ChatData{}
			r.data(t, r.Operator, step.request, step.body, &chat)
		}
		if chat.Status != "close" || chat.Level != nil || chat.Pin || chat.Responsible != nil || chat.Producer != nil ||
			chat.Process != nil || len(chat.Tags)+len(chat.Accomplices)+len(chat.Auditors) != 0 {
			t.Errorf("the chat in the end: %+v", chat)
		}
		var contacts crm.Page[crm.ContactData]
		r.data(t, r.Operator, "GET "+line+"/contacts?limit=5", "", &contacts)

		var gone crm.IDRef
		r.data(t, r.Owner, fmt.Sprintf("DELETE /v1/tags/%d", tag.ID), "", &gone)
		r.data(t, r.Owner, fmt.Sprintf("DELETE /v1/tags/categories/%d", category.ID), "", &gone)
		r.data(t, r.Owner, fmt.Sprintf("DELETE /v1/levels/%d", level.ID), "", &gone)
		for _, path := range []string{"/v1/tags", "/v1/tags/categories", "/v1/levels"} {
			if status, text := r.do(r.Operator, "GET "+path, ""); status != 200 || text != `{"success":true,"data":{"items":[],"nextPage":null}}` {
				t.Errorf("%s in the end: %d %s", path, status, text)
			}
		}
	})
}

func TestQuickResponseRoutes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRoutes(t, store)
		var list crm.QuickListData
		r.data(t, r.Owner, "POST /v1/quickResponseLists", `{"name":"L","access":[{"userId":"687","permission":"w"},{"userId":688,"permission":"r"}]}`, &list)
		at := fmt.Sprintf("/v1/quickResponseLists/%d", list.ID)
		r.data(t, r.Operator, "PATCH "+at, `{"sort":1}`, &list)
		if len(list.Access) != 3 || list.Access[0].UserID != "685" || list.Access[0].Permission != "w" || list.Sort != 1 {
			t.Errorf("the list: %+v", list)
		}
		var a, b, c crm.QuickResponseData
		r.data(t, r.Operator, "POST "+at+"/quickResponses", `{"name":"a","text":"Hello","keywords":"hi","enableAI":true}`, &a)
		r.data(t, r.Operator, "POST "+at+"/quickResponses", fmt.Sprintf(`{"name":"b","parent":%d}`, a.ID), &b)
		r.data(t, r.Operator, "POST "+at+"/quickResponses", `{"name":"c"}`, &c)
		r.data(t, r.Operator, fmt.Sprintf("PUT %s/quickResponses/%d", at, b.ID), `{"text":"Bye","parent":null}`, &b)
		r.data(t, r.Reader, fmt.Sprintf("GET %s/quickResponses/%d", at, b.ID), "", &b)
		if b.Text != "Bye" || b.Parent != nil || b.Name != "b" {
			t.Errorf("a response: %+v", b)
		}
		var gone struct {
			ID  int64
			IDs []int64
		}
		r.data(t, r.Operator, fmt.Sprintf("DELETE %s/quickResponses/%d", at, a.ID), "", &gone)
		r.data(t, r.Operator, "DELETE "+at+"/quickResponses", fmt.Sprintf(`{"ids":[%d,%d]}`, b.ID, c.ID), &gone)
		if gone.ID != a.ID || len(gone.IDs) != 2 {
			t.Errorf("deleted %+v", gone)
		}
		if status, text := r.do(r.Reader, "GET "+at+"/quickResponses", ""); status != 200 || text != `{"success":true,"data":{"items":[],"nextPage":null}}` {
			t.Errorf("responses in the end: %d %s", status, text)
		}
		r.data(t, r.Owner, "DELETE "+at, "", &gone)
		var page crm.Page[crm.QuickListData]
		r.data(t, r.Owner, "GET /v1/quickResponseLists?companyId=2224", "", &page)
		if len(page.Items) != 0 {
			t.Errorf("lists in the end: %+v", page)
		}
	})
}

// TestBadRequests checks that each bad request gets a typed error that names the cause,
// and changes nothing.
func TestBadRequests(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRoutes(t, store)
		var list crm.QuickListData
		r.data(t, r.Owner, "POST /v1/quickResponseLists", `{"name":"L"}`, &list)
		var chat crm.ChatData
		r.data(t, r.Owner, "POST "+line+"/chats", `{"phone":"79990001122"}`, &chat)
		mark := r.Mark(t)
		at, quick := line+"/chats/79990001122", fmt.Sprintf("/v1/quickResponseLists/%d", list.ID)
		for _, test := range []struct {
			request, body string
			status        int
			want          string // in the answer
		}{
			{"PUT " + at + "/status", ``, 422, `"body":"must be JSON, but is empty"`},
			{"PUT " + at + "/status", `{"type":`, 422, `"body":"must be JSON`},
			{"PUT " + at + "/status", `{"type":"close","type":"open"}`, 422, `"type":"is given twice"`},
			{"PUT " + at + "/status", `{"type":"close","Type":"open"}`, 422, `"type":"is given twice"`},
			{"PATCH " + quick, `{"access":[{"userId":"687","permission":"r","permission":"w"}]}`, 422, `"access[0].permission":"is given twice"`},
			{"POST " + line + "/inbound", `{"messages":[{"id":"1","chat":{"id":"7","id":"8"},"message":{"text":"Hi"}}]}`, 422, `"messages[0].chat.id":"is given twice"`},
			{"PUT " + at + "/status", `[]`, 422, `"body":"must be an object, not array"`},
			{"PUT " + at + "/status", `{"type":1}`, 422, `"type":"must be a string, not number"`},
			{"PUT " + at + "/status", `{"type":"shut"}`, 422, `"type":"must be open or close"`},
			{"PUT " + at + "/status", "{\"type\":\"\xff\"}", 422, `"body":"must be valid UTF-8"`},
			{"PUT " + at + "/status", `{"type":"` + strings.Repeat("a", 1<<20) + `"}`, 413, `"ApiTooLargeError"`},
			{"PUT " + at + "/responsible", `{"id":"687"}`, 422, `"id":"must be an integer, not string"`},
			{"PUT " + at + "/responsible", `{"id":1.5}`, 422, `"id":"must be an integer, not number`},
			{"PUT " + at + "/responsible", `{"id":99999999999999999999}`, 422, `"id":"must be an integer, not number`},
			{"PUT " + at + "/responsible", `{}`, 422, `"id":"is required (null unassigns)"`},
			{"PUT " + at + "/responsible/pin", `{"type":"pin"}`, 409, `"ApiConflictError"`},
			{"PUT " + at + "/process", `{"process":"late"}`, 422, `"process":"must be inWork or null"`},
			{"POST " + at + "/tags", `{"tagId":null}`, 422, `"tagId":"is required"`},
			{"POST " + at + "/tags", `{"tagId":4611686018427387904}`, 404, `"tag not found"`},
			{"DELETE " + at + "/tags/99999999999999999999", ``, 404, `"ApiNotFoundError"`},
			{"DELETE " + at + "/auditors/x", ``, 404, `"ApiNotFoundError"`},
			{"GET /v1/licenses/99999999999999999999/messengers/grWhatsApp/chats", ``, 404, `"ApiNotFoundError"`},
			{"GET /v1/licenses/0x4cd/messengers/grWhatsApp/chats", ``, 404, `"ApiNotFoundError"`},
			{"GET /v1/licenses/1229/messengers/gr%00/chats", ``, 404, `"ApiNotFoundError"`},
			{"GET /v1/licenses/1229/messengers/icq/chats", ``, 404, `"ApiNotFoundError"`},
			{"GET " + line + "/chats/7%00", ``, 422, `"chatId"`},
			{"GET " + line + "/chats/" + strings.Repeat("7", 500), ``, 422, `"chatId"`},
			{"GET " + line + "/chats?limit=0", ``, 422, `"limit":"must be from 1 to 100"`},
			{"GET " + line + "/chats?limit=101", ``, 422, `"limit":"must be from 1 to 100"`},
			{"GET " + line + "/chats?limit=9999999999999999999999", ``, 422, `"limit":"must be from 1 to 100"`},
			{"GET " + line + "/chats?nextPage=%00", ``, 422, `"nextPage":"must be what the page before gave"`},
			{"GET " + line + "/chats?status=shut", ``, 422, `"status":"must be open or close"`},
			{"GET " + line + "/chats?responsibleId=me", ``, 422, `"responsibleId":"must be an id`},
			{"GET " + line + "/chats?tagId=-1", ``, 422, `"tagId":"must be an id`},
			{"GET " + line + "/chats?unread=maybe", ``, 422, `"unread":"must be true or false"`},
			{"GET " + line + "/chats?lastTime=today", ``, 422, `"lastTime":"must be an integer"`},
			{"GET " + line + "/chats?search=%ff", ``, 422, `"search":"must be valid UTF-8"`},
			{"GET " + line + "/contacts?search=%00", ``, 422, `"search"`},
			{"GET " + line + "/messages", ``, 422, `"search":"is required"`},
			{"GET " + line + "/messages?search=%22*", ``, 422, `"search":"must contain a letter, a digit or an emoji"`},
			{"GET " + line + "/messages?search=%00", ``, 422, `"search"`},
			{"GET " + line + "/messages?search=" + strings.Repeat("a", 101), ``, 422, `"search":"is longer than 100 characters"`},
			{"GET " + line + "/messages?search=a&chatId=%00", ``, 422, `"chatId"`},
			{"GET " + line + "/messages?search=a&lastTime=today", ``, 422, `"lastTime":"must be an integer`},
			{"POST " + line + "/chats", `{"phone":79990001122}`, 422, `"phone":"must be a string, not number"`},
			{"POST " + line + "/chats", `{"type":"group","name":"G","participantsItems":[{"value":"7999"}]}`, 503, `"ApiUnavailableError"`},
			{"POST /v1/tags", `{"name":"x","color":"red"}`, 422, `"color":"must be # and 3 to 8 hexadecimal digits"`},
			{"POST /v1/tags", `{"name":"a\u0000b"}`, 422, `"name":"must not contain the character U+0000"`},
			{"POST /v1/tags", `{"color":"blue","sort":4611686018427387904}`, 422, `"color":"must be # and 3 to 8 hexadecimal digits","name":"is required","sort":"must be from`},
			{"POST /v1/tags", `{"name":"x","categoryId":123456}`, 404, `"tag category not found"`},
			{"POST /v1/levels", `{"name":"x","companyId":3000}`, 404, `"company not found"`},
			{"GET /v1/tags?companyId=x", ``, 422, `"companyId":"must be an id`},
			{"GET /v1/tags?categoryId=x", ``, 422, `"categoryId":"must be an id`},
			{"GET /v1/tags/99999999999999999999", ``, 404, `"ApiNotFoundError"`},
			{"PATCH " + quick, `{"access":[{"userId":"687","permission":"x"}]}`, 422, `"access[0].permission":"must be r or w"`},
			{"PATCH " + quick, `{"access":[{"userId":true,"permission":"r"}]}`, 422, `userId":"must be a string`},
			{"PATCH " + quick, `{"access":{}}`, 422, `"access":"must be an array, not object"`},
			{"POST " + quick + "/quickResponses", `{"name":"x","enableAI":"yes"}`, 422, `"enableAI":"must be a boolean, not string"`},
			{"POST " + quick + "/quickResponses", `{"name":"x","parent":5000}`, 422, `"parent":"must be a response of the same list"`},
			{"DELETE " + quick + "/quickResponses", `{"ids":[]}`, 422, `"ids":"must hold 1 to 1000 ids"`},
			{"DELETE " + quick + "/quickResponses", `{"ids":["1"]}`, 422, `"ids`},
			{"DELETE " + quick + "/quickResponses", `{"ids":[4611686018427387904]}`, 404, `"quick response not found"`},
			{"DELETE " + quick + "/quickResponses/99999999999999999999", ``, 404, `"ApiNotFoundError"`},
		} {
			status, text := r.do(r.Owner, test.request, test.body)
			if status != test.status || !strings.Contains(text, test.want) || !strings.Contains(text, `"success":false`) {
				t.Errorf("%.120s %.80s:\n got %d %s\nwant %d %s", test.request, test.body, status, text, test.status, test.want)
			}
		}
		if got := r.EventsAfter(t, mark); len(got) > 0 {
			t.Errorf("bad requests caused %v", got)
		}
		for who, want := range map[crm.Actor]int{{}: 401, r.Reader: 403, r.Outsider: 403, r.Stranger: 404} {
			if status, text := r.do(who, "PUT "+at+"/status", `{"type":"close"}`); status != want {
				t.Errorf("user %d: %d %s, want %d", who.UserID, status, text, want)
			}
		}
		// Objects of another company answer like missing ones, byte by byte.
		for mine, strange := range map[string]string{
			"/v1/licenses/999999/messengers/grWhatsApp/chats/1": "/v1/licenses/3001/messengers/grWhatsApp/chats/1",
			"/v1/quickResponseLists/999999":                     quick,
		} {
			who := r.Owner
			if strange == quick {
				who = r.Stranger
			}
			_, unknown := r.do(who, "GET "+mine, "")
			if _, text := r.do(who, "GET "+strange, ""); text != unknown {
				t.Errorf("GET %s: %s, but what does not exist: %s", strange, text, unknown)
			}
		}
		if status, _ := r.do(r.Owner, "GET "+line+"/chats?search="+url.QueryEscape("' OR '1'='1"), ""); status != 200 {
			t.Errorf("a search with quotes: %d", status)
		}
	})
}
