package pusher_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"chatcast/server/pusher"
)

// badField is the answer to a request with a bad field.
func badField(field, why string) string {
	message := strconv.Quote(field + " " + why)
	return `{"success":false,"error":{"code":"ApiValidationError","message":` + message + `,"fields":{"` + field + `":"` + why + `"}},"message":` + message + `}`
}

// The last event id of a request, in every form, becomes the signed cursor.
func TestAuthCursor(t *testing.T) {
	h, granted := authorizer(t)
	const asJSON = `{"socket_id":"1234.1234","channel_name":"` + line + `",`
	query := form("1234.1234", line) + "&"
	const begins = "30, and it is told"
	ids := func(object string) string { return "last_event_ids=" + url.QueryEscape(object) }
	for name, test := range map[string]struct{ method, contentType, body, want string }{
		"form":                           {"POST", formType, query + "last_event_id=17", "17"},
		"GET":                            {"GET", "", query + "last_event_id=17", "17"},
		"multipart":                      {"POST", multipartType, multipartForm("socket_id", "1234.1234", "channel_name", line, "last_event_id", "17"), "17"},
		"JSON number":                    {"POST", jsonType, asJSON + `"last_event_id":17}`, "17"},
		"JSON string":                    {"POST", jsonType, asJSON + `"last_event_id":"17"}`, "17"},
		"leading zeros":                  {"POST", formType, query + "last_event_id=0017", "17"},
		"zero":                           {"POST", formType, query + "last_event_id=0", "0"},
		"the largest":                    {"POST", jsonType, asJSON + `"last_event_id":9223372036854775807}`, "9223372036854775807"},
		"by channel":                     {"POST", formType, query + ids(`{"`+line+`": 12, "private-x": "y"}`), "12"},
		"by channel, as a string":        {"POST", formType, query + ids(`{"`+line+`":"12"}`), "12"},
		"by channel, in JSON":            {"POST", jsonType, asJSON + `"last_event_ids":{"` + line + `":12}}`, "12"},
		"by channel, as text in JSON":    {"POST", jsonType, asJSON + `"last_event_ids":"{\"` + line + `\":12}"}`, "12"},
		"by channel, GET":                {"GET", "", query + ids(`{"`+line+`":12}`), "12"},
		"by channel goes first":          {"POST", formType, query + "last_event_id=17&" + ids(`{"`+line+`":12}`), "12"},
		"not of this channel":            {"POST", formType, query + "last_event_id=17&" + ids(`{"private-x":12}`), "17"},
		"null by channel":                {"POST", formType, query + "last_event_id=17&" + ids(`{"`+line+`":null}`), "17"},
		"names that differ by case":      {"POST", formType, query + ids(`{"`+line+`":12,"`+strings.ToUpper(line)+`":13}`), "12"},
		"more was received":              {"POST", formType, query + "last_event_id=17&previous_socket_id=7.7", "20"},
		"less was received":              {"POST", formType, query + "last_event_id=21&previous_socket_id=7.7", "21"},
		"an unknown socket":              {"POST", jsonType, asJSON + `"last_event_id":17,"previous_socket_id":"7.8"}`, "17"},
		"not known to have received":     {"POST", formType, query + "last_event_id=17&previous_socket_id=7.6", "17"},
		"a socket, and no event":         {"POST", formType, query + "previous_socket_id=7.7", "20"},
		"a socket that got nothing":      {"POST", jsonType, asJSON + `"previous_socket_id":"7.6"}`, "20"},
		"an unknown one, and no event":   {"POST", formType, query + "previous_socket_id=7.8", "9223372036854775807"},
		"no socket yet, and no event":    {"POST", formType, query + "previous_socket_id=", begins},
		"no socket yet, and an event":    {"POST", formType, query + "previous_socket_id=&last_event_id=17", "17"},
		"no socket yet, in JSON":         {"POST", jsonType, asJSON + `"previous_socket_id":""}`, begins},
		"null as a socket":               {"POST", jsonType, asJSON + `"previous_socket_id":null}`, ""},
		"an empty form field":            {"POST", formType, query + "last_event_id=&last_event_ids=", ""},
		"null":                           {"POST", jsonType, asJSON + `"last_event_id":null,"last_event_ids":null}`, ""},
		"another channel's, and no more": {"POST", formType, query + ids(`{"private-x":12}`), begins},
		"none yet":                       {"POST", formType, query + ids(`{}`), begins},
		"none yet, in JSON":              {"POST", jsonType, asJSON + `"last_event_ids":{}}`, begins},
		"null for the channel alone":     {"POST", formType, query + ids(`{"`+line+`":null}`), begins},
		"empty for the channel alone":    {"POST", formType, query + ids(`{"`+line+`":""}`), begins},
		"none yet, and a socket":         {"POST", formType, query + ids(`{}`) + "&previous_socket_id=7.6", "20, and it is told"},
		"none yet, and an unknown one":   {"POST", formType, query + ids(`{}`) + "&previous_socket_id=7.8", begins},
		"now, and a socket":              {"POST", formType, query + ids(`{"`+line+`":"now"}`) + "&previous_socket_id=7.7", begins},
		"now":                            {"POST", formType, query + "last_event_id=17&" + ids(`{"`+line+`":"now"}`), begins},
	} {
		target, body := "/broadcasting/auth", test.body
		if test.method == "GET" {
			target, body = target+"?"+body, ""
		}
		w := ask(h, test.method, target, token, test.contentType, body)
		data := ""
		if test.want != "" {
			data = `{"cursor":"` + test.want + `"}`
		}
		if n, told := strings.CutSuffix(test.want, ", and it is told"); told {
			data = `{"cursor":"` + n + `","begins":true}`
		}
		var answer struct {
			Auth        string
			ChannelData string `json:"channel_data"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 || answer.ChannelData != data ||
			answer.Auth != docKey+":"+pusher.SignChannel(docSecret, "1234.1234", line, data) {
			t.Errorf("%s: %d %s, want the cursor %q", name, w.Code, w.Body, test.want)
		}
		granted.take()
	}
	w := ask(h, "POST", "/broadcasting/auth", token, formType, form("1234.1234", "presence-v1.companies.2224")+"&last_event_id=17")
	if want := `"channel_data":"{\"user_id\":\"685\",\"user_info\":{\"id\":685,\"name\":\"Mr. \\u003cChannels\\u003e\"},\"cursor\":\"17\"}"`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("on a presence channel: %s, want %s", w.Body, want)
	}
}

// A last event id that is none is refused, and the field is named.
func TestAuthBadCursor(t *testing.T) {
	h, granted := authorizer(t)
	const number = "must be a decimal number, the eventId of an event"
	const object = "must be a JSON object with the last event id of each channel"
	const asJSON = `{"socket_id":"1234.1234","channel_name":"` + line + `",`
	for _, test := range []struct{ contentType, body, field, why string }{
		{formType, "last_event_id=-1", "last_event_id", number},
		{formType, "last_event_id=undefined", "last_event_id", number},
		{formType, "last_event_id=1.5", "last_event_id", number},
		{formType, "last_event_id=%2B1", "last_event_id", number},
		{formType, "last_event_id=1_0", "last_event_id", number},
		{formType, "last_event_id=9223372036854775808", "last_event_id", number},
		{formType, "last_event_id=1&last_event_id=2", "last_event_id", "is given twice"},
		{formType, "last_event_id=1&previous_socket_id=7", "previous_socket_id", "must be the id of the socket that the client had before: digits, a dot and digits"},
		{formType, "last_event_ids=12", "last_event_ids", object},
		{formType, "last_event_ids=%5B12%5D", "last_event_ids", object},
		{formType, "last_event_ids=%7B", "last_event_ids", object},
		{formType, "last_event_id=now", "last_event_id", number},
		{formType, "last_event_ids=" + url.QueryEscape(`{"`+line+`":"later"}`), "last_event_ids", number},
		{formType, "last_event_ids=" + url.QueryEscape(`{"`+line+`":-1}`), "last_event_ids", number},
		{formType, "last_event_ids=" + url.QueryEscape(strings.Repeat(`{"`+line+`":`, 200)), "last_event_ids", object},
		{formType, "last_event_ids=" + url.QueryEscape(`{"`+line+`":true}`), "last_event_ids", number},
		{formType, "last_event_ids=" + url.QueryEscape(`{"`+line+`":{"id":1}}`), "last_event_ids", number},
		{formType, "last_event_ids=" + url.QueryEscape(`{"`+line+`":1,"`+line+`":2}`), "last_event_ids", "has the channel twice"},
		{jsonType, `"last_event_id":1e3}`, "last_event_id", number},
		{jsonType, `"last_event_id":{}}`, "last_event_id", number},
		{jsonType, `"last_event_id":false}`, "last_event_id", number},
		{jsonType, `"last_event_ids":[1]}`, "last_event_ids", object},
	} {
		body := form("1234.1234", line) + "&" + test.body
		if test.contentType == jsonType {
			body = asJSON + test.body
		}
		w := ask(h, "POST", "/broadcasting/auth", token, test.contentType, body)
		if want := badField(test.field, test.why); w.Code != 422 || w.Body.String() != want {
			t.Errorf("%s: %d %s, want %s", test.body, w.Code, w.Body, want)
		}
		if list := granted.take(); len(list) > 0 {
			t.Errorf("%s: granted %v", test.body, list)
		}
	}
}

// Who wants to resume is not let in without a place to begin at.
func TestAuthWithoutThePosition(t *testing.T) {
	h, granted := authorizer(t)
	granted.lookErr = errors.New("the database is away")
	w := ask(h, "POST", "/broadcasting/auth", token, formType, form("1234.1234", line)+"&last_event_ids={}")
	if w.Code != 500 || granted.take() != "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// FuzzLastEventIDs gives anything as last_event_ids: the answer is a cursor that is a
// number, or 422.
func FuzzLastEventIDs(f *testing.F) {
	for _, seed := range []string{`{"` + line + `":1}`, `{"` + line + `":"2","x":null}`, `{}`, `[]`, `null`, ` {"a":{"b":[1]}}`, `{"` + line + `":1}{}`, "\xff", `"`} {
		f.Add(seed)
	}
	h, granted := authorizer(f)
	f.Fuzz(func(t *testing.T, ids string) {
		w := ask(h, "POST", "/broadcasting/auth", token, formType, form("1234.1234", line)+"&last_event_ids="+url.QueryEscape(ids))
		granted.take()
		if w.Code == 422 {
			return
		}
		var answer struct {
			ChannelData string `json:"channel_data"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 {
			t.Fatalf("%q: %d %s", ids, w.Code, w.Body)
		}
		if answer.ChannelData == "" {
			return
		}
		var data struct{ Cursor json.Number }
		if err := json.Unmarshal([]byte(answer.ChannelData), &data); err != nil {
			t.Fatalf("%q: %s", ids, answer.ChannelData)
		}
		if n, err := data.Cursor.Int64(); err != nil || n < 0 {
			t.Fatalf("%q: the cursor %s", ids, answer.ChannelData)
		}
	})
}
