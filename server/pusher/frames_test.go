package pusher

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/server"
)

var update = flag.Bool("update", false, "write the golden files anew")

// frames has every kind of frame that this package sends.
func frames() (list []struct {
	name  string
	frame []byte
}) {
	add := func(name string, frame []byte) {
		list = append(list, struct {
			name  string
			frame []byte
		}{name, frame})
	}
	d := dialect{}
	a := &broadcasting.Member{ID: "A", Info: json.RawMessage(`{"name":"N \"A\""}`)}
	b := &broadcasting.Member{ID: "10"}
	event := broadcasting.Event{App: "1", Channel: "private-v1.users.685", Name: "message", Data: `{"payload":{"data":[{"text":"ü \"q\" \\ /"}]}}`, Except: "1.2", Seq: 7}
	add("connection_established", establishedFrame("123.456", 120))
	add("ping", pingFrame)
	add("pong", pongFrame)
	add("subscribed", d.Subscribed("news", nil))
	add("subscribed, encrypted", d.Subscribed("private-encrypted-a", nil))
	add("subscribed, presence", d.Subscribed("presence-r", []*broadcasting.Member{a, b}))
	add("member added", d.MemberAdded("presence-r", a))
	add("member added, no info", d.MemberAdded("presence-r", b))
	add("member removed", d.MemberRemoved("presence-r", "A"))
	add("revoked", d.Unsubscribed("private-v1.users.685"))
	add("subscription count", d.SubscriptionCount("news", 2))
	add("cache miss", d.CacheMissed("private-cache-a"))
	add("cache miss, encrypted", d.CacheMissed("private-encrypted-cache-a"))
	add("signed in", d.SignedIn(`{"id":"A","user_info":{"name":"N \"A\""},"watchlist":["w1"]}`))
	add("online", d.WatchlistEvents(true, []string{"w1", "w\"2"}))
	add("offline", d.WatchlistEvents(false, []string{"w1"}))
	add("event", d.Event(event))
	add("event, plain text", d.Event(broadcasting.Event{Channel: "news", Name: "n", Data: "tab\t nl\n cr\r nul\x00 del\x7f bad\xff 😀 \u2028 <b>&"}))
	add("event, empty", d.Event(broadcasting.Event{Channel: "news", Name: "n"}))
	add("client event, object", d.Event(broadcasting.Event{Channel: "private-x", Name: "client-typing", Data: `{"h":1}`, Object: true}))
	add("client event, string", d.Event(broadcasting.Event{Channel: "private-x", Name: "client-typing", Data: `"h"`, Object: true}))
	add("client event, no data", d.Event(broadcasting.Event{Channel: "private-x", Name: "client-typing", Object: true}))
	add("client event, presence", d.Event(broadcasting.Event{Channel: "presence-x", Name: "client-typing", Data: `{}`, Object: true, UserID: "A\""}))
	add("subscription_error", subscriptionErrorFrame("private-x", errorTypeAuth, "no \"no\"", 401))
	add("subscription_error, encrypted", subscriptionErrorFrame("private-encrypted-x", errorTypeAuth, "no", 401))
	for _, c := range []code{
		codeUnknownApp, codeAppDisabled, codeAppFull, codeUnknownPath, codeBadVersion, codeOtherVersion, codeNoVersion,
		codeBadOrigin, codeAccessEnded, codeTerminated, codeAuthTimeout, codeAddressFull, codeSlow, codeFlood, codeStopping, codeCutOff, codeSilent,
	} {
		add("disconnect, "+string(c.word), c.disconnect().Frame)
	}
	return list
}

// payloadOf returns the payload of a frame and checks its header.
func payloadOf(t testing.TB, frame []byte) string {
	t.Helper()
	n, rest := int(frame[1]), frame[2:]
	switch n {
	case 126:
		n, rest = int(frame[2])<<8|int(frame[3]), frame[4:]
	case 127:
		n = 0
		for _, b := range frame[2:10] {
			n = n<<8 | int(b)
		}
		rest = frame[10:]
	}
	if frame[0] != 0x81 || n != len(rest) {
		t.Fatalf("the header says %x and %d bytes, %d follow", frame[0], n, len(rest))
	}
	return string(rest)
}

// TestGoldenFrames freezes the wire format.
func TestGoldenFrames(t *testing.T) {
	var b strings.Builder
	for _, f := range frames() {
		payload := payloadOf(t, f.frame)
		if !json.Valid([]byte(payload)) || !utf8.ValidString(payload) {
			t.Errorf("%s: not JSON: %s", f.name, payload)
		}
		fmt.Fprintf(&b, "# %s\n%s\n", f.name, payload)
	}
	const file = "testdata/frames.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the wire has changed; if it should, run with -update. Now:\n%s", b.String())
	}
}

// TestEventsOfOtherDialects: numbered events that are only for dialects are no frames. What an app calls
// its own events is its own affair.
func TestEventsOfOtherDialects(t *testing.T) {
	ev := broadcasting.Event{App: "1", Channel: "private-v1.users.685", Name: channels.InternalPrefix + "past", Data: "{}", Seq: 7}
	if frame := (dialect{}).Event(ev); len(frame) != 0 {
		t.Errorf("it is %q", frame)
	}
	ev.Seq = 0
	if frame := (dialect{}).Event(ev); len(frame) == 0 {
		t.Error("an event of an app is left out")
	}
}

// Frames of every length class are complete.
func TestFrameLengths(t *testing.T) {
	for _, n := range []int{0, 1, 60, 61, 100, 125, 126, 127, 300, 65_400, 65_535, 65_536, 200_000} {
		data := strings.Repeat("x", n)
		payload := payloadOf(t, dialect{}.Event(broadcasting.Event{Channel: "c", Name: "n", Data: data}))
		var got struct{ Event, Channel, Data string }
		if err := json.Unmarshal([]byte(payload), &got); err != nil || got.Data != data || got.Channel != "c" || got.Event != "n" {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// Every code is in the range that causes the intended behaviour of clients, has a
// sentence, and fits a close frame.
func TestCodes(t *testing.T) {
	inBand := []code{
		codeUnauthorized, codeRejected, codeBadMessage, codeBadChannel, codeTooManyChannel,
		codePresenceFull, codeBadMember, codeBadUser, codeBadSignIn, codeWatchlist,
	}
	ending := []code{
		codeUnknownApp, codeAppDisabled, codeAppFull, codeUnknownPath, codeBadVersion, codeOtherVersion, codeNoVersion,
		codeBadOrigin, codeAccessEnded, codeTerminated, codeAuthTimeout, codeAddressFull, codeSlow, codeFlood, codeStopping, codeCutOff, codeSilent,
	}
	words := map[server.Reason]bool{}
	for i, c := range append(ending, inBand...) {
		if c.number < 4000 || c.number > 4399 || c.sentence == "" || len(c.sentence) > 123 || words[c.word] {
			t.Errorf("%+v", c)
		}
		if i < len(ending) && c.number >= 4300 {
			t.Errorf("%+v would lock a client out for good", c)
		}
		words[c.word] = true
	}
}

// Errors found by the server package itself are sent with the protocol's codes, in the
// error frame and in the close frame.
func TestDisconnects(t *testing.T) {
	for reason, number := range map[server.Reason]int{
		server.SlowConsumer: 4100, server.AddressFull: 4100, server.Stopping: 4100, server.Silent: 4201, server.Flood: 4100, "new": 1011,
	} {
		f := (&socket{}).Disconnect(reason)
		if f.Code != number || f.Message == "" {
			t.Errorf("%s: %+v", reason, f)
		}
		if number >= 4000 && payloadOf(t, f.Frame) != fmt.Sprintf(`{"event":"pusher:error","data":{"code":%d,"message":%q}}`, number, f.Message) {
			t.Errorf("%s: %s", reason, f.Frame)
		}
	}
}

// FuzzMessage gives the parsers what a client could send: they return a value or an
// error message, and the result can be put into frames.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{
		`{"event":"pusher:ping","data":{}}`,
		`{"event":"pusher:subscribe","data":{"auth":"k:0","channel":"presence-a","channel_data":"{\"user_id\":10,\"user_info\":{\"a\":[1]}}"}}`,
		`{"event":"client-x","channel":"private-a","data":"text"}`,
		`{"event":"client-x","channel":"private-a","data":[1,{"b":null}]}`,
		`{"event":5}`, `{"event":"pusher:subscribe","data":[]}`, `null`, `{`, ``, "{\"event\":\"\u2028\"}",
		`{"user_id":"A","user_info":null}`, `{"user_id":1e3}`, `{"user_id":-1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) {
			return // the reader has already refused it
		}
		valid := func(frame []byte) {
			if payload := payloadOf(t, frame); !json.Valid([]byte(payload)) {
				t.Fatalf("%q makes the frame %s", text, payload)
			}
		}
		if m, err := parseMember(string(text), 1024); err == nil {
			if m.ID == "" || !channels.ValidUserID(m.ID) || len(m.ID)+len(m.Info) > 1024 {
				t.Fatalf("%q is member %+v", text, m)
			}
			valid(dialect{}.MemberAdded("presence-a", m))
			valid(dialect{}.Subscribed("presence-a", []*broadcasting.Member{m}))
		}
		m, err := parseMessage(text)
		if err != nil {
			valid(errorFrame(codeBadMessage.number, err.Error()))
			return
		}
		if m.Event == "" {
			t.Fatalf("%q is a message without event", text)
		}
		valid(dialect{}.Event(broadcasting.Event{Channel: m.Channel, Name: m.Event, Data: string(m.Data), Object: true}))
		if s, err := parseSubscription(m.Data); err == nil {
			valid(subscriptionErrorFrame(shortened(s.Channel), errorTypeName, "x", 400))
		} else {
			valid(errorFrame(codeBadMessage.number, err.Error()))
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	ev := broadcasting.Event{Channel: "private-v1.licenses.1229.messengers.grWhatsApp", Name: "message", Data: strings.Repeat(`{"text":"hello"}`, 20)}
	b.ReportAllocs()
	for b.Loop() {
		dialect{}.Event(ev)
	}
}
