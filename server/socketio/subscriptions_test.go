package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"chatcast/broadcasting"
	"chatcast/channels"
)

// tellingEncoder makes an emit of each event, and has words for subscriptions.
type tellingEncoder struct {
	mark string // before the data
}

func (e tellingEncoder) Emits(ev broadcasting.Event) []Emit {
	return []Emit{{ev.Name, []byte(`"` + e.mark + ev.Data + `"`)}}
}

var _ Teller = tellingEncoder{}

func (tellingEncoder) Lost(channel string) []Emit {
	return []Emit{{"lost", []byte(`"` + channel + `"`)}}
}
func (tellingEncoder) Missed(channel string, oldest, last int64) []Emit {
	return []Emit{{"missed", fmt.Appendf(nil, `[%q,%d,%d]`, channel, oldest, last)}}
}
func (tellingEncoder) Resumed(channel string, number int64) []Emit {
	return []Emit{{"resumed", fmt.Appendf(nil, `[%q,%d]`, channel, number)}}
}

// subscribes handles join [channel, mark, after] and leave [channel] of clients. Access to the
// channel of "closed" is denied, and to that of "closing" from the second question on.
func subscribes(ctx context.Context, s *Socket, c Call) Args {
	text := func(i int) (v string) {
		_ = json.Unmarshal(c.Values[i], &v)
		return v
	}
	if c.Event == "leave" {
		s.Unsubscribe(line(text(0)))
		return Args{Values: []json.RawMessage{json.RawMessage(fmt.Sprint(s.Subscribed(line(text(0)))))}}
	}
	want, asked := Subscription{Channel: line(text(0)), Encoder: tellingEncoder{mark: text(1)}, Most: 3}, 0
	if len(c.Values) > 2 {
		want.Resume = json.Unmarshal(c.Values[2], &want.After) == nil
	}
	want.Authorize = func(context.Context) error {
		if asked++; text(0) == "closed" || text(0) == "closing" && asked > 1 {
			return channels.ErrDenied
		}
		return nil
	}
	want.Begun = func() { c.Acknowledge(Args{Values: []json.RawMessage{json.RawMessage(`"in"`)}}) }
	err := s.Subscribe(ctx, want)
	reason := "nothing"
	for name, known := range map[string]error{"denied": channels.ErrDenied, "too many": broadcasting.ErrTooMany, "revoked": broadcasting.ErrRevoked} {
		if errors.Is(err, known) {
			reason = name
		}
	}
	return Args{Values: []json.RawMessage{json.RawMessage(`"` + reason + `"`)}} // dropped, if it has begun
}

func TestSubscribe(t *testing.T) {
	h := run(t)
	h.rooms.change(func(l *lobby) { l.on = subscribes })
	h.say("a", "early")
	c, _, _ := h.enter("/", good)
	c.send(`421["join","a","x "]`)
	c.want(`431["in"]`)
	h.say("a", "one")
	h.say("b", "not its")
	c.want(`42["e","x one"]`)
	c.send(`422["join","b",""]`, `423["join","closed",""]`, `424["join","closing",""]`)
	c.want(`432["in"]`, `433["denied"]`, `434["denied"]`)
	for _, channel := range []string{"closed", "closing"} {
		h.say(channel, "secret")
	}
	h.say("b", "two")
	c.want(`42["e","two"]`)
	// Another encoder, from now on; and what has been since an event.
	c.send(`425["join","a","y "]`)
	c.want(`435["in"]`)
	h.say("a", "three")
	c.want(`42["e","y three"]`)
	c.send(`426["join","a","z ",1]`)
	c.want(`436["in"]`, `42["e","z one"]`, `42["e","z three"]`, `42["resumed",["private-a",7]]`)
	c.send(`427["leave","a"]`)
	c.want(`437[false]`)
	h.say("a", "four")
	c.send(`428["join","c",""]`, `429["join","d",""]`, `4210["join","f",""]`)
	c.want(`438["in"]`, `439["in"]`, `4310["too many"]`)
	h.journal.change(func(b *book) { b.pruned = 6 })
	c.send(`4211["leave","c"]`, `4212["join","a","",2]`)
	c.want(`4311[false]`, `4312["in"]`, `42["missed",["private-a",7,8]]`)
}

// Access that ends later ends the subscription, and nothing else.
func TestSubscriptionIsLost(t *testing.T) {
	h := run(t)
	h.rooms.change(func(l *lobby) { l.on = subscribes })
	c, _, _ := h.enter("/", good)
	c.send(`421["join","a",""]`, `422["join","b",""]`)
	c.want(`431["in"]`, `432["in"]`)
	if err := h.engine.Unsubscribe(t.Context(), "7", line("a")); err != nil {
		t.Fatal(err)
	}
	c.want(`42["lost","private-a"]`)
	h.say("a", "gone")
	h.say("b", "stays")
	c.want(`42["e","stays"]`)
	c.send(`423["join","a",""]`)
	c.want(`433["in"]`) // it may again
	if err := h.engine.Disconnect(t.Context(), "7"); err != nil {
		t.Fatal(err)
	}
	c.want(`41`)
}

// The channel that a client enters with its namespace keeps its places when it gets another
// encoder, so it is recovered with all that came.
func TestSubscribeKeepsPlaces(t *testing.T) {
	h := run(t)
	h.rooms.change(func(l *lobby) { l.on, l.encoder = subscribes, tellingEncoder{mark: "first "} })
	c, sid, pid := h.enter("/shop", good)
	h.say("shop", "one")
	c.want(`42/shop,["e","first one","1"]`)
	c.send(`42/shop,1["join","shop","second "]`)
	c.want(`43/shop,1["in"]`)
	h.say("shop", "two")
	c.want(`42/shop,["e","second two","2"]`)
	_ = c.ws.Close()
	h.say("shop", "three")
	c, again, _ := h.enter("/shop", recovering("good", pid, "2"))
	if again != sid {
		t.Errorf("it is %s, was %s", again, sid)
	}
	c.want(`42/shop,["e","first three","3"]`)
	if err := h.engine.Unsubscribe(t.Context(), "7", line("shop")); err != nil {
		t.Fatal(err)
	}
	c.want(`42/shop,["lost","private-shop"]`)
}

// The names of keys of other clients.
func TestKeysOfOtherClients(t *testing.T) {
	h := run(t)
	for _, auth := range []string{`{"apiKey":"good"}`, `{"token":"good"}`} {
		h.enter("/shop", auth)
	}
	for _, query := range []string{"apiKey=good", "token=good"} {
		c := h.dial(ioPath + transportWebSocket + "&" + query)
		c.read()
		c.enter("/shop", "")
	}
	h.refused(ioPath+transportWebSocket+"&apiKey=wrong", 403)
	if n := len(h.rooms.requests); n != 4 {
		t.Errorf("%d came in", n)
	}
	for _, r := range h.rooms.requests {
		if !strings.HasPrefix(r.Key, "good") {
			t.Errorf("the key is %q", r.Key)
		}
	}
}

// What is in no journal comes from the answer on: nobody could send it again.
func TestLiveFromTheAnswerOn(t *testing.T) {
	h := run(t)
	h.rooms.change(func(l *lobby) {
		l.live = []string{line("codes")}
		l.joined = func(*Socket) { h.sayLive("codes", "at once") }
	})
	c, _, pid := h.enter("/shop", good)
	if pid == "" {
		t.Error("channels of what is in no journal hinder the recovery")
	}
	c.want(`42/shop,["live","at once"]`)
	h.say("shop", "one")
	c.want(`42/shop,["e","one","1"]`)
}
