package whatsapp

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/appstate"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/bridge"
	"chatcast/crm/crmtest"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// harness is a company with the real rules over a real database, and a stand-in for
// WhatsApp that its line is paired with.
type harness struct {
	*crmtest.World
	wa   *whatsapptest.Server
	shop *whatsapptest.Account
	anna *whatsapptest.Contact
	m    *Messenger
	stop func() // stops m
}

// eachHarness runs a test over SQLite and over PostgreSQL.
func eachHarness(t *testing.T, test func(t *testing.T, h *harness), opts ...func(*Options)) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		t.Parallel()
		harnessIn(t, store, test, opts...)
	})
}

func harnessIn(t *testing.T, store *models.Store, test func(t *testing.T, h *harness), opts ...func(*Options)) {
	srv := newStandin(t)
	h := &harness{
		World: crmtest.New(t, store), wa: srv,
		shop: srv.NewAccount("79990001122", "100200300", "Shop"),
		anna: srv.NewContact("79995554433", "100200301", "Anna"),
	}
	h.Service.Now = time.Now // WhatsApp's messages have today's time
	h.m, h.stop = h.node(t, h.Service, opts...)
	h.Service.Messengers[Type] = h.m
	test(t, h)
}

// node starts a process that serves the company's lines; stop ends it.
func (h *harness) node(t *testing.T, rules Rules, opts ...func(*Options)) (m *Messenger, stop func()) {
	t.Helper()
	return h.nodeOn(t, h.Store, rules, opts...)
}

// nodeOn is node with a pool of its own to the database.
func (h *harness) nodeOn(t *testing.T, store *models.Store, rules Rules, opts ...func(*Options)) (m *Messenger, stop func()) {
	t.Helper()
	db, dialect, err := store.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root := h.wa.Root()
	o := Options{
		DB: db, Dialect: dialect, Endpoint: h.wa.Addr(), RootKey: hex.EncodeToString(root[:]), Unpaired: bridge.Messenger{},
		Log: testLog(), times: patient,
	}
	if dialect == "postgres" {
		o.Keys = testKeys
	}
	for _, f := range opts {
		f(&o)
	}
	if m, err = New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	m.Serve(rules)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return m, stop
}

func (h *harness) pair(t *testing.T) {
	t.Helper()
	var p crm.Pairing
	eventually(t, "there is no code", func() (ok bool) {
		var err error
		p, err = h.Pair(testwait.Context(t), h.Owner, testLine, nil)
		return err == nil
	})
	if _, err := h.shop.ScanQR(testwait.Context(t), *p.QR); err != nil {
		t.Fatal(err)
	}
	h.awaitState(t, crm.StateConnected)
}

func (h *harness) awaitState(t *testing.T, state string) {
	t.Helper()
	h.afterEvents(t, "the line is not "+state, func() bool {
		st, err := h.LineStatus(context.Background(), h.Owner, testLine)
		return err == nil && st.State == state && st.Via == "whatsapp"
	})
}

// afterEvents calls done, and again after each commit of events, until it returns true. It
// fails the test when nothing is committed for testwait.Long.
func (h *harness) afterEvents(t *testing.T, otherwise string, done func() bool) {
	t.Helper()
	for {
		deadline, woken := time.NewTimer(testwait.Long), h.Live.Woken()
		if done() {
			return
		}
		select {
		case <-woken:
			deadline.Stop()
		case <-deadline.C:
			t.Fatal(otherwise)
		}
	}
}

// awaitEvent waits for an event whose item matches, and returns the item.
func (h *harness) awaitEvent(t *testing.T, name string, match func(item string) bool) string {
	t.Helper()
	found, seen := "", int64(0)
	h.afterEvents(t, "there is no such event "+name, func() bool {
		const late = 100 // rows may commit in another order than their ids
		for _, ev := range h.EventsAfter(t, max(0, seen-late)) {
			seen = max(seen, ev.ID)
			if ev.Name != name {
				continue
			}
			for _, item := range ev.Items(t) {
				if match(string(item)) {
					found = string(item)
					return true
				}
			}
		}
		return false
	})
	return found
}

func (h *harness) awaitItem(t *testing.T, name string, parts ...string) string {
	t.Helper()
	return h.awaitEvent(t, name, func(item string) bool {
		return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(item, p) })
	})
}

// texts returns the texts of all message events, in order.
func (h *harness) texts(t *testing.T) (all []string) {
	for _, ev := range h.Events(t, crm.EventMessage) {
		for _, item := range ev.Items(t) {
			var m struct{ Message struct{ Text string } }
			if err := json.Unmarshal(item, &m); err != nil {
				t.Fatal(err)
			}
			all = append(all, m.Message.Text)
		}
	}
	return all
}

func (h *harness) chat() crm.ChatAddress { return crm.ChatAddress{Line: testLine, ChatID: anna} }

func (h *harness) send(t *testing.T, m crm.Outgoing) string {
	t.Helper()
	sent, err := h.Send(t.Context(), h.Operator, h.chat(), m)
	if err != nil {
		t.Fatal(err)
	}
	return sent.ID.String()
}

func TestWholeConversation(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.awaitItem(t, crm.EventMessengerStatus, `"state":"connected"`, `"phone":"79990001122"`)
		if len(h.Live.Published()) == 0 {
			t.Error("no qr was shown on the channels")
		}

		in := h.anna.SendText(h.shop, "Do you have tea?")
		h.awaitItem(t, crm.EventMessage, `"id":"`+in+`"`, `"text":"Do you have tea?"`, `"id":"79995554433@c.us"`, `"lid":"100200301@lid"`, `"side":"in"`)
		h.awaitItem(t, crm.EventChatConversation, `"UIC"`)

		quoted := crm.MakeID(Type, in)
		out := h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "We do"}, Quoted: &quoted})
		got, err := h.anna.AwaitText(testwait.Context(t), "We do")
		if err != nil || got.ID != out || got.Message.GetExtendedTextMessage().GetContextInfo().GetStanzaID() != in {
			t.Fatalf("arrived as %+v, %v", got, err)
		}
		h.awaitItem(t, crm.EventMessageStatus, `"id":"`+out+`"`, `"type":"sent"`)
		h.awaitItem(t, crm.EventMessageStatus, `"id":"`+out+`"`, `"type":"delivered"`)
		h.anna.Read(h.shop, out)
		h.awaitItem(t, crm.EventMessageStatus, `"id":"`+out+`"`, `"type":"viewed"`)
		h.anna.Played(h.shop, out)
		h.awaitItem(t, crm.EventMessageStatus, `"id":"`+out+`"`, `"type":"viewed"`, `"played":true`)

		if _, err := h.MarkRead(t.Context(), h.Operator, h.chat()); err != nil {
			t.Fatal(err)
		}
		if err := h.anna.AwaitReceipt(testwait.Context(t), in, "read"); err != nil {
			t.Error(err)
		}
		other := "We do, green"
		if _, err := h.EditMessage(t.Context(), h.Operator, h.chat(), out, crm.Edit{Text: &other}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.anna.Await(testwait.Context(t), func(r whatsapptest.Received) bool {
			return r.Message.GetProtocolMessage().GetEditedMessage().GetConversation() == other
		}); err != nil {
			t.Errorf("the edit: %v", err)
		}
		if err := h.DeleteMessage(t.Context(), h.Operator, h.chat(), out); err != nil {
			t.Fatal(err)
		}
		if _, err := h.anna.Await(testwait.Context(t), func(r whatsapptest.Received) bool { return r.Edit == "7" }); err != nil {
			t.Errorf("the deletion: %v", err)
		}
		h.anna.Send(h.shop, whatsapptest.Edit(h.anna.KeyOf(h.shop, in, true), whatsapptest.Text("Do you have coffee?")))
		h.awaitItem(t, crm.EventMessageEdit, `"id":"`+in+`"`, "coffee")
		h.anna.Send(h.shop, whatsapptest.Revoke(h.anna.KeyOf(h.shop, in, true)))
		h.awaitItem(t, crm.EventMessageDelete, `"id":"`+in+`"`)
		next := h.anna.SendText(h.shop, "Forget it")
		h.awaitItem(t, crm.EventMessage, next)
		h.shop.Read(h.anna.Number(), next)
		h.awaitItem(t, crm.EventChatRead, `"id":"79995554433@c.us"`, `"edited":null`)
		h.shop.Change(appstate.BuildLabelEdit("7", "Tea", 3, false))
		eventually(t, "the label is no tag", func() bool { // until then, changes belong to the first sync and are not news
			page, err := h.Tags(t.Context(), h.Owner, crm.TagQuery{})
			return err == nil && len(page.Items) == 1 && page.Items[0].Name == "Tea"
		})
		h.shop.Change(appstate.BuildLabelChat(h.anna.Number(), "7", true))
		h.awaitItem(t, crm.EventChatTag, `"add"`, "Tea")
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

func TestPicturesBothWays(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		picture := append([]byte("\x89PNG\r\n\x1a\n"), []byte(strings.Repeat("pixels ", 5000))...)
		id := h.anna.Send(h.shop, h.wa.Upload(picture, whatsmeow.MediaImage).Image("look", "image/png"))
		item := h.awaitItem(t, crm.EventMessage, id, `"caption":"look"`, `"mimeType":"image/png"`)
		if b := h.stored(t, item); string(b) != string(picture) {
			t.Errorf("%d bytes are kept, want %d", len(b), len(picture))
		}

		upload, err := h.StoreUpload(t.Context(), h.Operator, h.chat(), "cat.png", "image/png", strings.NewReader(string(picture)))
		if err != nil {
			t.Fatal(err)
		}
		sent, err := h.SendFile(t.Context(), h.Operator, h.chat(), upload, "", crm.Outgoing{Content: crm.Content{Caption: "our cat"}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.anna.AwaitText(testwait.Context(t), "our cat")
		if err != nil || got.ID != sent.ID.String() {
			t.Fatalf("arrived as %+v, %v", got, err)
		}
		if b, err := h.wa.Open(got.Attachment()); err != nil || string(b) != string(picture) {
			t.Errorf("%d bytes arrived, want %d: %v", len(b), len(picture), err)
		}

		// A file that could not be fetched at once is fetched later.
		late := h.wa.Upload([]byte("late bytes"), whatsmeow.MediaDocument)
		h.wa.Break(late, whatsapptest.FileFault{Status: 410})
		id = h.anna.Send(h.shop, late.Document("late.txt", "text/plain", ""))
		h.awaitItem(t, crm.EventMessage, id, `"state":"pending"`)
		item = h.awaitEvent(t, crm.EventMessageEdit, func(item string) bool {
			return strings.Contains(item, id) && !strings.Contains(item, `"state"`)
		})
		if b := h.stored(t, item); string(b) != "late bytes" {
			t.Errorf("%q is kept", b)
		}
	})
}

// stored returns the file of a message.
func (h *harness) stored(t *testing.T, item string) []byte {
	t.Helper()
	var m struct {
		Message struct{ File struct{ Link string } }
	}
	if err := json.Unmarshal([]byte(item), &m); err != nil {
		t.Fatal(err)
	}
	link := m.Message.File.Link
	id, _, _ := strings.Cut(link[strings.LastIndex(link, "/")+1:], "?")
	a, err := h.OpenStored(t.Context(), testLine, id)
	if err != nil {
		t.Fatalf("%s: %v", link, err)
	}
	defer a.Content.Close()
	b, err := io.ReadAll(a.Content)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOneChatUnderBothIDs checks that a chat known only by its hidden id is merged with the
// chat of the phone number when WhatsApp reports that both are the same person.
func TestOneChatUnderBothIDs(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		bob := h.wa.NewContact("79991112233", "555666777", "Bob")
		bob.SendText(h.shop, "under my hidden id", whatsapptest.SendOpts{Addressing: whatsapptest.HiddenIDOnly})
		h.awaitItem(t, crm.EventMessage, "under my hidden id", `"id":"555666777@lid"`, `"addressing":"lid"`)
		bob.SendText(h.shop, "under my number", whatsapptest.SendOpts{Addressing: whatsapptest.ByNumber})
		h.awaitItem(t, crm.EventMessage, "under my number", `"id":"79991112233@c.us"`, `"addressing":"pn"`)
		page, err := h.Chats(t.Context(), h.Owner, testLine, crm.ChatQuery{})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%d chats, %v", len(page.Items), err)
		}
	})
}
