package multiwa

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	testProfile = "0d8f4a1e-5c1b-4e0e-9f57-2a8b7f0c9d11"
	testPhone   = "351912000000"
)

var discard = slog.New(slog.DiscardHandler)

var onGr = crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}

// oneLine knows the line of the tests as a profile.
type oneLine struct{}

func (oneLine) Profile(on crm.Line) (id, phone string) {
	if on != onGr {
		return "", ""
	}
	return testProfile, testPhone
}

func newRenderer() *renderer {
	return &renderer{lines: oneLine{}, now: func() time.Time { return time.Unix(crmtest.Start, 0) }, log: discard}
}

// inboundOf is what customers and colleagues write, one of each kind of message.
const inboundOf = `{"messages":[
	{"id":"3A01","time":1637319301,"chat":{"id":"351912000001","name":"Ana"},"fromUser":{"id":"351912000001@c.us","name":"Ana"},"message":{"text":"Hello <b>\u2028 & \"you\""}},
	{"id":"3A02","time":1637319302,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"image","message":{"caption":"A cat","file":{"link":"https://files.example/cat.jpg","name":"cat.jpg","size":2048,"mimeType":"image/jpeg"}},"quotedMessageId":"3A01"},
	{"id":"3A03","time":1637319303,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"voice","message":{"file":{"link":"https://files.example/v.ogg","name":"v.ogg"}}},
	{"id":"3A04","time":1637319304,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"location","message":{"location":{"latitude":38.7223,"longitude":-9.1393,"name":"Lisbon","address":"Rossio"}}},
	{"id":"3A05","time":1637319305,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"contact","message":{"contact":{"name":"Bea","phone":"351912000002"}}},
	{"id":"3A06","time":1637319306,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"contact","message":{"contact":{"name":"Bea","phone":"351912000002"},"contacts":[{"name":"Bea","phone":"351912000002"},{"name":"Carl","phone":"351912000003"}]}},
	{"id":"3A07","time":1637319307,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"poll","message":{"poll":{"question":"Lunch?","options":["Yes","No"]}}},
	{"id":"3A08","time":1637319308,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"poll","subtype":"pollVote","message":{"vote":{"messageId":"3A07","options":["Yes"]}}},
	{"id":"3A09","time":1637319309,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"reaction","message":{"reaction":{"messageId":"3A01","emoji":"👍"}}},
	{"id":"3A10","time":1637319310,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"sticker","message":{"file":{"link":"https://files.example/s.webp","name":"s.webp"}}},
	{"id":"3A11","time":1637319311,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"document","message":{"file":{"link":"https://files.example/d.pdf","name":"d.pdf"}}},
	{"id":"3A12","time":1637319312,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"audio","message":{"file":{"link":"https://files.example/a.mp3","name":"a.mp3"}}},
	{"id":"3A13","time":1637319313,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"video","message":{"file":{"link":"https://files.example/v.mp4","name":"v.mp4"}}},
	{"id":"3A14","time":1637319314,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"type":"unknown","subtype":"orderMessage","message":{}},
	{"id":"3A15","time":1637319315,"chat":{"id":"120363000000000001@g.us","name":"Team"},"fromUser":{"id":"351912000002@c.us","name":"Bea"},"message":{"text":"In the group"}},
	{"id":"3A16","time":1637319316,"chat":"120363000000000001@g.us","fromUser":{"id":"100200300@lid","name":"Hidden"},"message":{"text":"By a LID"},"quotedMessageId":"3A15"},
	{"id":"3A17","time":1637319317,"chat":{"id":"100200400@lid","name":"Dora"},"fromUser":{"id":"100200400@lid","name":"Dora"},"message":{"text":"Only a LID"},"quotedMessageId":"3AFF"},
	{"id":"3A18","time":1637319318,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},"subtype":"status","message":{"text":"My status"}},
	{"id":"3B01","time":1637319319,"chat":"351912000001","fromMe":true,"fromUser":{"id":"351912000000@c.us","name":"Shop"},"message":{"text":"Typed on the phone"}},
	{"id":"3B02","time":1637319320,"chat":"120363000000000001@g.us","fromMe":true,"fromUser":{"id":"351912000000@c.us","name":"Shop"},"message":{"text":"To the group"},"quotedMessageId":"3A15"}
]}`

// renamed is what somebody writes who has another name since.
const renamed = `{"messages":[{"id":"3A19","time":1637319321,"chat":"120363000000000001@g.us","fromUser":{"id":"351912000002@c.us","name":"Beatriz"},"message":{"text":"I have another name"}}]}`

// happen makes everything happen that this dialect tells of.
func happen(t *testing.T, w *crmtest.World) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	receive := func(body string) {
		t.Helper()
		var in crm.InboundRequest
		must(json.Unmarshal([]byte(body), &in))
		_, err := w.IngestAs(t.Context(), w.Owner, onGr, in)
		must(err)
	}
	receive(inboundOf)
	receive(renamed)
	ana := crm.ChatAddress{Line: onGr, ChatID: "351912000001"}
	w.Clock.Set(1637319330)
	sent, err := w.Send(t.Context(), w.Owner, ana, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "From the API"}})
	must(err)
	for i, status := range []string{"sent", "delivered", "viewed"} {
		text, err := json.Marshal(map[string]any{"statuses": []any{map[string]any{"id": sent.ID, "chat": "351912000001", "type": status, "time": 1637319331 + i}}})
		must(err)
		receive(string(text))
	}
	played := crm.InboundStatus{ID: sent.ID, Chat: crm.InboundChat{ID: crm.MakeID("grWhatsApp", "351912000001@c.us")}, Type: "viewed", Played: true}
	_, err = w.Ingest(t.Context(), onGr, crm.InboundBatch{Statuses: []crm.InboundStatus{played}}) // read is all that clients can know
	must(err)
	failing, err := w.Send(t.Context(), w.Owner, ana, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "Never sent"}})
	must(err)
	text, err := json.Marshal(map[string]any{"statuses": []any{map[string]any{
		"id": failing.ID, "chat": "351912000001", "type": "failed", "time": 1637319340, "error": map[string]string{"code": "x", "message": "y"}}}})
	must(err)
	receive(string(text))
	_, err = w.RenameContact(t.Context(), w.Owner, crm.ContactAddress{Line: onGr, ContactID: "351912000001"}, crm.Field[string]{Set: true, Value: "Ana of Porto"})
	must(err)
	happenInGroup(t, w)
	happenToLine(t, w)
	for _, says := range []string{ // one that cannot be decrypted at first
		`"type":"unknown","subtype":"undecryptable","message":{}`, `"message":{"text":"Decrypted later"}`,
	} {
		receive(`{"messages":[{"id":"3A20","time":1637319500,"chat":"351912000001","fromUser":{"id":"351912000001@c.us","name":"Ana"},` + says + `}]}`)
	}
}

func happenInGroup(t *testing.T, w *crmtest.World) {
	t.Helper()
	bea, at := "351912000002", int64(1637319350)
	person := func(id string, phone *string) crm.GroupMember {
		return crm.GroupMember{ID: id, Phone: phone, Role: crm.MemberOrdinary}
	}
	members := []crm.GroupMember{person(bea+"@c.us", &bea)}
	now := &crm.Group{ID: "120363000000000009@g.us", Name: "New", Members: append([]crm.GroupMember{{ID: testPhone + "@c.us", Role: crm.MemberOrdinary, Self: true}}, members...)}
	by := &crm.InboundUser{ID: crm.MakeID("grWhatsApp", bea+"@c.us"), Name: "Bea"}
	id := crm.MakeID("grWhatsApp", now.ID)
	for _, g := range []crm.InboundGroup{
		{ID: id, Now: now, Joined: true, By: by, Time: &at},
		{ID: id, Members: []crm.InboundMembers{{What: crm.MembersAdd, People: []crm.GroupMember{person("100200300@lid", nil)}}}, By: by, Time: &at},
		{ID: id, Members: []crm.InboundMembers{{What: crm.MembersPromote, People: members}}, Time: &at},
		{ID: id, Members: []crm.InboundMembers{{What: crm.MembersRemove, People: members}}, Time: &at},
		{ID: id, Left: true, Time: &at},
	} {
		if _, err := w.Ingest(t.Context(), onGr, crm.InboundBatch{Groups: []crm.InboundGroup{g}}); err != nil {
			t.Fatal(err)
		}
	}
}

func happenToLine(t *testing.T, w *crmtest.World) {
	t.Helper()
	device, phone, code := "1", testPhone, "2@abc,def=="
	if err := w.PublishQR(t.Context(), onGr, crm.Pairing{QR: &code, ExpiresAt: 1637319420}); err != nil {
		t.Fatal(err)
	}
	if err := w.PublishQR(t.Context(), onGr, crm.Pairing{Code: &code, ExpiresAt: 1637319420}); err != nil {
		t.Fatal(err)
	}
	states := []crm.LineState{
		{State: crm.StatePairing}, {State: crm.StateConnecting}, {State: crm.StateConnected, Device: &device, Phone: &phone},
		{State: crm.StateDisconnected}, {State: crm.StateConnected}, {State: crm.StateConnecting},
		{State: crm.StateConnecting}, {State: crm.StateDisconnected, Detail: "No network."}, // after a minute: disconnected, once
		{State: crm.StateConnected}, {State: crm.StateLoggedOut},
	}
	for i, st := range states {
		at := 1637319400 + int64(i)
		if i > 5 {
			at += 60
		}
		w.Clock.Set(at)
		if err := w.SetLineState(t.Context(), onGr, st); err != nil {
			t.Fatal(err)
		}
	}
}

// sentID matches the ids that the rules make, which are random.
var sentID = regexp.MustCompile(`(true_351912000001@c\.us_)[0-9A-Z]{16,}`)

// pictureData matches the picture of a QR code.
var pictureData = regexp.MustCompile(`data:image/png;base64,[A-Za-z0-9+/=]+`)

// TestEveryEvent makes the rules write every event that this dialect tells of, and compares
// what clients that list all names get with the golden files: the frames of a WebSocket, and
// the names and arguments of Socket.IO.
func TestEveryEvent(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		happen(t, w)
		var all eventSet
		for _, n := range names {
			all.add(n.text)
		}
		var out, io, hooks strings.Builder
		r := newRenderer()
		to := crm.CallbackTarget{URL: "https://h.example/x", Secret: "a secret", Events: []string{everything, "message.delivered"}}
		feed := Feed{of: r, want: all, profile: testProfile}
		write := func(out *strings.Builder, text string) {
			text = sentID.ReplaceAllString(text, "${1}SENT")
			out.WriteString(pictureData.ReplaceAllString(text, "data:image/png;base64,PICTURE") + "\n")
		}
		post := func(name, data string, seq int64) {
			body := strings.TrimSuffix(strings.TrimPrefix(data, `{"payload":`), "}")
			requests, err := Hooks{oneLine{}}.Requests(t.Context(), to, crm.CallbackEvent{ID: seq, Name: name, Body: []byte(body), Line: onGr, At: time.Unix(crmtest.Start, 0)}, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range requests {
				header := map[string][]string(one.Header) // in this spelling
				mac := hmac.New(sha256.New, []byte(to.Secret))
				mac.Write(one.Body)
				if one.URL != to.URL || !json.Valid(one.Body) || header["X-MultiWA-Event"][0] != one.Name || header["X-MultiWA-Signature"][0] != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
					t.Errorf("the request is %+v", one)
				}
				write(&hooks, one.Header.Get(headerEventID)+" "+string(one.Body))
			}
		}
		tell := func(name, data string, seq int64) {
			post(name, data, seq)
			ev := broadcasting.Event{App: "1", Channel: onGr.Channel(), Name: name, Data: data, Seq: seq}
			for _, text := range payloads(t, r.frames(&ev, all, testProfile)) {
				write(&out, text)
			}
			for _, emit := range feed.Emits(ev) {
				if !json.Valid(emit.Data) {
					t.Errorf("%s is no JSON: %s", emit.Name, emit.Data)
				}
				write(&io, emit.Name+" "+string(emit.Data))
			}
		}
		for i, ev := range w.Events(t) {
			tell(ev.Name, crm.WithEventID(ev.Data, int64(i+1)), int64(i+1))
		}
		for _, ev := range w.Live.Published() {
			tell(ev.Name, ev.Data, 0)
		}
		isGolden(t, "events.golden", out.String())
		isGolden(t, "socketio.golden", io.String())
		isGolden(t, "webhooks.golden", hooks.String())
	})
}

// isGolden compares a text with a golden file.
func isGolden(t *testing.T, file, text string) {
	t.Helper()
	golden := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s has changed; if it should, run with -update. Now:\n%s", file, text)
	}
}

// payloads returns the payloads of the frames in a slice. Each must be JSON.
func payloads(t *testing.T, frames []byte) (list []string) {
	t.Helper()
	for len(frames) > 0 {
		text := server.Payload(frames)
		head := len(frames) - len(text)
		size := int(frames[1])
		switch frames[1] {
		case 126:
			size = int(frames[2])<<8 | int(frames[3])
		case 127:
			size = int(frames[6])<<24 | int(frames[7])<<16 | int(frames[8])<<8 | int(frames[9])
		}
		if frames[0] != 0x81 || !json.Valid(text[:size]) {
			t.Fatalf("no text frame of JSON: %.100q", frames)
		}
		list = append(list, string(text[:size]))
		frames = frames[head+size:]
	}
	return list
}

// TestNames checks which names get which events.
func TestNames(t *testing.T) {
	for _, c := range []struct {
		listed string
		kind   kind
		detail string
		told   string
	}{
		{"*", kindSession, statusConnected, "session.status"},
		{"* session.connected", kindSession, statusConnected, "session.status session.connected"},
		{"session.connected", kindSession, statusQR, ""},
		{"session.connected connection.ready", kindSession, statusConnected, "session.connected connection.ready"},
		{"connection:status connection.update", kindSession, statusConnecting, "connection.update connection:status"},
		{"message", kindReceived, "", "message"},
		{"message", kindReceived, detailGroup, "message"},
		{"group.message", kindReceived, "", ""},
		{"group.message message.received", kindReceived, detailGroup, "message.received group.message"},
		{"message.received", kindSent, "", ""},
		{"message.delivered message.read", kindAck, ackDelivered, "message.delivered"},
		{"message.delivered message.read", kindAck, ackSent, ""},
		{"message:ack message.failed", kindAck, ackFailed, "message.failed message:ack"},
		{"qr:update session.qr connection.qr", kindQR, "", "session.qr connection.qr qr:update"},
		{"contact.update", kindJoin, "", ""},
	} {
		var want eventSet
		for _, name := range strings.Fields(c.listed) {
			if !want.add(name) {
				t.Fatalf("%s is no name", name)
			}
		}
		var told []string
		want.of(c.kind, c.detail).texts(func(text string) { told = append(told, text) })
		if got := strings.Join(told, " "); got != c.told {
			t.Errorf("%q of %d %q: told as %q, want %q", c.listed, c.kind, c.detail, got, c.told)
		}
	}
	for _, none := range []string{"", "messages.received", "Message", "message.", "**"} {
		if new(eventSet).add(none) {
			t.Errorf("%q is a name", none)
		}
	}
}

// TestEncode checks that JSON is as JavaScript writes it.
func TestEncode(t *testing.T) {
	for text, want := range map[string]string{
		"a<b>&'c'": `"a<b>&'c'"`, "\u2028\u2029": "\"\u2028\u2029\"", "\ufffd": "\"\ufffd\"", "bad\xff": "\"bad\ufffd\"",
		`\u2028`: `"\\u2028"`, `\\u2029`: `"\\\\u2029"`, "\b\f\n\r\t\x1f": `"\b\f\n\r\t\u001f"`, "\x7f": "\"\x7f\"", "👍": `"👍"`,
	} {
		got, err := encode(text)
		if err != nil || string(got) != want {
			t.Errorf("%q is written as %s, %v; want %s", text, got, err, want)
		}
	}
}

// TestMessageIDs checks that ids of messages are read as they are written.
func TestMessageIDs(t *testing.T) {
	for text, want := range map[string]parsedID{
		messageID(true, "351912000001@c.us", "3EB0", ""):                         {"351912000001@c.us", "3EB0"},
		messageID(false, "120363000000000001@g.us", "3A_1", "351912000002@c.us"): {"120363000000000001@g.us", "3A_1"},
		messageID(false, "100200400@lid", "3A", ""):                              {"100200400@lid", "3A"},
		"3EB0C431": {"", "3EB0C431"}, "true_": {"", "true_"}, "true_x": {"", "true_x"}, "": {"", ""},
	} {
		if got := parseMessageID(text); got != want {
			t.Errorf("%q is read as %+v, want %+v", text, got, want)
		}
	}
	for _, n := range []int64{1, 4095, 1 << 40, 1<<60 - 1} {
		id := uuid(nounMessage, n)
		if got, ok := parseUUID(nounMessage, id); got != n || !ok {
			t.Errorf("%s of %d is read as %d, %v", id, n, got, ok)
		}
		if _, ok := parseUUID(nounConversation, id); ok {
			t.Errorf("%s of a message names a conversation", id)
		}
	}
	for _, bad := range []string{"", "x", testProfile, uuid(nounMessage, 0), strings.ToUpper(uuid(nounMessage, 10)), "00000000-0000-8c0d-8+00-000000000001"} {
		if n, ok := parseUUID(nounMessage, bad); ok {
			t.Errorf("%q is read as %d", bad, n)
		}
	}
}
