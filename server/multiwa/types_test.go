package multiwa_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"chatcast/models/testdb"
)

// TestWrongTypes gives each field of each route values of all types, while the others are as they
// should be. Nothing may fail inside the server.
func TestWrongTypes(t *testing.T) {
	h := newHarness(t, testdb.Open(t, testdb.SQLiteURL(t)))
	h.say(t, onGr, "3A01", "Hello")
	key, profile := h.key(t, onGr).Key, h.profileOf(t, onGr)
	values := []string{ // null counts as absent
		`true`, `-1`, `1e308`, `""`, `"x"`, `"\u0000"`, `[]`, `[null]`, `[{}]`, `{}`, `"` + strings.Repeat("9", 3000) + `"`, `"a@b@c"`, `"true_351912000001@c.us_3A01"`,
		`"00000000-0000-8c0d-8000-000000000001"`, `"00000000-0000-8c0d-8fff-ffffffffffff"`,
	}
	to := map[string]string{"profileId": `"` + profile + `"`, "to": `"351912000001"`}
	with := func(more ...string) map[string]string {
		all := map[string]string{}
		for name, value := range to {
			all[name] = value
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	group := map[string]string{"profileId": to["profileId"], "name": `"x"`, "description": `"x"`, "participants": `["351912000001"]`}
	for request, fields := range map[string]map[string]string{
		"POST /messages/text":                                   with("text", `"x"`, "quotedMessageId", `"3A01"`),
		"POST /messages/image":                                  with("url", `"https://example.com/a.png"`, "base64", `""`, "caption", `"x"`, "mimetype", `"image/png"`, "filename", `"a.png"`),
		"POST /messages/document":                               with("base64", `"aGVsbG8="`, "filename", `"a.txt"`, "mimetype", `"text/plain"`),
		"POST /messages/audio":                                  with("base64", `"aGVsbG8="`, "ptt", "true"),
		"POST /messages/location":                               with("latitude", "1", "longitude", "1", "name", `"x"`, "address", `"x"`),
		"POST /messages/contact":                                with("contacts", `[{"name":"x","phone":"351912000001"}]`),
		"POST /messages/poll":                                   with("question", `"x"`, "options", `["a","b"]`, "allowMultiple", "true", "allowMultipleAnswers", "true"),
		"POST /messages/reaction":                               with("messageId", `"true_351912000001@c.us_3A01"`, "emoji", `"👍"`),
		"POST /messages/reply":                                  with("quotedMessageId", `"true_351912000001@c.us_3A01"`, "text", `"x"`),
		"POST /messages/typing":                                 with("state", `"typing"`, "chatId", `"351912000001"`),
		"POST /messages/mark-read":                              with("chatId", `"351912000001"`),
		"POST /messages/delete-for-everyone":                    with("chatId", `"351912000001"`, "messageId", `"3A01"`),
		"PUT /profiles/" + profile:                              {"name": `"shop"`, "messageDelayMs": "1500", "dailyMessageLimit": "null"},
		"POST /groups":                                          group,
		"PATCH /groups/120363000000000001@g.us":                 group,
		"POST /groups/120363000000000001@g.us/participants/add": group,
		"POST /contacts":                                        {"profileId": to["profileId"], "phone": `"351912000001"`, "name": `"x"`},
		"PUT /contacts/351912000001":                            {"profileId": to["profileId"], "name": `"x"`},
		"POST /contacts/validate":                               {"profileId": to["profileId"], "phone": `"351912000001"`, "phones": `["351912000001"]`, "numbers": `["351912000001"]`},
		"POST /profiles":                                        {"name": `"x"`},
	} {
		method, path, _ := strings.Cut(request, " ")
		for name := range fields {
			for _, value := range values {
				body := map[string]json.RawMessage{}
				for other, right := range fields {
					body[other] = json.RawMessage(right)
				}
				body[name] = json.RawMessage(value)
				text, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				res := h.ask(t, key, method, "/api/v1"+path, string(text))
				answer, err := io.ReadAll(res.Body)
				if err != nil || res.StatusCode == 500 || !json.Valid(answer) {
					t.Errorf("%s %.200s: %s %s %v", request, text, res.Status, answer, err)
				}
			}
		}
	}
	for _, id := range []string{"x", "%00", "a%2Fb", "00000000-0000-8c0c-8000-000000000001", "00000000-0000-8c0c-8000-00000000ffff", "00000000-0000-8c0c-8fff-ffffffffffff", strings.Repeat("9", 1000), "%E2%80%AE@c.us"} {
		of := "?profileId=" + profile
		for path, queries := range map[string][]string{
			"/messages/profile/":      {"", "?limit=-1", "?limit=999999999999999999999&offset=x", "?type=x&direction=y", "?offset=1000"},
			"/messages/conversation/": {"", of, of + "&limit=-1", of + "&before=%00", of + "&before=00000000-0000-8c0d-8fff-ffffffffffff"},
			"/conversations/":         {"", of}, "/contacts/": {"", of}, "/profiles/": {""}, "/groups/": {"", of}, "/groups/profile/": {""},
		} {
			for _, query := range queries {
				res := h.ask(t, key, "GET", "/api/v1"+path+id+query, "")
				if answer, err := io.ReadAll(res.Body); err != nil || res.StatusCode == 500 {
					t.Errorf("GET %s%.40s%s: %s %s", path, id, query, res.Status, answer)
				}
			}
		}
	}
}
