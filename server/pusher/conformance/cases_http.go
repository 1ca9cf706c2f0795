package conformance

import (
	"strings"
)

func eventsCases() []Case {
	return []Case{
		{Name: "channels", Feature: Core, basic: true, Rule: "An event goes to each of channels once, and the answer is {} as JSON.",
			run: func(x *exchange) {
				s, a, b := x.connect(), x.name(""), x.name("")
				s.enter(a)
				s.enter(b)
				got := x.post(map[string]any{"name": "e", "channels": []string{a, b, a}, "data": "x"})
				if got.says("the answer", "{}"); !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
					x.failf("Content-Type is %q", got.header.Get("Content-Type"))
				}
				seen := map[string]bool{a: true, b: true}
				for range 2 {
					f := s.read("e")
					if !seen[f.Channel] {
						x.failf("got %s", f)
					}
					delete(seen, f.Channel)
				}
				s.silence("each channel has it once")
			}},
		{Name: "channel", Feature: Core, Rule: "channel may be given instead of channels.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.enter(channel)
				x.post(map[string]string{"name": "e", "channel": channel, "data": ""}).says("the answer", "{}")
				s.event(channel, "e", "")
			}},
		{Name: "socket_id", Feature: Core, Rule: "The socket of socket_id does not get the event, the others do; an id that is not connected spares nobody.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connect(), x.name("")
				a.enter(channel)
				b.enter(channel)
				x.post(map[string]string{"name": "e", "channel": channel, "data": "x", "socket_id": a.id}).says("the answer", "{}")
				x.post(map[string]string{"name": "after", "channel": channel, "data": "x", "socket_id": "1.1"}).says("the answer", "{}")
				b.event(channel, "e", "x")
				b.event(channel, "after", "x")
				a.event(channel, "after", "x")
			}},
		{Name: "in the query", Feature: Core, Rule: "Without a body the parameters may stand in the query, with channels[] for a channel.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.enter(channel)
				x.do(call{method: "POST", path: "/events", params: []param{{"name", "e"}, {"data", "x y+z"}, {"channels[]", channel}}}).says("the answer", "{}")
				s.event(channel, "e", "x y+z")
			}},
		{Name: "bad bodies", Feature: Core, Rule: "What is no JSON object, or has a wrong type, or lacks name, data or channels, is 400.",
			run: func(x *exchange) {
				for _, body := range []string{"{", "x", "[]", "null", "7", `{"name":NaN}`, `{}`,
					`{"channel":"a","data":"x"}`, `{"name":"e","channel":"a"}`, `{"name":"e","data":"x"}`, `{"name":"e","channels":[],"data":"x"}`,
					`{"name":7,"channel":"a","data":"x"}`, `{"name":"e","channel":7,"data":"x"}`, `{"name":"e","channels":"a","data":"x"}`,
					`{"name":"e","channels":[7],"data":"x"}`, `{"name":"e","channel":"a","data":{"a":1}}`, `{"name":"e","channel":"a","data":7}`} {
					x.do(call{method: "POST", path: "/events", body: body}).is(body, 400, 422)
				}
			}},
		{Name: "no such app", Feature: Core, Rule: "An app id that does not exist is 401, 403 or 404.",
			run: func(x *exchange) {
				x.do(call{id: "no-such-app", method: "POST", path: "/events", body: `{"name":"e","channel":"a","data":"x"}`}).is("the answer", 401, 403, 404)
			}},
		{Name: "info", Feature: Info, basic: true, Rule: "info asks for user_count and subscription_count of each channel, in the answer.",
			run: func(x *exchange) {
				s, a, b := x.connect(), x.name("presence-"), x.name("")
				s.join(a, userA)
				s.enter(b)
				got := x.post(map[string]any{"name": "e", "channels": []string{a, b}, "data": "x", "info": "user_count,subscription_count"}).is("the answer", 200)
				if got.body == "{}" {
					x.absentf("the answer is {}")
				}
				if want := `{"channels":{"` + a + `":{"user_count":1,"subscription_count":1},"` + b + `":{"subscription_count":1}}}`; !sameJSON(got.body, want) {
					x.failf("got %s, want %s", got.body, want)
				}
			}},
		{Name: "info of duplicates", Feature: Info, Rule: "A channel that is named twice stands in the answer once.",
			run: func(x *exchange) {
				a := x.name("presence-")
				x.post(map[string]any{"name": "e", "channels": []string{a, a}, "data": "x", "info": "user_count"}).says("the answer", `{"channels":{"`+a+`":{"user_count":0}}}`)
			}},
	}
}

func batchCases() []Case {
	batch := func(x *exchange, events ...map[string]string) *answer {
		return x.do(call{method: "POST", path: "/batch_events", body: jsonOf(map[string]any{"batch": events})})
	}
	event := func(channel string) map[string]string {
		return map[string]string{"name": "e", "channel": channel, "data": "x"}
	}
	return []Case{
		{Name: "delivery", Feature: Batch, basic: true, Rule: "Each event of a batch is delivered, those of a channel in order, and the answer is {}.",
			run: func(x *exchange) {
				s, s2, a, b := x.connect(), x.connect(), x.name(""), x.name("private-")
				s.enter(a)
				s2.enter(b)
				batch(x, event(a), event(b), map[string]string{"name": "other", "channel": a, "data": `{"n":1}`}).exists("a batch").says("the answer", "{}")
				s.event(a, "e", "x")
				s2.event(b, "e", "x")
				s.event(a, "other", `{"n":1}`)
			}},
		{Name: "socket_id", Feature: Batch, Rule: "Each event may spare a socket.",
			run: func(x *exchange) {
				s, a := x.connect(), x.name("")
				s.enter(a)
				spared := event(a)
				spared["socket_id"] = s.id
				batch(x, spared, map[string]string{"name": "after", "channel": a, "data": "x"}).says("the answer", "{}")
				s.event(a, "after", "x")
			}},
		{Name: "info", Feature: Batch, Rule: "When an event asks for info, the answer has a list with an entry for each.",
			run: func(x *exchange) {
				s, a, b := x.connect(), x.name("presence-"), x.name("")
				s.join(a, userA)
				s.enter(b)
				first, last := event(a), event(b)
				first["info"], last["info"] = "user_count", "subscription_count"
				batch(x, first, event(b), last).says("the answer", `{"batch":[{"user_count":1},{},{"subscription_count":1}]}`)
			}},
		{Name: "9, 10, 11 events", Feature: Batch, Rule: "A batch has at most 10 events; more is 400, and none is delivered.",
			run: func(x *exchange) {
				s, a := x.connect(), x.name("")
				s.enter(a)
				for _, n := range []int{9, 10} {
					var events []map[string]string
					for range n {
						events = append(events, event(a))
					}
					batch(x, events...).says("the answer", "{}")
					for range n {
						s.event(a, "e", "x")
					}
				}
				var events []map[string]string
				for range 11 {
					events = append(events, event(a))
				}
				batch(x, events...).is("11 events", 400, 413)
				s.silence("the batch was refused")
			}},
		{Name: "data of 10,001 bytes", Feature: Batch, Rule: "Each event's data has at most 10,000 bytes: 413.",
			run: func(x *exchange) {
				large := event(x.name(""))
				large["data"] = strings.Repeat("x", 10_001)
				batch(x, large).is("10,001 bytes", 413)
			}},
		{Name: "bad bodies", Feature: Batch, Rule: "What is no list of events is 400.",
			run: func(x *exchange) {
				for _, body := range []string{"{", "[]", "{}", `{"batch":7}`, `{"batch":[7]}`, `{"batch":[{}]}`, `{"batch":[{"name":"e","channel":"a b","data":"x"}]}`} {
					x.do(call{method: "POST", path: "/batch_events", body: body}).is(body, 400, 422)
				}
			}},
	}
}
