package evolution_test

import (
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/server/evolution"
	"chatcast/server/evolution/shape"
)

// The numbers in the names of these tests are those of the complaints of Evolution's users that
// docs/dialects.md lists. More are in shape and in cmd/chatcast/e2e/evolution.

// TestComplaint5NoDoubleSends: a request that is repeated with its Idempotency-Key sends once.
func TestComplaint5NoDoubleSends(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		body := `{` + anna + `,"text":"Once"}`
		_, first, _ := w.request(w.company, "POST /message/sendText/shop", body, "Idempotency-Key: k1")
		for range 3 {
			if status, again, _ := w.request(w.line, "POST /message/sendText/shop", body, "Idempotency-Key: k2"); status != 201 || again == first {
				t.Fatalf("another key: %d %s", status, again)
			}
			if status, again, _ := w.request(w.company, "POST /message/sendText/shop", body, "Idempotency-Key: k1"); status != 201 || again != first {
				t.Fatalf("the repeat: %d %s, the first %s", status, again, first)
			}
		}
		if sent := w.Events(t, crm.EventMessage); len(sent) != 2 {
			t.Errorf("%d messages were sent, want 2", len(sent))
		}
	})
}

// TestComplaint12BothForms: a number that WhatsApp knows in its other form is there, for sends and
// for whatsappNumbers.
func TestComplaint12BothForms(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Messengers["grWhatsApp"] = &arranging{Connector: w.Connect("grWhatsApp")}
		device, phone := "1:7@s.whatsapp.net", "79990000000"
		if err := w.SetLineState(t.Context(), onShop, crm.LineState{State: crm.StateConnected, Device: &device, Phone: &phone}); err != nil {
			t.Fatal(err)
		}
		for _, number := range []string{"5531988887777", "553188887777", "+55 (31) 98888-7777"} {
			status, answer, _ := w.request(w.line, "POST /message/sendText/shop", `{"number":"`+number+`","text":"Oi"}`)
			if status != 201 || !strings.Contains(answer, `"remoteJid":"553188887777@s.whatsapp.net"`) {
				t.Errorf("%s: %d %s", number, status, answer)
			}
		}
		w.want(w.line, "POST /message/sendText/shop", `{"number":"5531977776666","text":"Oi"}`, 400,
			`{"status":400,"error":"Bad Request","response":{"message":[{"jid":"553177776666@s.whatsapp.net","exists":false,"number":"5531977776666"}]}}`)
	})
}

// TestComplaint14VerbsAndAliases: routes whose verb differs in the versions have both, and either
// name of groups.update asks for it.
func TestComplaint14VerbsAndAliases(t *testing.T) {
	routes := evolution.Routes()
	for _, path := range []string{
		"instance/restart", "chat/markMessageAsRead", "chat/archiveChat", "chat/markChatUnread", "chat/updateMessage", "chat/updateBlockStatus", "chat/updateProfilePicture",
		"chat/updatePrivacySettings", "group/updateGroupPicture", "group/updateGroupSubject", "group/updateGroupDescription", "group/revokeInviteCode",
		"group/updateParticipant", "group/updateSetting", "group/toggleEphemeral", "label/handleLabel",
	} {
		for _, verb := range []string{"POST", "PUT"} {
			if !slices.Contains(routes, verb+" /"+path+"/:instance") {
				t.Errorf("there is no %s /%s", verb, path)
			}
		}
	}
	if !slices.Contains(routes, "GET /chat/findChats/:instance") || !slices.Contains(routes, "POST /chat/findChats/:instance") {
		t.Error("findChats has one verb")
	}
	for _, name := range []string{"GROUP_UPDATE", "GROUPS_UPDATE"} {
		f, err := shape.ParseEvents([]string{name})
		if err != nil || !f.Has("groups.update", shape.V2) || !f.Has("groups.update", shape.V1) {
			t.Errorf("%s does not ask for groups.update, %v", name, err)
		}
	}
}

// TestComplaint15BodiesOfBothVersions: bodies of either version and mixtures of them are accepted,
// an error names the field that is missing, and nothing is served without a key.
func TestComplaint15BodiesOfBothVersions(t *testing.T) {
	w := onSQLite(t)
	hello := object("conversation", `"conversation":"Hello"`, "")
	for _, body := range []string{
		`{` + anna + `,"text":"Hello"}`, `{` + anna + `,"textMessage":{"text":"Hello"}}`, `{` + anna + `,"textMessage":{"text":"Hello"},"delay":1}`,
		`{` + anna + `,"options":{"delay":1,"presence":"composing"},"text":"Hello"}`,
	} {
		w.want(w.company, "POST /message/sendText/shop", body, 201, hello)
		w.want("", "POST /message/sendText/shop", body, 401, unauthorizedText)
	}
	w.want(w.company, "POST /message/sendText/shop", `{`+anna+`,"textMessage":{"txt":"Hello"}}`, 400, invalid(`instance requires property "text"`))
	for status, want := range map[string]string{"": "PENDING", "sent": "SERVER_ACK", "delivered": "DELIVERY_ACK", "viewed": "READ", "played": "PLAYED", "failed": "ERROR"} {
		if got := shape.Status(status); got != want {
			t.Errorf("%q is %s, want %s", status, got, want)
		}
	}
}
