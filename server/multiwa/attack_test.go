package multiwa_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// ask sends a request to the REST routes.
func (h *harness) ask(t *testing.T, key, method, path, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-api-key", key)
	req.Header.Set("User-Agent", "attacker/1")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// TestChangesAreAudited renames a profile: the audit log says which key did it, and from where.
// Caches keep no answer.
func TestChangesAreAudited(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		key := h.key(t, onGr)
		res := h.ask(t, key.Key, "PUT", "/api/v1/profiles/"+h.profileOf(t, onGr), `{"name":"renamed"}`)
		if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s, Cache-Control %q", res.Status, res.Header.Get("Cache-Control"))
		}
		log, err := h.AuditLog(t.Context(), h.Owner, crm.AuditQuery{Action: crm.AuditInstanceChanged})
		if err != nil || len(log.Items) == 0 {
			t.Fatalf("%v, %v", log, err)
		}
		e := log.Items[0]
		if e.Actor.Type != crm.ActorKey || *e.Actor.ID != key.UserID || e.Address != "127.0.0.1" || e.UserAgent != "attacker/1" {
			t.Errorf("the entry is %+v", e)
		}
	})
}

// TestFilesThatGrow sends a body with a file that would take many times its size in memory.
func TestFilesThatGrow(t *testing.T) {
	h := newHarness(t, testdb.Open(t, testdb.SQLiteURL(t)))
	body := `{"to":"351912000001","x":{` + strings.Repeat(`"a":0,`, 2000) + `"b":0}}`
	if res := h.ask(t, h.key(t, onGr).Key, "POST", "/api/v1/messages/image", body); res.StatusCode != http.StatusBadRequest {
		t.Errorf("%s", res.Status)
	}
}

// TestHeadersOfAnyBytes sends headers that are no UTF-8 to where they are stored.
func TestHeadersOfAnyBytes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		h.say(t, onGr, "3A01", "Hello")
		key := h.key(t, onGr)
		for path, body := range map[string]string{
			"POST /api/v1/messages/text":                   `{"to":"351912000001","text":"x"}`,
			"PUT /api/v1/profiles/" + h.profileOf(t, onGr): `{"name":"renamed"}`,
		} {
			method, path, _ := strings.Cut(path, " ")
			req, err := http.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header = http.Header{"X-Api-Key": {key.Key}, "User-Agent": {"a\xff\x80"}, "Idempotency-Key": {"\xff\xfe"}, "X-Forwarded-For": {"\xff"}}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode >= 500 {
				t.Errorf("%s %s: %s", method, path, res.Status)
			}
		}
		req, err := http.NewRequestWithContext(t.Context(), "GET", h.url+"/api/v1/profiles", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("x-api-key", "\xff\xfe")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("a key of no text: %s", res.Status)
		}
	})
}

// TestQueriesOfAnyBytes looks for what no text can have.
func TestQueriesOfAnyBytes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		h.say(t, onGr, "3A01", "Hello")
		key, profile := h.key(t, onGr).Key, h.profileOf(t, onGr)
		for _, text := range []string{"%00", "%ff", "%25", "_%25%5c", "%27%20OR%201=1--", strings.Repeat("a", 3000)} {
			for _, path := range []string{
				"/conversations?profileId=" + profile + "&search=", "/contacts?profileId=" + profile + "&search=", "/conversations?profileId=",
				"/messages/conversation/351912000001?profileId=" + profile + "&before=", "/messages/profile/" + profile + "?type=",
			} {
				if res := h.ask(t, key, "GET", "/api/v1"+path+text, ""); res.StatusCode >= 500 {
					t.Errorf("%s%.20s: %s", path, text, res.Status)
				}
			}
			for _, path := range []string{"/contacts/", "/conversations/", "/profiles/", "/messages/profile/"} {
				if res := h.ask(t, key, "GET", "/api/v1"+path+text+"?profileId="+profile, ""); res.StatusCode >= 500 {
					t.Errorf("%s%.20s: %s", path, text, res.Status)
				}
			}
		}
	})
}

// TestRareMessages asks for messages of a type that there is hardly any of: not everything is read,
// so one that is far back is not found.
func TestRareMessages(t *testing.T) {
	h := newHarness(t, testdb.Open(t, testdb.SQLiteURL(t)))
	const chats, each = 60, 100
	for n := range chats {
		in := crm.InboundRequest{}
		chat := crm.MakeID(onGr.Messenger, fmt.Sprintf("3519120%05d", n))
		for i := range each {
			at, typ, content := crmtest.Start-100_000+int64(n*each+i), crm.MessageText, crm.Content{Text: "x"}
			if i == 0 && (n == 0 || n == chats-1) {
				typ, content = crm.MessageLocation, crm.Content{Location: &crm.Location{Latitude: 1, Longitude: 1}}
			}
			in.Messages = append(in.Messages, crm.InboundMessage{
				ID: crm.MakeID(onGr.Messenger, fmt.Sprintf("M%d-%d", n, i)), Time: &at, Type: typ, Chat: crm.InboundChat{ID: chat}, FromUser: &crm.InboundUser{ID: chat, Name: "Ana"}, Message: content,
			})
		}
		if _, err := h.IngestAs(t.Context(), h.Owner, onGr, in); err != nil {
			t.Fatal(err)
		}
	}
	key, profile := h.key(t, onGr).Key, h.profileOf(t, onGr)
	for query, want := range map[string]int{"?type=location": 1, "?limit=100": 100, "?limit=100&offset=900": 100} {
		res := h.ask(t, key, "GET", "/api/v1/messages/profile/"+profile+query, "")
		var list []struct{}
		if err := json.NewDecoder(res.Body).Decode(&list); err != nil || len(list) != want {
			t.Errorf("%s: %d messages, %v; want %d", query, len(list), err, want)
		}
	}
}
