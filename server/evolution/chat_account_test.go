package evolution_test

import (
	"context"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
)

// arranging is a messenger whose accounts arrange chats, block people, are seen online and can be
// asked about numbers. It does what it is asked, and tells what that was.
type arranging struct {
	*crmtest.Connector
	asked []string
	lid   string // of the number that CheckNumbers knows
}

var (
	_ crm.ChatStateMessenger = (*arranging)(nil)
	_ crm.Blocker            = (*arranging)(nil)
	_ crm.PresenceMessenger  = (*arranging)(nil)
	_ crm.NumberChecker      = (*arranging)(nil)
)

func (m *arranging) SetChatState(_ context.Context, _ crm.Line, at crm.ChatPlace, ch crm.ChatStateChanges) error {
	if ch.Archived.Set {
		m.asked = append(m.asked, "archive "+at.ChatID)
	} else {
		m.asked = append(m.asked, "unread "+at.ChatID)
	}
	return nil
}

func (m *arranging) Block(_ context.Context, _ crm.Line, id string, blocked bool) error {
	m.asked = append(m.asked, map[bool]string{true: "block ", false: "unblock "}[blocked]+id)
	return nil
}

func (m *arranging) SetPresence(_ context.Context, _ crm.Line, online bool) error {
	m.asked = append(m.asked, map[bool]string{true: "online", false: "offline"}[online])
	return nil
}

// CheckNumbers knows one number, in the form without the ninth digit.
func (m *arranging) CheckNumbers(_ context.Context, _ crm.Line, numbers []string, begin func() error) (map[string]crm.CheckedNumber, error) {
	if err := begin(); err != nil {
		return nil, err
	}
	found := map[string]crm.CheckedNumber{}
	for _, n := range numbers {
		found[n] = crm.CheckedNumber{}
		if n == "553188887777" {
			found[n] = crm.CheckedNumber{Exists: true, Phone: n, LID: m.lid}
		}
	}
	return found, nil
}

// TestChatsOfAnAccount asks what only a line with an account of its own can do.
func TestChatsOfAnAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := &arranging{Connector: w.Connect("grWhatsApp")}
		w.Messengers["grWhatsApp"] = m
		device, phone := "1:7@s.whatsapp.net", "79990000000"
		if err := w.SetLineState(t.Context(), onShop, crm.LineState{State: crm.StateConnected, Device: &device, Phone: &phone}); err != nil {
			t.Fatal(err)
		}
		w.talk()
		const ann = "79990001122@s.whatsapp.net"
		w.want(w.line, "PUT /chat/archiveChat/shop", `{"lastMessage":{"key":{"id":"`+hiID+`"}},"archive":true}`, 201, `{"chatId":"`+ann+`","archived":true}`)
		w.want(w.line, "POST /chat/archiveChat/shop", `{"chat":"`+ann+`","archive":false}`, 201, `{"chatId":"`+ann+`","archived":false}`)
		w.want(w.line, "PUT /chat/markChatUnread/shop", `{"lastMessage":{"key":{"remoteJid":"`+ann+`","id":"x"}}}`, 201, `{"chatId":"`+ann+`","markedChatUnread":true}`)
		w.want(w.line, "PUT /chat/updateBlockStatus/shop", `{"number":"79990001122","status":"block"}`, 201, `{"block":"success"}`)
		w.want(w.line, "POST /message/updateBlockStatus/shop", `{"number":"79990001122","status":"unblock"}`, 201, `{"block":"success"}`)
		w.want(w.company, "POST /chat/sendPresence/shop", `{"number":"79990001122","presence":"available","delay":1}`, 201, `{"presence":"available"}`)
		w.want(w.line, "POST /chat/whatsappNumbers/shop", `{"numbers":["5531988887777","351912000009"]}`, 200,
			`[{"jid":"553188887777@s.whatsapp.net","exists":true,"number":"5531988887777"},{"jid":"351912000009@s.whatsapp.net","exists":false,"number":"351912000009"}]`)
		want := []string{"archive " + annChat, "archive " + annChat, "unread " + annChat, "block " + annChat, "unblock " + annChat, "online"}
		if len(m.asked) != len(want) {
			t.Fatalf("asked for %q, want %q", m.asked, want)
		}
		for i := range want {
			if m.asked[i] != want[i] {
				t.Errorf("asked for %q, want %q", m.asked[i], want[i])
			}
		}
	})
}
