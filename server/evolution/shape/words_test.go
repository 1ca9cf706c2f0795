package shape_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

// TestMemberNames checks the names of WhatsApp's members against Evolution's.
func TestMemberNames(t *testing.T) {
	for name, want := range map[string]string{
		"URL": "url", "fileSHA256": "fileSha256", "fileEncSHA256": "fileEncSha256", "JPEGThumbnail": "jpegThumbnail",
		"stanzaID": "stanzaId", "remoteJID": "remoteJid", "mentionedJID": "mentionedJid", "groupJID": "groupJid",
		"timestampMS": "timestampMs", "senderTimestampMS": "senderTimestampMs", "encIV": "encIv", "paramsJSON": "paramsJson",
		"PTT": "ptt", "sourceURL": "sourceUrl", "selectedRowID": "selectedRowId", "requestURLPreview": "requestUrlPreview",
		"faviconMMSMetadata": "faviconMmsMetadata", "keyIDs": "keyIds",
		"text": "text", "contextInfo": "contextInfo", "amount1000": "amount1000", "isGroupMention": "isGroupMention", "ID": "id", "Name": "name",
	} {
		if got := shape.MemberName(name); got != want {
			t.Errorf("%s becomes %s, want %s", name, got, want)
		}
	}
}

func TestMembersAreRenamedAtAllDepths(t *testing.T) {
	got, ok := shape.RenameMembers(json.RawMessage(`{"URL":"https://x/?ID=1","list":[{"fileSHA256":"AA=="},1.50,true,null],"n":12345678901234567890,"o":{}}`))
	want := `{"url":"https://x/?ID=1","list":[{"fileSha256":"AA=="},1.50,true,null],"n":12345678901234567890,"o":{}}`
	if !ok || string(got) != want {
		t.Errorf("got %s, %v", got, ok)
	}
	for _, bad := range []string{``, `{`, `{"a":}`, `{} {}`, `{"":1}`, strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100)} {
		if got, ok := shape.RenameMembers(json.RawMessage(bad)); ok {
			t.Errorf("%q becomes %s", bad, got)
		}
	}
}

func TestSource(t *testing.T) {
	for id, want := range map[string]string{
		"3A6C1F0E2B4D5A7C9E10": "ios", "3EB0C2D4E6F8091A2B3C4D": "web",
		strings.Repeat("A", 32): "android", strings.Repeat("b", 21): "android",
		"3F0000": "desktop", strings.Repeat("0", 18): "desktop",
		"": "unknown", "CALL1": "unknown", "3A6C1F0E2B4D5A7C9E1G": "unknown", "BAE5" + strings.Repeat("0", 12): "unknown",
	} {
		if got := shape.Source(id); got != want {
			t.Errorf("%q is from %s, want %s", id, got, want)
		}
	}
}

func TestJIDs(t *testing.T) {
	for id, want := range map[string]string{
		"79990001122@c.us": "79990001122@s.whatsapp.net", "79990001122": "79990001122@s.whatsapp.net", "79990001122@s.whatsapp.net": "79990001122@s.whatsapp.net",
		"1@lid": "1@lid", "1-2@g.us": "1-2@g.us", "1@newsletter": "1@newsletter", "private-1h2": "private-1h2", "": "",
	} {
		if got := shape.JID(id); got != want {
			t.Errorf("JID of %q is %q, want %q", id, got, want)
		}
	}
	for jid, want := range map[string]string{
		"79990001122:12@s.whatsapp.net": "79990001122@c.us", "79990001122@c.us": "79990001122@c.us", "1:3@lid": "1@lid", "1@g.us": "1@g.us", "7999": "7999",
	} {
		if got := shape.ID(jid); got != want {
			t.Errorf("id of %q is %q, want %q", jid, got, want)
		}
	}
}

func TestStates(t *testing.T) {
	for state, want := range map[string]string{
		crm.StateConnected: "open", crm.StateConnecting: "connecting", crm.StatePairing: "connecting", crm.StatePasskey: "connecting",
		crm.StateDisconnected: "connecting", crm.StateLoggedOut: "close", crm.StateBanned: "close", crm.StateReplaced: "close",
		crm.StateOutdated: "close", crm.StateNotSetUp: "close", "": "close",
	} {
		if got := shape.LineState(crm.LineStatus{State: state, Reconnects: true}); got != want {
			t.Errorf("%q is %s, want %s", state, got, want)
		}
	}
	if got := shape.LineState(crm.LineStatus{State: crm.StateDisconnected}); got != "close" {
		t.Errorf("a line without an account is %s", got)
	}
}

// TestFilter checks which events an instance's list lets pass.
func TestFilter(t *testing.T) {
	all, err := shape.ParseEvents(nil)
	if err != nil || all != 0 {
		t.Fatalf("no list is %d, %v", all, err)
	}
	parse := func(names ...string) shape.Filter {
		t.Helper()
		f, err := shape.ParseEvents(names)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	upserts := parse("MESSAGES_UPSERT")
	for _, test := range []struct {
		what   string
		filter shape.Filter
		wire   string
		shape  shape.Shape
		want   bool
	}{
		{"all", all, "messages.upsert", shape.V2, true},
		{"all", all, "send.message.update", shape.V1, true},
		{"all, of an event that is never sent", all, "typebot.start", shape.V2, false},
		{"all, of no event", all, "messages.nothing", shape.V2, false},
		{"one", upserts, "messages.upsert", shape.V2, true},
		{"one, another", upserts, "messages.update", shape.L2msg, false},
		{"one, state of the instance", upserts, "status.instance", shape.V2, false},
		{"one, state of the instance in v1", upserts, "status.instance", shape.V1, true},
		{"an event that v1 does not know", parse("MESSAGES_EDITED"), "messages.edited", shape.V1, false},
		{"the same in v2", parse("MESSAGES_EDITED"), "messages.edited", shape.V2, true},
		{"GROUP_UPDATE", parse("GROUP_UPDATE"), "groups.update", shape.V2, true},
		{"GROUPS_UPDATE", parse("GROUPS_UPDATE"), "groups.update", shape.V2, true},
		{"only what is never sent", parse("TYPEBOT_START"), "messages.upsert", shape.V2, false},
	} {
		if got := test.filter.Has(test.wire, test.shape); got != test.want {
			t.Errorf("%s: %s in %s: %v", test.what, test.wire, test.shape, got)
		}
	}
	if _, err := shape.ParseEvents([]string{"MESSAGES_UPSERT", "MESSAGE_UPSERT"}); err == nil || !strings.Contains(err.Error(), `"MESSAGE_UPSERT"`) {
		t.Errorf("an unknown name: %v", err)
	}
	if got := parse(shape.EventNames()...).Events(); !slices.Contains(got, "GROUP_UPDATE") || len(got) != len(shape.EventNames())-1 {
		t.Errorf("all names are %v", got)
	}
	if got := shape.Dashed("group-participants.update"); got != "group-participants-update" {
		t.Errorf("dashed %s", got)
	}
}

// FuzzRender gives Render data of any kind: it does not panic, and what it makes is JSON.
func FuzzRender(f *testing.F) {
	names := []string{"message", "messageStatus", "messageEdit", "messageDelete", "chatRead", "chatStatus", "chatName", "chatTag", "chatMerge", "chatPresence", "chatGroup", "contactName", "messengerStatus", "qr", "call", "instance", "companyTag"}
	for _, item := range []string{
		`{}`, `{"type":"text","message":{"text":"Hi"},"chat":{"id":"1@c.us"}}`, `{"type":"poll","message":{}}`, `{"type":"reaction"}`, `{"type":"contact"}`,
		`{"type":"unknown","subtype":"xMessage","message":{"original":{"URL":{"ID":[1]}}},"utm":[]}`, `{"type":"image","subtype":"viewOnce","quotedMessage":{"id":"1"}}`,
		`{"type":"join"}`, `{"type":"add","members":[{}]}`, `{"state":"connected","was":"x"}`, `{"qr":"` + strings.Repeat("x", 5000) + `"}`, `null`,
	} {
		f.Add(uint8(0), `{"payload":{"data":[`+item+`],"meta":{}}}`)
	}
	f.Add(uint8(3), `[]`)
	f.Fuzz(func(t *testing.T, n uint8, data string) {
		for i := range names {
			ev := shape.Event{Name: names[(int(n)+i)%len(names)], Data: data, At: sentAt}
			for _, s := range shapes {
				emits, _ := shape.Render(ev, shop, s)
				for _, emit := range emits {
					if !json.Valid(emit.Data) || !json.Valid(emit.WithDestination("https://x").WithBase64([]byte("x"))) {
						t.Fatalf("%s becomes %s", ev.Name, emit.Data)
					}
				}
			}
		}
	})
}
