package program_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"chatcast/broadcasting/apps"
	"chatcast/cmd/chatcast/app"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
	"chatcast/server/pusher"
)

// TestAppHistory checks that the events of a channel with a history are kept when the
// publish is answered, and that pages resume from what their backend has signed or from
// what they say themselves, on both databases.
func TestAppHistory(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		s, _ := shopOf(t, url)
		plain := s.socket()
		plain.enter(orders, "")
		s.publish("a", "", orders)
		const batch = `{"batch":[{"name":"b","data":"b","channel":"private-orders.7"},{"name":"x","data":"x","channel":"private-other"},{"name":"c","data":"c\u0000","channel":"private-orders.7"}]}`
		if status, answer := s.call("POST", "/batch_events", nil, batch); status != 200 {
			t.Fatal(status, answer)
		}
		var page struct {
			Events []struct {
				ID     int
				Name   string
				Data   string
				TimeMS int64 `json:"time_ms"`
			}
			Last int `json:"last_event_id"`
			More bool
		}
		read := func(params map[string]string) (status int, answer string) {
			status, answer = s.call("GET", "/channels/"+orders+"/events", params, "")
			page.Events, page.More = nil, false
			if err := json.Unmarshal([]byte(answer), &page); err != nil {
				t.Fatal(answer, err)
			}
			return status, answer
		}
		if _, answer := read(nil); len(page.Events) != 3 || page.Events[2].Data != "c\x00" || page.Events[0].ID != 1 || page.Last != 3 || page.More || page.Events[0].TimeMS == 0 {
			t.Error(answer)
		}
		if _, answer := read(map[string]string{"after": "1", "limit": "1"}); len(page.Events) != 1 || page.Events[0].Name != "b" || page.Last != 2 || !page.More {
			t.Error(answer)
		}
		if _, answer := read(map[string]string{"after": "now", "limit": "1"}); len(page.Events) != 0 || page.Last != 3 || page.More {
			t.Error(answer)
		}
		for params, want := range map[[2]string]int{{"after", "x"}: 400, {"after", "-1"}: 400, {"limit", "0"}: 400, {"limit", "1001"}: 400, {"after", "9"}: 410} {
			if status, answer := s.call("GET", "/channels/"+orders+"/events", map[string]string{params[0]: params[1]}, ""); status != want || !strings.Contains(answer, params[0]) {
				t.Errorf("%v: %d %s, want %d", params, status, answer, want)
			}
		}
		if status, answer := s.call("GET", "/channels/private-other/events", nil, ""); status != 404 {
			t.Error(status, answer)
		}

		plain.expect("a", "b", "c") // all is delivered
		signed, said := s.socket(), s.socket()
		signed.enter(orders, `{"cursor":"1"}`)
		signed.expect(numberOf("next", 2), "b", numberOf("next", 3), "c", numberOf("position", 3))
		said.resume(orders, map[string]any{orders: "2"}, "")
		said.expect(numberOf("next", 3), "c", numberOf("position", 3))
		s.publish("d", said.id, orders)
		signed.expect(numberOf("next", 4), "d")
		plain.expect("d")
		said.silence() // it has published this itself
		back := s.socket()
		back.resume(orders, map[string]any{orders: 2}, said.id)
		back.expect(numberOf("next", 3), "c", numberOf("position", 4))

		// A channel that the client does not name begins now, and so does one whose cursor
		// it has used.
		back.send("pusher:unsubscribe", map[string]string{"channel": orders})
		s.awaitPosition(4)
		back.enter(orders, "")
		back.expect(numberOf("position", 4))
		fresh := s.socket()
		fresh.enter(orders, `{"cursor":"now"}`)
		fresh.expect(numberOf("position", 4))
		fresh.resume("private-other", map[string]any{"private-other": 1}, "") // which has no history
		fresh.silence()
		fresh.resume(orders+"x", map[string]any{orders + "x": 1 << 40}, "")
		fresh.expect(`chatcast:resume_failed {"oldestEventId":5,"lastEventId":4}`, numberOf("position", 4))
		for data, why := range map[string]string{
			`[]`: "not a JSON object", `{"last_event_ids":7}`: "last_event_ids", `{"last_event_ids":{"a":-1}}`: "decimal number",
			`{"previous_socket_id":"x"}`: "digits, a dot and digits",
		} {
			fresh.send("chatcast:resume", json.RawMessage(data))
			if got := fresh.next(); !strings.Contains(got, why) {
				t.Errorf("%s: %s, want %s", data, got, why)
			}
		}

		// Only what the backend has signed resumes this one.
		live := s.socket()
		live.enter("private-signed.1", "")
		s.publish("e", "", "private-signed.1")
		live.expect("e")
		s.awaitPosition(5)
		strict := s.socket()
		strict.resume("private-signed.1", map[string]any{"private-signed.1": 0}, "")
		strict.expect(numberOf("position", 5))
		strict.send("pusher:unsubscribe", map[string]string{"channel": "private-signed.1"})
		strict.enter("private-signed.1", `{"cursor":"0"}`)
		strict.expect(numberOf("next", 5), "e", numberOf("position", 5))
	})
}

// TestAppHistoryOfEveryKindOfChannel: public, presence and encrypted channels resume too;
// cache channels work as before.
func TestAppHistoryOfEveryKindOfChannel(t *testing.T) {
	s, _ := shopOf(t, testdb.SQLiteURL(t))
	const cached, encrypted, presence = "private-cache-orders.1", "private-encrypted-orders.1", "presence-orders.1"
	s.publish("a", "", cached, encrypted, presence, "orders.1", "other")
	ws := s.socket()
	ws.send("chatcast:resume", map[string]any{"last_event_ids": map[string]int{cached: 0, encrypted: 0, presence: 0, "orders.1": 0}})
	ws.enter("orders.1", "")
	ws.expect(numberOf("next", 4), "a", numberOf("position", 4))
	ws.enter(presence, `{"user_id":"1"}`)
	ws.expect(numberOf("next", 3), "a", numberOf("position", 4))
	ws.enter(encrypted, "")
	named := func(kind string, id int) string {
		return fmt.Sprintf(`chatcast:%s {"channel":"%s","eventId":%d}`, kind, encrypted, id)
	}
	ws.expect(named("next", 2), "a", named("position", 4))
	ws.enter(cached, "")
	ws.expect("a")
	s.publish("b", "", cached, encrypted)
	got := []string{ws.next(), ws.next(), ws.next()}
	slices.Sort(got)
	if want := []string{"b", "b", named("next", 6)}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if status, answer := s.call("GET", "/channels/"+cached+"/events", nil, ""); status != 200 || !strings.Contains(answer, `"id":5,"name":"b"`) {
		t.Error(status, answer)
	}
}

// TestAppHistoryIsBounded checks that events are removed when their time is over, or when
// there are too many, and that what is missing then is told.
func TestAppHistoryIsBounded(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		s, _ := shopOf(t, url)
		for _, name := range []string{"a", "b", "c"} {
			s.publish(name, "", orders)
		}
		store := app.NewHistoryStore(testdb.Open(t, url))
		bytes, err := store.Bytes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := store.RemoveExcess(t.Context(), "shop", bytes["shop"]-1, 9, 500); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if n, err := store.RemoveExpired(t.Context(), 9, 500); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		status, answer := s.call("GET", "/channels/"+orders+"/events", map[string]string{"after": "0"}, "")
		if status != 200 || !strings.Contains(answer, `[{"id":2`) {
			t.Error(status, answer)
		}
		s.publish("d", "", orders)
		if n, err := store.RemoveExcess(t.Context(), "shop", 0, 9, 2); n != 2 || err != nil { // b and c
			t.Fatal(n, err)
		}
		status, answer = s.call("GET", "/channels/"+orders+"/events", map[string]string{"after": "2"}, "")
		if want := `"oldest_event_id":4,"last_event_id":4}`; status != 410 || !strings.HasSuffix(answer, want) {
			t.Errorf("%d %s, want %s", status, answer, want)
		}
		ws := s.socket()
		ws.resume(orders, map[string]any{orders: 1}, "")
		ws.expect(`chatcast:resume_failed {"oldestEventId":4,"lastEventId":4}`, numberOf("position", 4))
		ws.resume(orders+"x", map[string]any{orders + "x": 1}, "") // another channel lost nothing
		ws.expect(numberOf("position", 4))
	})
}

// TestResumeInParts checks that a page may say in several messages what it resumes, up to the
// number of channels that a connection can have, and that a refused subscription does not
// use up what it has said. Channels without a history do not count.
func TestResumeInParts(t *testing.T) {
	s, _ := shopOf(t, testdb.SQLiteURL(t), func(a *apps.App) { a.Limits.ChannelsPerSocket = 2 })
	s.publish("a", "", orders, "orders.8", "orders.9")
	ws := s.socket()
	part := func(ids map[string]any) { ws.send("chatcast:resume", map[string]any{"last_event_ids": ids}) }
	part(map[string]any{orders: 0, "other": 1, "private-other": 1, "x": 1})
	part(map[string]any{"orders.8": 0})
	part(map[string]any{"orders.9": 0})
	if got := ws.next(); !strings.Contains(got, "last_event_ids: a connection can have 2 channels") {
		t.Error(got)
	}
	ws.send("pusher:subscribe", map[string]string{"channel": orders, "auth": "shop-key:wrong"})
	if got := ws.next(); !strings.Contains(got, "4009") {
		t.Error(got)
	}
	ws.expect("pusher:subscription_error")
	ws.enter("free.1", "")
	ws.enter("free.2", "")
	ws.send("pusher:subscribe", map[string]string{"channel": "orders.8"})
	if got := ws.next(); !strings.Contains(got, "pusher:error") {
		t.Error(got)
	}
	ws.expect("pusher:subscription_error")
	for _, channel := range []string{"free.1", "free.2"} {
		ws.send("pusher:unsubscribe", map[string]string{"channel": channel})
	}
	ws.enter("orders.8", "")
	ws.expect(numberOf("next", 2), "a", numberOf("position", 3))
	ws.enter(orders, "")
	ws.expect(numberOf("next", 1), "a", numberOf("position", 3))

	signed := s.socket()
	signed.enter(orders, `{"cursor":0}`) // a number, as a string
	signed.expect(numberOf("next", 1), "a", numberOf("position", 3))
	for _, bad := range []string{`-1`, `"NOW"`, `" 1"`, `"1e3"`, `1e3`, `9223372036854775808`, `""`, `true`, `{}`} {
		data := `{"cursor":` + bad + `}`
		signed.send("pusher:subscribe", map[string]string{
			"channel": "private-orders.2", "channel_data": data, "auth": "shop-key:" + pusher.SignChannel("shop-secret", signed.id, "private-orders.2", data),
		})
		if got := signed.next(); !strings.Contains(got, "channel_data: cursor must be the id of an event") {
			t.Errorf("%s: %s", bad, got)
		}
		signed.expect("pusher:subscription_error")
	}
}

// TestAppHistoryRuleThatComesBack checks that what was published while the rule of a channel
// was away counts as missing, and that other channels lose nothing by it.
func TestAppHistoryRuleThatComesBack(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		s, cfg := shopOf(t, url)
		rules := cfg.Apps[len(cfg.Apps)-1].History
		restart := func(history []apps.History) {
			t.Helper()
			s.p.Stop()
			cfg.Apps[len(cfg.Apps)-1].History = history
			s.p = e2e.Start(t, cfg)
		}
		const signed = "private-signed.1"
		s.publish("a", "", orders, signed)
		restart(rules[:1])
		s.publish("b", "", orders, signed)
		restart(rules)
		s.publish("c", "", orders, signed)
		ws := s.socket()
		ws.resume(orders, map[string]any{orders: 1}, "")
		ws.expect(`chatcast:resume_failed {"oldestEventId":4,"lastEventId":5}`, numberOf("position", 5))
		ws.enter(signed, `{"cursor":"2"}`)
		ws.expect(numberOf("next", 3), "b", numberOf("next", 5), "c", numberOf("position", 5))
		if status, answer := s.call("GET", "/channels/"+orders+"/events", map[string]string{"after": "2"}, ""); status != 410 {
			t.Error(status, answer)
		}
	})
}

// TestAppHistoryUnderLoad has many backends publish while a page loses its connection again
// and again, and the program is restarted: the page gets all, once, in the order of the ids.
func TestAppHistoryUnderLoad(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		s, cfg := shopOf(t, url)
		const writers, each, all = 4, 60, 4 * 60
		publish := func(half int) *sync.WaitGroup {
			var group sync.WaitGroup
			for w := range writers {
				group.Go(func() {
					for i := range each / 2 {
						s.publish(fmt.Sprint(w, "-", half*each/2+i), "", orders)
					}
				})
			}
			return &group
		}
		var got []string
		last := 0
		take := func(upTo int) {
			for n := 1; len(got) < upTo; n = n%17 + 3 {
				ws := s.socket()
				ws.resume(orders, map[string]any{orders: last}, "")
				for took := 0; took < n && len(got) < upTo; {
					frame := ws.next()
					var id int
					if _, err := fmt.Sscanf(frame, `chatcast:next {"eventId":%d}`, &id); err != nil {
						continue // the position
					}
					if id != last+1 {
						t.Fatalf("%d comes after %d", id, last)
					}
					got, last, took = append(got, ws.next()), id, took+1
				}
				ws.Close()
			}
		}
		first := publish(0)
		take(all / 4)
		first.Wait()
		s.p.Stop()
		s.p = e2e.Start(t, cfg)
		second := publish(1)
		take(all)
		second.Wait()
		from := map[string]int{} // the next of each writer
		for _, name := range got {
			writer, n, _ := strings.Cut(name, "-")
			if want := fmt.Sprint(from[writer]); n != want {
				t.Fatalf("writer %s: %s instead of %s", writer, n, want)
			}
			from[writer]++
		}
	})
}
