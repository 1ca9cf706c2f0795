package conformance

import (
	"strings"
	"time"
)

// with replaces or adds a parameter.
func with(key, value string) func([]param) []param {
	return func(q []param) []param {
		q = append([]param(nil), q...)
		for i, p := range q {
			if p.key == key {
				q[i].value = value
				return q
			}
		}
		return append(q, param{key, value})
	}
}

// without removes a parameter.
func without(key string) func([]param) []param {
	return func(q []param) (kept []param) {
		for _, p := range q {
			if p.key != key {
				kept = append(kept, p)
			}
		}
		return kept
	}
}

func requestCases() []Case {
	const body = `{"name":"e","channel":"kit-auth","data":"x"}`
	try := func(change func(c *call), statuses ...int) func(x *exchange) {
		return func(x *exchange) {
			c := call{method: "POST", path: "/events", body: body}
			change(&c)
			x.do(c).is("the answer", statuses...)
		}
	}
	refused := []int{401}
	return []Case{
		{Name: "wrong signature", Feature: Core, Rule: "A signature that is wrong is 401, with an explanation.",
			run: func(x *exchange) {
				a := x.do(call{method: "POST", path: "/events", body: body, after: with("auth_signature", strings.Repeat("0", 64))}).is("the answer", 401)
				if a.body == "" {
					x.failf("the 401 has no body")
				}
			}},
		{Name: "parameters that are missing", Feature: Core, Rule: "auth_key, auth_timestamp, auth_version and auth_signature are needed: else 401.",
			run: func(x *exchange) {
				for _, key := range []string{"auth_key", "auth_timestamp", "auth_version"} {
					x.do(call{method: "POST", path: "/events", body: body, spoil: without(key)}).is("without "+key, 401, 400)
				}
				x.do(call{method: "POST", path: "/events", body: body, after: without("auth_signature")}).is("without auth_signature", 401, 400)
			}},
		{Name: "unknown key", Feature: Core, Rule: "A key that is no app's is 401.", run: try(func(c *call) { c.spoil = with("auth_key", "nobody") }, refused...)},
		{Name: "key of another app", Feature: Core, needs: needsOther, Rule: "The key must belong to the app in the path.",
			run: func(x *exchange) {
				x.do(call{app: x.target.Other, id: x.target.ID, method: "POST", path: "/events", body: body}).is("the answer", 401)
			}},
		{Name: "other version", Feature: Core, Rule: "auth_version must be 1.0.", run: try(func(c *call) { c.spoil = with("auth_version", "2.0") }, 401, 400)},
		{Name: "9 minutes old", Feature: Core, Rule: "A request is good for 600 s.", run: try(func(c *call) { c.at = time.Now().Add(-9 * time.Minute) }, 200)},
		{Name: "11 minutes old", Feature: Core, Rule: "An older one is 401.", run: try(func(c *call) { c.at = time.Now().Add(-11 * time.Minute) }, refused...)},
		{Name: "9 minutes ahead", Feature: Core, Rule: "Clocks may differ by 600 s.", run: try(func(c *call) { c.at = time.Now().Add(9 * time.Minute) }, 200)},
		{Name: "11 minutes ahead", Feature: Core, Rule: "One from further ahead is 401.", run: try(func(c *call) { c.at = time.Now().Add(11 * time.Minute) }, refused...)},
		{Name: "timestamp that is none", Feature: Core, Rule: "A timestamp must be a number of seconds.",
			run: func(x *exchange) {
				for _, text := range []string{"", "now", "1e9", "-1", "99999999999999999999", "NaN"} {
					x.do(call{method: "POST", path: "/events", body: body, spoil: with("auth_timestamp", text)}).is(text, 401, 400)
				}
			}},
		{Name: "body changed", Feature: Core, Rule: "A body that is not the one of body_md5 is 401.",
			run: try(func(c *call) { c.swap = func(b string) string { return strings.Replace(b, `"x"`, `"y"`, 1) } }, refused...)},
		{Name: "wrong body_md5", Feature: Core, Rule: "So is a body_md5 of another body, though it is signed.", run: try(func(c *call) { c.spoil = with("body_md5", md5Of("other")) }, refused...)},
		{Name: "no body_md5", Feature: Core, Rule: "And a body without body_md5.", run: try(func(c *call) { c.spoil = without("body_md5") }, 401, 400)},
		{Name: "signed for another path", Feature: Core, Rule: "Method and path are signed.",
			run: func(x *exchange) {
				path := "/apps/" + x.target.ID + "/batch_events"
				x.do(call{method: "POST", path: "/events", body: body, after: func(q []param) []param {
					return with("auth_signature", mac(x.target.Secret, stringToSign("POST", path, without("auth_signature")(q))))(q)
				}}).is("the answer", 401)
			}},
		{Name: "replayed on another method", Feature: Core, Rule: "A signature of GET is none of POST.",
			run: func(x *exchange) {
				path := "/apps/" + x.target.ID + "/events"
				x.do(call{method: "POST", path: "/events", body: body, after: func(q []param) []param {
					return with("auth_signature", mac(x.target.Secret, stringToSign("GET", path, without("auth_signature")(q))))(q)
				}}).is("the answer", 401)
			}},
	}
}

// phpEscape is PHP's urlencode, which http_build_query uses.
func phpEscape(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
			b.WriteByte(c)
		case c == ' ':
			b.WriteByte('+')
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

func unescaped(s string) string { return s }

func queryCases() []Case {
	body := func(channel string) string {
		return jsonOf(map[string]string{"name": "e", "channel": channel, "data": "x"})
	}
	sent := func(change func(c *call)) func(x *exchange) {
		return func(x *exchange) {
			s, channel := x.connect(), x.name("")
			s.enter(channel)
			c := call{method: "POST", path: "/events", body: body(channel)}
			change(&c)
			x.do(c).says("the answer", "{}")
			s.event(channel, "e", "x")
		}
	}
	reversed := func(q []param) []param {
		var r []param
		for i := len(q) - 1; i >= 0; i-- {
			r = append(r, q[i])
		}
		return r
	}
	return []Case{
		{Name: "any order", Feature: Core, Rule: "The query is signed sorted and may be sent in any order, the signature first as the PHP library does or last.",
			run: sent(func(c *call) { c.after = reversed })},
		{Name: "more parameters", Feature: Core, Rule: "Parameters that are not known are signed like the others.",
			run: sent(func(c *call) { c.params = []param{{"kit_zebra", "a b"}, {"kit_alpha", "ü&=;+%"}, {"kit_empty", ""}} })},
		{Name: "http_build_query", Feature: Core, Rule: "A query escaped as PHP does is accepted: + for a space, ~ and others as %XX.",
			run: sent(func(c *call) { c.params, c.escape = []param{{"kit_note", "a b~c*d(e)f/g,h;i'j"}}, phpEscape })},
		{Name: "capital letters in keys", Feature: Core, Rule: "Keys are signed in lower case.",
			run: sent(func(c *call) { c.params = []param{{"Kit_Note", "Value"}} })},
		{Name: "sent as it is signed", Feature: Core, Rule: "The libraries of Go and Node send values without escaping: commas, semicolons, slashes.",
			run: sent(func(c *call) { c.params, c.escape = []param{{"kit_note", "a,b;c/d@e:f=g"}}, unescaped })},
		{Name: "Laravel", Feature: Core, Rule: "What Laravel's broadcaster sends for an event is accepted: channels as a list, data as a string, a class as the name.",
			run: func(x *exchange) {
				s, s2, a, b := x.connect(), x.connect(), x.name("private-"), x.name("private-")
				s.enter(a)
				s2.enter(b)
				// PHP's json_encode escapes slashes and everything that is not ASCII.
				text := `{"name":"App\\Events\\OrderShipped","data":"{\"order\":{\"id\":7,\"note\":\"\\u00fc \\\/ \\u2028\"},\"socket\":null}","channels":["` + a + `","` + b + `"],"socket_id":"1.1"}`
				x.do(call{method: "POST", path: "/events", body: text, escape: phpEscape, after: reversed}).says("the answer", "{}")
				const data = `{"order":{"id":7,"note":"\u00fc \/ \u2028"},"socket":null}`
				s.event(a, `App\Events\OrderShipped`, data)
				s2.event(b, `App\Events\OrderShipped`, data)
			}},
	}
}

func deprecatedCases() []Case {
	return []Case{
		{Name: "stats", Feature: Deprecated, basic: true, Rule: "GET channels/NAME/stats is GET channels/NAME.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.enter(channel)
				var info struct{ Occupied bool }
				if x.get("/channels/" + channel + "/stats").exists("stats").into(&info); !info.Occupied {
					x.failf("an occupied channel is not")
				}
			}},
		{Name: "events of a channel", Feature: Deprecated, Rule: "POST channels/NAME/events?name= publishes the body, which is the data, and answers 202.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connect(), x.name("")
				a.enter(channel)
				b.enter(channel)
				x.do(call{method: "POST", path: "/channels/" + channel + "/events", params: []param{{"name", "e"}, {"socket_id", a.id}}, body: `{"some":"data"}`}).is("the answer", 202)
				b.event(channel, "e", `{"some":"data"}`)
				a.silence("it was spared")
			}},
	}
}
