package whatsapp

import (
	"slices"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// write sends a text of an operator to whatever was typed as the chat.
func (h *harness) write(t *testing.T, typed, text string) string {
	t.Helper()
	sent, err := h.Send(t.Context(), h.Operator, crm.ChatAddress{Line: testLine, ChatID: typed}, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: text}})
	if err != nil {
		t.Fatal(err)
	}
	return sent.ID.String()
}

// onlyChat returns the one chat that a search finds.
func (h *harness) onlyChat(t *testing.T, search string) crm.ChatData {
	t.Helper()
	page, err := h.Chats(t.Context(), h.Owner, testLine, crm.ChatQuery{Search: search})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%d chats of %s, %v", len(page.Items), search, err)
	}
	return page.Items[0]
}

// TestTypedNumber checks that a chat that was begun with another form of a number gets the
// address that WhatsApp answers, with the hidden id, and that all its messages stay
// together, whichever form is written to afterwards.
func TestTypedNumber(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		for _, c := range []struct {
			typed, number, lid string
			answered           bool   // WhatsApp knows the person by the typed number, too
			found              string // the number by which the chat is found in the end, beside its own
		}{
			{"5544997586617", "554497586617", "500000001", true, "5544997586617"},
			{"554497586618", "5544997586618", "500000002", true, "554497586618"},
			{"525512345678", "5215512345678", "500000003", false, "525512345678"},
			{"541123456789", "5491123456789", "500000004", false, "541123456789"},
			{"4915112345678", "4915187654321", "500000005", true, "4915187654321"}, // another number: anybody may get the first
			{"4915112345670", "4915112345670", "500000006", false, "4915112345670"},
		} {
			maria := h.wa.NewContact(c.number, c.lid, "Maria "+c.lid)
			if c.answered {
				maria.AlsoTyped(c.typed)
			}
			first := h.write(t, c.typed, "first to "+c.typed)
			if _, err := maria.AwaitText(testwait.Context(t), "first to "+c.typed); err != nil {
				t.Fatal(err)
			}
			if c.typed != c.number {
				h.awaitItem(t, crm.EventChatMerge, c.typed+"@c.us", c.number+"@c.us")
			}
			h.awaitItem(t, crm.EventMessageStatus, `"id":"`+first+`"`, `"type":"delivered"`)
			if chat := h.onlyChat(t, c.number); chat.ID != c.number+"@c.us" || chat.LID == nil || *chat.LID != c.lid+"@lid" {
				t.Errorf("%s: before the answer the chat is %+v", c.typed, chat)
			}
			maria.SendText(h.shop, "answer to "+c.typed, whatsapptest.SendOpts{Addressing: whatsapptest.HiddenIDOnly})
			h.awaitItem(t, crm.EventMessage, "answer to "+c.typed, `"id":"`+c.number+`@c.us"`)
			h.write(t, c.typed, "again to "+c.typed)
			if _, err := maria.AwaitText(testwait.Context(t), "again to "+c.typed); err != nil {
				t.Fatal(err)
			}
			list, err := h.Messages(t.Context(), h.Owner, crm.ChatAddress{Line: testLine, ChatID: c.found}, crm.MessageQuery{})
			if err != nil || len(list.Items) != 3 {
				t.Errorf("%s: %d messages in the chat, %v", c.typed, len(list.Items), err)
			}
			if chat := h.onlyChat(t, c.found); chat.ID != c.number+"@c.us" {
				t.Errorf("%s finds %+v", c.found, chat)
			}
			if chat := h.onlyChat(t, "Maria "+c.lid); chat.ID != c.number+"@c.us" || chat.Phone == nil || *chat.Phone != c.number {
				t.Errorf("%s: the chat is %+v", c.typed, chat)
			}
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// TestTerseAnswer checks that a chat gets its address and its hidden id from an answer of
// WhatsApp that does not say which number it is about, also when the hidden id is all that
// WhatsApp tells.
func TestTerseAnswer(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.wa.Terse(true)
		for _, c := range []struct {
			typed, number, lid string
			private            bool
		}{
			{"4915112345671", "4915112345671", "500000011", false},
			{"4915112345672", "4915112345672", "500000012", true},
			{"5544997586619", "554497586619", "500000013", false},
		} {
			maria := h.wa.NewContact(c.number, c.lid, "Maria "+c.lid)
			if c.private {
				maria.HideNumber()
			}
			h.write(t, c.typed, "first to "+c.typed)
			if _, err := maria.AwaitText(testwait.Context(t), "first to "+c.typed); err != nil {
				t.Fatal(err)
			}
			maria.SendText(h.shop, "answer to "+c.typed, whatsapptest.SendOpts{Addressing: whatsapptest.HiddenIDOnly})
			h.awaitItem(t, crm.EventMessage, "answer to "+c.typed, `"id":"`+c.number+`@c.us"`)
		}
	})
}

// TestTypedNumberOfAKnownChat types another form of a number that wrote before. The file
// and the text behind it arrive in order, and all of it is in the chat that was there.
func TestTypedNumberOfAKnownChat(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		maria := h.wa.NewContact("554497586617", "500000001", "Maria")
		maria.AlsoTyped("5544997586617")
		maria.SendText(h.shop, "hello")
		h.awaitItem(t, crm.EventMessage, `"hello"`, `"id":"554497586617@c.us"`)
		typed := crm.ChatAddress{Line: testLine, ChatID: "5544997586617"}
		h.wa.Unavailable(true)
		h.shop.Drop()
		h.awaitState(t, crm.StateDisconnected)
		if _, err := h.CreateChat(t.Context(), h.Operator, testLine, crm.ChatInput{Phone: crm.Field[string]{Set: true, Value: typed.ChatID}}); err != nil {
			t.Fatal(err)
		}
		upload, err := h.StoreUpload(t.Context(), h.Operator, typed, "a.txt", "text/plain", strings.NewReader("of a"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.SendFile(t.Context(), h.Operator, typed, upload, "", crm.Outgoing{Content: crm.Content{Caption: "the file"}}); err != nil {
			t.Fatal(err)
		}
		h.write(t, typed.ChatID, "the text behind it")
		h.wa.Unavailable(false)
		if _, err := maria.AwaitText(testwait.Context(t), "the text behind it"); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range maria.Inbox() {
			got = append(got, r.Text())
		}
		if !slices.Equal(got, []string{"the file", "the text behind it"}) {
			t.Errorf("arrived as %q", got)
		}
		chat := h.onlyChat(t, "Maria")
		list, err := h.Messages(t.Context(), h.Owner, typed, crm.MessageQuery{})
		if err != nil || len(list.Items) != 3 || chat.ID != "554497586617@c.us" {
			t.Errorf("%d messages in %s, %v", len(list.Items), chat.ID, err)
		}
	})
}

// TestCardNumber checks that a contact card that is sent names the number by which
// WhatsApp knows the person, and none for a person without WhatsApp.
func TestCardNumber(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.NewContact("554497586617", "500000001", "Maria").AlsoTyped("5544997586617")
	for i, c := range []struct{ phone, want string }{
		{"+55 44 99758-6617", ";waid=554497586617:+55 44 99758-6617"},
		{"+7 999 000 00 00", "TEL;type=CELL:+7 999 000 00 00"},
		{"extension 7", "TEL;type=CELL:extension 7"},
	} {
		id := "3EB9" + string(rune('0'+i))
		w.send(crm.MessageRef{ID: id, Type: crm.MessageContact, Content: crm.Content{Contact: &crm.ContactCard{Name: "Maria", Phone: c.phone}}})
		if card := w.received(t, id).Message.GetContactMessage().GetVcard(); !strings.Contains(card, c.want) {
			t.Errorf("%s arrived as %q", c.phone, card)
		}
	}
	w.sound(t)
}
