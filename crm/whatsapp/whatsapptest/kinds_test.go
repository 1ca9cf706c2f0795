package whatsapptest_test

import (
	"slices"
	"strings"
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

func TestKindsIn(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	first := w.anna.SendText(w.shop, "first")
	c.awaitText("first")
	mine, theirs := w.anna.KeyOf(w.shop, first, true), w.anna.KeyOf(w.shop, "3EB0FF", false)
	quote := whatsapptest.Quoting(first, w.anna.Number(), whatsapptest.Text("first"))
	for name, tc := range map[string]struct {
		message *waE2E.Message
		stanza  string
		came    func(*waE2E.Message) bool
	}{
		"quote": {whatsapptest.RichText("an answer", quote), "text", func(m *waE2E.Message) bool {
			return m.GetExtendedTextMessage().GetContextInfo().GetStanzaID() == first
		}},
		"reaction":  {whatsapptest.Reaction(theirs, "👍"), "reaction", func(m *waE2E.Message) bool { return m.GetReactionMessage().GetText() == "👍" }},
		"unreacted": {whatsapptest.Reaction(theirs, ""), "reaction", func(m *waE2E.Message) bool { return m.GetReactionMessage().GetKey().GetID() == "3EB0FF" }},
		"edit": {whatsapptest.Edit(mine, whatsapptest.Text("First")), "text", func(m *waE2E.Message) bool {
			return m.GetProtocolMessage().GetEditedMessage().GetConversation() == "First"
		}},
		"revoke":        {whatsapptest.Revoke(mine), "text", func(m *waE2E.Message) bool { return m.GetProtocolMessage().GetKey().GetID() == first }},
		"poll":          {whatsapptest.Poll("tea?", "yes", "no"), "poll", func(m *waE2E.Message) bool { return len(m.GetPollCreationMessageV3().GetOptions()) == 2 }},
		"location":      {whatsapptest.Location(55.75, 37.61, "Kremlin", "Moscow"), "media", func(m *waE2E.Message) bool { return m.GetLocationMessage().GetName() == "Kremlin" }},
		"live location": {whatsapptest.LiveLocation(55.75, 37.61), "media", func(m *waE2E.Message) bool { return m.GetLiveLocationMessage() != nil }},
		"contact":       {whatsapptest.Card("Bob", "79991112233"), "media", func(m *waE2E.Message) bool { return strings.Contains(m.GetContactMessage().GetVcard(), "79991112233") }},
		"contacts":      {whatsapptest.Cards("Bob", "1", "Eve", "2"), "media", func(m *waE2E.Message) bool { return len(m.GetContactsArrayMessage().GetContacts()) == 2 }},
		"button":        {whatsapptest.ButtonReply("b1", "Yes"), "media", func(m *waE2E.Message) bool { return m.GetButtonsResponseMessage().GetSelectedButtonID() == "b1" }},
		"list":          {whatsapptest.ListReply("r1", "Row"), "media", func(m *waE2E.Message) bool { return m.GetListResponseMessage().GetTitle() == "Row" }},
		"template":      {whatsapptest.TemplateReply("t1", "Yes"), "text", func(m *waE2E.Message) bool { return m.GetTemplateButtonReplyMessage().GetSelectedID() == "t1" }},
		"ephemeral":     {whatsapptest.Ephemeral(whatsapptest.Text("soon gone")), "text", func(m *waE2E.Message) bool { return m.GetConversation() == "soon gone" }},
		"view once":     {whatsapptest.ViewOnce(w.Upload(photo, whatsmeow.MediaImage).Image("", "image/jpeg")), "media", func(m *waE2E.Message) bool { return m.GetImageMessage() != nil }},
		"forwarded": {whatsapptest.RichText("news", &waE2E.ContextInfo{IsForwarded: proto.Bool(true), ForwardingScore: proto.Uint32(5)}), "text", func(m *waE2E.Message) bool {
			return m.GetExtendedTextMessage().GetContextInfo().GetIsForwarded()
		}},
	} {
		m := w.show(c, tc.message)
		if m.Info.Type != tc.stanza || !tc.came(m.Message) {
			t.Errorf("%s: came as %q %v", name, m.Info.Type, m.Message)
		}
		switch name {
		case "edit":
			if m.Info.Edit != types.EditAttributeMessageEdit || !m.IsEdit {
				t.Errorf("an edit with attribute %q", m.Info.Edit)
			}
		case "revoke", "unreacted":
			if m.Info.Edit != types.EditAttributeSenderRevoke {
				t.Errorf("%s with attribute %q", name, m.Info.Edit)
			}
		case "ephemeral":
			if !m.IsEphemeral {
				t.Error("an ephemeral message is not marked")
			}
		case "view once":
			if !m.IsViewOnce {
				t.Error("a view-once message is not marked")
			}
		}
	}
	w.sound(t)
}

func TestPolls(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	for _, to := range []types.JID{w.anna.Number(), w.anna.HiddenID()} {
		sent, err := c.SendMessage(t.Context(), to, c.BuildPollCreation("tea?", []string{"yes", "no"}, 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.anna.AwaitID(testwait.Context(t), sent.ID); err != nil {
			t.Fatal(err)
		}
		id, err := w.anna.Vote(w.shop, sent.ID, "no")
		if err != nil {
			t.Fatal(err)
		}
		m := await(c, messageID(id))
		vote, err := c.DecryptPollVote(t.Context(), m)
		if err != nil {
			t.Fatalf("to %s: %v", to, err)
		}
		if !slices.EqualFunc(vote.GetSelectedOptions(), whatsmeow.HashPollOptions([]string{"no"}), slices.Equal) {
			t.Errorf("voted for %x", vote.GetSelectedOptions())
		}
	}
	asked := w.show(c, whatsapptest.Poll("coffee?", "black", "white"))
	answer, err := c.BuildPollVote(t.Context(), &asked.Info, []string{"white"})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := c.SendMessage(t.Context(), asked.Info.Chat, answer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.anna.AwaitID(testwait.Context(t), sent.ID)
	if err != nil {
		t.Fatal(err)
	}
	if chosen, err := w.anna.ReadVote(w.shop, got); err != nil || !slices.Equal(chosen, []string{"white"}) {
		t.Errorf("chose %q, %v", chosen, err)
	}
	w.sound(t)
}

func TestAddressing(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	bob := w.NewContact("79991112233", "", "Bob") // has no hidden id: nothing can be sent to him
	for name, tc := range map[string]struct {
		how       whatsapptest.Addressing
		chat, alt types.JID
	}{
		"by number":       {whatsapptest.ByNumber, w.anna.Number(), w.anna.HiddenID()},
		"by hidden id":    {whatsapptest.ByHiddenID, w.anna.HiddenID(), w.anna.Number()},
		"hidden id only":  {whatsapptest.HiddenIDOnly, w.anna.HiddenID(), types.EmptyJID},
		"the number only": {whatsapptest.NumberOnly, w.anna.Number(), w.anna.HiddenID()}, // whatsmeow knows the pair by now
	} {
		w.anna.SendText(w.shop, "first, so that the pair is known to all orders")
		id := w.anna.SendText(w.shop, name, whatsapptest.SendOpts{Addressing: tc.how})
		m := await(c, messageID(id))
		if m.Info.Chat != tc.chat || m.Info.SenderAlt.ToNonAD() != tc.alt {
			t.Errorf("%s: from %s, %s", name, m.Info.Chat, m.Info.SenderAlt)
		}
		sent, err := c.say(m.Info.Chat, "re: "+name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.anna.AwaitID(testwait.Context(t), sent.ID)
		if err != nil || got.To != w.anna.HiddenID() || got.Chat != w.shop.Number() {
			t.Errorf("%s: the answer arrived as %+v, %v", name, got, err)
		}
	}
	id := bob.SendText(w.shop, "I am Bob")
	if m := await(c, messageID(id)); m.Info.Chat != bob.Number() || !m.Info.SenderAlt.IsEmpty() {
		t.Errorf("Bob came as %+v", m.Info.MessageSource)
	}
	if _, err := c.say(bob.Number(), "hello Bob"); err == nil || !strings.Contains(err.Error(), "no LID found") {
		t.Errorf("%v", err)
	}
	w.sound(t)
}

func TestOwnPhone(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	id := w.shop.Write(w.anna.Number(), whatsapptest.Text("from my phone"))
	m := await(c, messageID(id))
	if !m.Info.IsFromMe || m.Info.Chat != w.anna.Number() || m.Info.DeviceSentMeta == nil {
		t.Errorf("came as %+v", m.Info)
	}
	if _, err := w.anna.AwaitText(testwait.Context(t), "from my phone"); err != nil {
		t.Error(err)
	}
	in := w.anna.SendText(w.shop, "read me")
	c.awaitText("read me")
	w.shop.Read(w.anna.Number(), in)
	r := await(c, receiptOf(in))
	if !r.IsFromMe || r.Chat != w.anna.Number() || r.Type != types.ReceiptTypeRead {
		t.Errorf("read as %+v", r)
	}
	w.sound(t)
}

func TestMigrationToHiddenIDs(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	if _, err := c.say(w.anna.Number(), "by number"); err != nil {
		t.Fatal(err)
	}
	if got, err := w.anna.AwaitText(testwait.Context(t), "by number"); err != nil || got.To != w.anna.HiddenID() { // clients ask for it first
		t.Errorf("arrived as %+v, %v", got, err)
	}
	w.shop.MigrateToHiddenIDs(w.anna)
	await(c, func(e *events.Message) bool {
		return e.Message.GetProtocolMessage().GetLidMigrationMappingSyncMessage() != nil
	})
	sent, err := c.say(w.anna.Number(), "by hidden id")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.anna.AwaitText(testwait.Context(t), "by hidden id"); err != nil || got.To != w.anna.HiddenID() || got.Chat != w.shop.Number() {
		t.Errorf("arrived as %+v, %v", got, err)
	}
	if r := await(c, receiptOf(sent.ID)); r.Chat != w.anna.HiddenID() {
		t.Errorf("the receipt is of %s", r.Chat)
	}
	w.sound(t)
}

func TestNamesAndLengths(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.anna.SendText(w.shop, "before")
	await(c, func(e *events.PushName) bool { return e.NewPushName == "Anna" })
	w.anna.SetName("Anna K.")
	long := strings.Repeat("a long letter. ", 70_000)
	w.anna.SendText(w.shop, long)
	await(c, func(e *events.PushName) bool { return e.NewPushName == "Anna K." })
	c.awaitText(long)
	if _, err := c.say(w.anna.Number(), long); err != nil {
		t.Fatal(err)
	}
	if _, err := w.anna.AwaitText(testwait.Context(t), long); err != nil {
		t.Error(err)
	}
	w.sound(t)
}
