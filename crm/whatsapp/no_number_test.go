package whatsapp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waHistorySync"
	"google.golang.org/protobuf/proto"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestPersonWithoutNumber follows a person of whom WhatsApp tells the hidden id and the
// username alone: messages both ways, events, search, and what happens when the number
// becomes known, and when it changes.
func TestPersonWithoutNumber(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		carla := h.wa.NewContact("79993334455", "700000001", "Carla")
		carla.HideNumber()
		h.shop.SaveHidden(carla.HiddenID(), "Carla of the bakery", "@carla\u202e.\U0001F950")
		eventually(t, "the entry of the address book is no contact", func() bool {
			page, err := h.Contacts(t.Context(), h.Owner, testLine, crm.PageQuery{}, "carla")
			return err == nil && len(page.Items) == 1 && page.Items[0].Username != nil && *page.Items[0].Username == "carla.\U0001F950" && page.Items[0].Phone == nil
		})
		in := carla.SendText(h.shop, "no number")
		h.awaitItem(t, crm.EventMessage, `"id":"`+in+`"`, `"id":"700000001@lid"`, `"phone":null`, `"username":"carla.🥐"`, `"name":"Carla of the bakery"`)
		at := crm.ChatAddress{Line: testLine, ChatID: "700000001@lid"}
		for _, search := range []string{"carla.", "bakery", "700000001"} {
			if chat := h.onlyChat(t, search); chat.ID != at.ChatID || chat.Phone != nil {
				t.Errorf("%s finds %+v", search, chat)
			}
		}

		quoted := crm.MakeID(Type, in)
		sent, err := h.Send(t.Context(), h.Operator, at, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "none needed"}, Quoted: &quoted})
		if err != nil {
			t.Fatal(err)
		}
		out := sent.ID.String()
		got, err := carla.AwaitText(testwait.Context(t), "none needed")
		if from := got.Message.GetExtendedTextMessage().GetContextInfo(); err != nil || from.GetStanzaID() != in || from.GetParticipant() != carla.HiddenID().String() {
			t.Errorf("the answer arrived as %+v, %v", got, err)
		}
		h.awaitItem(t, crm.EventMessageStatus, `"id":"`+out+`"`, `"type":"delivered"`)
		carla.Read(h.shop, out)
		h.awaitItem(t, crm.EventMessageStatus, `"id":"`+out+`"`, `"type":"viewed"`)
		if _, err := h.MarkRead(t.Context(), h.Operator, at); err != nil {
			t.Fatal(err)
		}
		if err := carla.AwaitReceipt(testwait.Context(t), in, "read"); err != nil {
			t.Error(err)
		}
		other := "none at all"
		if _, err := h.EditMessage(t.Context(), h.Operator, at, out, crm.Edit{Text: &other}); err != nil {
			t.Fatal(err)
		}
		if _, err := carla.Await(testwait.Context(t), func(r whatsapptest.Received) bool {
			return r.Message.GetProtocolMessage().GetEditedMessage().GetConversation() == other
		}); err != nil {
			t.Errorf("the edit: %v", err)
		}

		carla.ShowNumber()
		carla.SendText(h.shop, "here is my number", whatsapptest.SendOpts{Addressing: whatsapptest.ByHiddenID})
		h.awaitItem(t, crm.EventChatMerge, `{"from":{"id":"700000001@lid"},"to":{"id":"79993334455@c.us"}}`)
		h.awaitItem(t, crm.EventMessage, "here is my number", `"id":"79993334455@c.us"`, `"username":"carla.🥐"`)
		carla.ChangeNumber("79996667788")
		carla.SendText(h.shop, "and another one", whatsapptest.SendOpts{Addressing: whatsapptest.ByHiddenID})
		h.awaitItem(t, crm.EventChatMerge, `{"from":{"id":"79993334455@c.us"},"to":{"id":"79996667788@c.us"}}`)
		h.write(t, "79996667788", "noted")
		if _, err := carla.AwaitText(testwait.Context(t), "noted"); err != nil {
			t.Fatal(err)
		}
		if chat := h.onlyChat(t, "carla"); chat.ID != "79996667788@c.us" || *chat.Phone != "79996667788" || *chat.LID != "700000001@lid" {
			t.Errorf("in the end the chat is %+v", chat)
		}
		page, err := h.Contacts(t.Context(), h.Owner, testLine, crm.PageQuery{}, "carla")
		if err != nil || len(page.Items) != 1 || page.Items[0].ID.String() != "79996667788@c.us" || page.Items[0].Username == nil {
			t.Errorf("the contacts are %+v, %v", page.Items, err)
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// TestErasureWithoutNumber deletes messages of a person of whom the hidden id alone is known,
// from both sides, also one that was never here. Nothing of them is left, and neither when
// the number becomes known.
func TestErasureWithoutNumber(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		carla := h.wa.NewContact("79993334455", "700000001", "Carla")
		carla.HideNumber()
		gone := carla.SendText(h.shop, "SECRET of Carla")
		h.awaitItem(t, crm.EventMessage, "SECRET of Carla", `"id":"700000001@lid"`)
		quoting := func(text string) *waE2E.Message {
			return whatsapptest.RichText(text, whatsapptest.Quoting("NEVERSEEN", carla.HiddenID(), whatsapptest.Text("SECRET never seen")))
		}
		carla.Send(h.shop, quoting("about that"))
		h.awaitItem(t, crm.EventMessage, "about that", "SECRET never seen")
		out := h.write(t, "700000001@lid", "SECRET of ours")
		if _, err := carla.AwaitText(testwait.Context(t), "SECRET of ours"); err != nil {
			t.Fatal(err)
		}
		h.awaitItem(t, crm.EventMessageStatus, `"id":"`+out+`"`, `"type":"delivered"`)
		for _, id := range []string{gone, "NEVERSEEN"} {
			carla.Send(h.shop, whatsapptest.Revoke(carla.KeyOf(h.shop, id, true)))
			h.awaitItem(t, crm.EventMessageDelete, `"id":"`+id+`"`, `"chat":{"id":"700000001@lid"}`)
		}
		at := crm.ChatAddress{Line: testLine, ChatID: "700000001@lid"}
		if err := h.DeleteMessage(t.Context(), h.Operator, at, out); err != nil {
			t.Fatal(err)
		}
		if _, err := carla.Await(testwait.Context(t), func(r whatsapptest.Received) bool {
			return r.Message.GetProtocolMessage().GetKey().GetID() == out
		}); err != nil {
			t.Errorf("our deletion: %v", err)
		}
		carla.ShowNumber()
		carla.Send(h.shop, quoting("my number"), whatsapptest.SendOpts{Addressing: whatsapptest.ByHiddenID})
		h.awaitItem(t, crm.EventMessage, "my number", `"id":"79993334455@c.us"`, `"quotedMessage":{"id":"NEVERSEEN"`)
		for _, ev := range h.Events(t) {
			if strings.Contains(ev.Data, "SECRET") {
				t.Errorf("an event is %s", ev.Data)
			}
		}
		found, err := h.SearchMessages(t.Context(), h.Owner, testLine, crm.SearchQuery{Search: "secret"})
		list, err2 := h.Messages(t.Context(), h.Owner, at, crm.MessageQuery{})
		if err != nil || err2 != nil || len(found.Items) != 0 || len(list.Items) != 4 {
			t.Fatalf("found are %+v, %v, listed %d, %v", found.Items, err, len(list.Items), err2)
		}
		for _, m := range list.Items {
			if q := m.QuotedMessage; strings.Contains(m.Message.Text, "SECRET") || q != nil && q.Message != nil && q.Message.Text != "" {
				t.Errorf("listed is %+v, quoting %+v", m.Message, q)
			}
		}
	})
}

// TestNumberOfAnother gives the number of a customer to another person, while an answer to the
// customer waits. It reaches the customer, and the other person gets a chat of their own.
func TestNumberOfAnother(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		carla := h.wa.NewContact("79993334455", "700000001", "Carla")
		carla.SendText(h.shop, "this is Carla")
		h.awaitItem(t, crm.EventMessage, "this is Carla", `"id":"79993334455@c.us"`, `"lid":"700000001@lid"`)
		h.wa.Unavailable(true)
		h.shop.Drop()
		h.awaitState(t, crm.StateDisconnected)
		h.write(t, "79993334455", "for Carla alone")
		carla.ChangeNumber("79996667788")
		dora := h.wa.NewContact("79993334455", "700000002", "Dora")
		dora.SendText(h.shop, "this is Dora")
		h.wa.Unavailable(false)
		h.awaitItem(t, crm.EventMessage, "this is Dora", `"id":"79993334455@c.us"`, `"lid":"700000002@lid"`)
		if _, err := carla.AwaitText(testwait.Context(t), "for Carla alone"); err != nil {
			t.Fatal(err)
		}
		h.onlyForDora(t, dora)
		carla.SendText(h.shop, "my new number", whatsapptest.SendOpts{Addressing: whatsapptest.ByHiddenID})
		h.awaitItem(t, crm.EventMessage, "my new number", `"id":"79996667788@c.us"`, `"lid":"700000001@lid"`)
		for search, texts := range map[string]int{"79996667788": 3, "79993334455": 2} {
			chat := h.onlyChat(t, search)
			list, err := h.Messages(t.Context(), h.Owner, crm.ChatAddress{Line: testLine, ChatID: chat.ID}, crm.MessageQuery{})
			if err != nil || len(list.Items) != texts {
				t.Errorf("%d messages in %s, %v; want %d", len(list.Items), chat.ID, err, texts)
			}
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// onlyForDora writes to the number that is Dora's now. She gets that, and nothing of Carla's.
func (h *harness) onlyForDora(t *testing.T, dora *whatsapptest.Contact) {
	t.Helper()
	h.write(t, "79993334455", "for Dora")
	if _, err := dora.AwaitText(testwait.Context(t), "for Dora"); err != nil {
		t.Fatal(err)
	}
	for _, got := range dora.Inbox() {
		if got.Text() == "for Carla alone" {
			t.Error("the other person got what was written to the customer")
		}
	}
}

// TestNumberOfAnotherMeanwhile gives the number of a customer to another person while a file
// is fetched that goes to the customer.
func TestNumberOfAnotherMeanwhile(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		asked, release := make(chan struct{}), make(chan struct{})
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked <- struct{}{}
			<-release
			io.WriteString(w, "for Carla alone")
		}))
		t.Cleanup(web.Close)
		h.pair(t)
		carla := h.wa.NewContact("79993334455", "700000001", "Carla")
		carla.SendText(h.shop, "this is Carla")
		h.awaitItem(t, crm.EventMessage, "this is Carla", `"id":"79993334455@c.us"`, `"lid":"700000001@lid"`)
		at := crm.ChatAddress{Line: testLine, ChatID: "79993334455"}
		if _, err := h.SendLink(t.Context(), h.Operator, at, web.URL+"/carla.txt", "", crm.Outgoing{Content: crm.Content{Caption: "for Carla alone"}}); err != nil {
			t.Fatal(err)
		}
		<-asked
		carla.ChangeNumber("79996667788")
		dora := h.wa.NewContact("79993334455", "700000002", "Dora")
		dora.SendText(h.shop, "this is Dora")
		h.awaitItem(t, crm.EventMessage, "this is Dora", `"id":"79993334455@c.us"`, `"lid":"700000002@lid"`)
		release <- struct{}{}
		if _, err := carla.AwaitText(testwait.Context(t), "for Carla alone"); err != nil {
			t.Error(err)
		}
		h.onlyForDora(t, dora)
		if chat := h.onlyChat(t, "Carla"); chat.ID != "700000001@lid" || chat.LastMessage == nil || chat.LastMessage.Message.Caption != "for Carla alone" {
			t.Errorf("Carla's chat is %+v", chat)
		}
	}, privateLinks)
}

// TestNumberThatIsAHiddenID writes to a number of which WhatsApp tells the hidden id alone.
// The chat has both then.
func TestNumberThatIsAHiddenID(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		carla := h.wa.NewContact("79993334455", "700000001", "Carla")
		carla.HideNumber()
		h.write(t, "79993334455", "is this you?")
		if _, err := carla.AwaitText(testwait.Context(t), "is this you?"); err != nil {
			t.Fatal(err)
		}
		carla.SendText(h.shop, "it is")
		h.awaitItem(t, crm.EventMessage, "it is", `"id":"79993334455@c.us"`, `"lid":"700000001@lid"`)
		h.onlyChat(t, "")
	})
}

// TestHistoryNamesPeople imports chats of the history that tell both ids of a person, the
// username, and entries of the address book.
func TestHistoryNamesPeople(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		carla := h.wa.NewContact("79993334455", "700000001", "")
		dora := h.wa.NewContact("79993334466", "700000002", "")
		eva := h.wa.NewContact("79993334477", "700000003", "Eva")
		carla.HideNumber()
		dora.HideNumber()
		said := func(text string) []whatsapptest.Past {
			return []whatsapptest.Past{{ID: strings.ToUpper(strings.ReplaceAll(text, " ", "")), Time: time.Now().Add(-time.Hour), What: whatsapptest.Text(text)}}
		}
		h.shop.SetHistory(true,
			whatsapptest.PastChat{Chat: carla.HiddenID(), Username: "carla", Messages: said("by username")},
			whatsapptest.PastChat{Chat: dora.HiddenID(), Other: dora.Number(), Name: "Dora", Messages: said("by both ids")})
		h.pair(t)
		h.shop.SendHistory(&waHistorySync.HistorySync{
			SyncType: waHistorySync.HistorySync_RECENT.Enum(), ChunkOrder: proto.Uint32(2),
			InlineContacts: []*waHistorySync.InlineContact{{
				PnJID: proto.String(eva.Number().String()), LidJID: proto.String(eva.HiddenID().String()),
				FullName: proto.String("Eva of the mill"), Username: proto.String("eva"),
			}, {PnJID: proto.String("@@"), LidJID: proto.String("x@lid"), FullName: proto.String("nobody")}},
		}, true)
		eventually(t, "the history is not there", func() bool {
			chats, err := h.Chats(t.Context(), h.Owner, testLine, crm.ChatQuery{})
			people, err2 := h.Contacts(t.Context(), h.Owner, testLine, crm.PageQuery{}, "mill")
			return err == nil && err2 == nil && len(chats.Items) == 2 && len(people.Items) == 1
		})
		if chat := h.onlyChat(t, "carla"); chat.ID != "700000001@lid" || chat.Phone != nil {
			t.Errorf("carla's chat is %+v", chat)
		}
		if chat := h.onlyChat(t, "dora"); chat.ID != "79993334466@c.us" || chat.LID == nil || *chat.LID != "700000002@lid" {
			t.Errorf("Dora's chat is %+v", chat)
		}
		eva.SendText(h.shop, "first words", whatsapptest.SendOpts{Addressing: whatsapptest.HiddenIDOnly})
		h.awaitItem(t, crm.EventMessage, "first words", `"id":"79993334477@c.us"`, `"username":"eva"`, `"name":"Eva of the mill"`)
	})
}

// TestAnswerWithoutHiddenID writes to a customer whose hidden id the chat has, when WhatsApp's
// answer about the number names none, because the number is another person's now. The
// message and the read mark reach the customer.
func TestAnswerWithoutHiddenID(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	carla := w.NewContact("79996667788", "700000001", "Carla")
	dora := w.NewContact("79993334455", "", "Dora")
	item := crm.OutboxItem{Kind: crm.OutMessage, ChatID: "79993334455@c.us", LID: "700000001@lid", Message: &crm.MessageRef{
		ID: "3EB0C1", FromMe: true, Type: crm.MessageText, Content: crm.Content{Text: "for Carla alone"},
	}}
	w.enqueue(item)
	item.Kind, item.Message, item.Reads = crm.OutRead, nil, []crm.MessageRef{{ID: "HERS", AuthorID: item.ChatID, Type: crm.MessageText}}
	w.enqueue(item)
	for n := range 2 {
		if o := w.awaitOutcome(t, n+1); o.Status != crm.OutSent {
			t.Errorf("outcome %d is %+v", n, o)
		}
	}
	if _, err := carla.AwaitText(testwait.Context(t), "for Carla alone"); err != nil {
		t.Error(err)
	}
	if err := carla.AwaitReceipt(testwait.Context(t), "HERS", "read"); err != nil {
		t.Error(err)
	}
	if got := dora.Inbox(); len(got) > 0 {
		t.Errorf("the other person got %+v", got)
	}
	w.sound(t)
}
