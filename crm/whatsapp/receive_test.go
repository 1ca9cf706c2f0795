package whatsapp

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
	"chatcast/crm/whatsapp/whatsapptest"
)

var errUnavailable = errors.New("the database is unavailable")

// texts returns the texts that the rules got, in order.
func (w *world) texts() (all []string) {
	w.rules.mu.Lock()
	defer w.rules.mu.Unlock()
	for _, batch := range w.rules.batches {
		for _, m := range batch.Messages {
			all = append(all, m.Message.Text)
		}
	}
	return all
}

func TestDatabaseAwayForAWhile(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	failed := 0
	w.onMessage(func() error {
		if failed++; failed <= 3 {
			return errUnavailable
		}
		return nil
	})
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprint(i))
		w.anna.SendText(w.shop, fmt.Sprint(i))
	}
	w.awaitText(t, "19")
	if got := w.texts(); !slices.Equal(got, want) {
		t.Errorf("kept %q", got)
	}
}

// TestDatabaseAwayForLong checks that the connection is closed and the order is kept.
func TestDatabaseAwayForLong(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.times = patient
		o.times.patience = 50 * time.Millisecond
	})
	w.pair(t)
	unavailable := true
	w.onMessage(func() error {
		if unavailable {
			return errUnavailable
		}
		return nil
	})
	var want, ids []string
	for i := range 20 {
		want = append(want, fmt.Sprint(i))
		ids = append(ids, w.anna.SendText(w.shop, fmt.Sprint(i)))
	}
	w.awaitState(t, crm.StateDisconnected)
	w.rules.change(func() { unavailable = false })
	w.awaitText(t, "19")
	if got := w.texts(); !slices.Equal(got, want) {
		t.Errorf("kept %q", got)
	}
	for _, id := range ids {
		if err := w.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
			t.Error(err)
		}
	}
	if err := w.shop.AwaitSettled(testwait.Context(t)); err != nil {
		t.Error(err)
	}
}

// TestHandlerPanics checks that a message comes again after one panic, and is kept as a
// fault when its handler always panics.
func TestHandlerPanics(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	once, always := true, true
	w.rules.before(func(batch crm.InboundBatch) error {
		if len(batch.Messages) == 1 && batch.Messages[0].Message.Text == "once" && once {
			once = false
			panic("once")
		}
		if len(batch.Messages) == 1 && batch.Messages[0].Message.Text == "always" && always {
			panic("always")
		}
		return nil
	})
	w.anna.SendText(w.shop, "once")
	w.anna.SendText(w.shop, "after it")
	w.awaitText(t, "after it")
	if got := w.texts(); !slices.Equal(got, []string{"once", "after it"}) {
		t.Errorf("kept %q", got)
	}
	id := w.anna.SendText(w.shop, "always")
	w.anna.SendText(w.shop, "the last")
	w.awaitText(t, "the last")
	m := w.awaitMessage(t, "the fault", func(m crm.InboundMessage) bool { return m.ID.String() == id })
	if m.Type != content.TypeUnknown || *m.Subtype != "fault" {
		t.Errorf("kept as %+v", m)
	}
}

// TestRefusedByTheRules checks that a message that the rules never accept does not come
// forever.
func TestRefusedByTheRules(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.rules.before(func(batch crm.InboundBatch) error {
		if len(batch.Messages) == 1 && batch.Messages[0].Type == crm.MessageText {
			return crm.Invalid("messages[0].message.text", "is not to our taste")
		}
		return nil
	})
	id := w.anna.SendText(w.shop, "hello")
	m := w.awaitMessage(t, "what is left", func(m crm.InboundMessage) bool { return m.ID.String() == id })
	if m.Type != content.TypeUnknown || *m.Subtype != "refused" {
		t.Errorf("kept as %+v", m)
	}
	if err := w.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
		t.Error(err)
	}
}

func TestUndecryptable(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	id := w.anna.SendText(w.shop, "hard to read", whatsapptest.SendOpts{Garbled: 1})
	m := w.awaitMessage(t, "the placeholder", func(m crm.InboundMessage) bool { return m.ID.String() == id })
	if m.Type != content.TypeUnknown || *m.Subtype != crm.SubtypeUndecryptable {
		t.Errorf("the placeholder is %+v", m)
	}
	if m := w.awaitText(t, "hard to read"); m.ID.String() != id {
		t.Errorf("came again as %+v", m)
	}
	once := w.anna.Send(w.shop, whatsapptest.Text("?"), whatsapptest.SendOpts{Unavailable: "view_once"})
	m = w.awaitMessage(t, "the view-once", func(m crm.InboundMessage) bool { return m.ID.String() == once })
	if m.Type != content.TypeUnknown || *m.Subtype != "viewOnce" {
		t.Errorf("a view-once message is %+v", m)
	}
	w.anna.Send(w.shop, whatsapptest.Text(""), whatsapptest.SendOpts{Plaintext: []byte{0xff, 0xff}})
	w.anna.SendText(w.shop, "after nonsense")
	w.awaitText(t, "after nonsense")
}

func TestAddressing(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	for i, how := range []whatsapptest.Addressing{whatsapptest.ByNumber, whatsapptest.ByHiddenID, whatsapptest.HiddenIDOnly, whatsapptest.NumberOnly} {
		text := fmt.Sprint("by way ", i)
		w.anna.SendText(w.shop, text, whatsapptest.SendOpts{Addressing: how})
		m := w.awaitText(t, text)
		if m.Chat.ID.String() != "79995554433@c.us" || m.Chat.LID == nil || *m.Chat.LID != "100200301@lid" || *m.FromUser.Phone != "79995554433" {
			t.Errorf("%s: %+v, from %+v", text, m.Chat, m.FromUser)
		}
	}
	stranger := w.NewContact("79991112233", "555666777", "Bob")
	stranger.SendText(w.shop, "who am I", whatsapptest.SendOpts{Addressing: whatsapptest.HiddenIDOnly})
	if m := w.awaitText(t, "who am I"); m.Chat.ID.String() != "555666777@lid" || m.Chat.Phone != nil {
		t.Errorf("of an unknown number: %+v", m.Chat)
	}
}

// TestNewPeopleWaitForNothing lets people write for the first time, in a chat and a group,
// while WhatsApp answers no question about people. Their messages do not wait for an answer.
func TestNewPeopleWaitForNothing(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.anna.SendText(w.shop, "known already")
	w.awaitText(t, "known already")
	w.Mute("usync", "w:mex", "w:profile:picture", "w:biz", "privacy", "encrypt")
	for i, how := range []whatsapptest.Addressing{whatsapptest.ByNumber, whatsapptest.ByHiddenID, whatsapptest.HiddenIDOnly} {
		text := fmt.Sprint("new ", i)
		w.NewContact(fmt.Sprint(79991110000+i), fmt.Sprint(555666000+i), "Bob").SendText(w.shop, text, whatsapptest.SendOpts{Addressing: how})
		w.awaitText(t, text)
	}
}

func TestEditsDeletesReactions(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	id := w.anna.SendText(w.shop, "first words")
	w.anna.Send(w.shop, whatsapptest.Edit(w.anna.KeyOf(w.shop, id, true), whatsapptest.Text("other words")))
	w.awaitBatch(t, "the edit", func(batch crm.InboundBatch) bool {
		return len(batch.Edits) == 1 && batch.Edits[0].ID.String() == id && batch.Edits[0].Message.Text == "other words" &&
			batch.Edits[0].Chat.ID.String() == "79995554433@c.us" && !batch.Edits[0].FromMe
	})
	w.anna.Send(w.shop, whatsapptest.Reaction(w.anna.KeyOf(w.shop, id, true), "👍"))
	w.awaitMessage(t, "the reaction", func(m crm.InboundMessage) bool {
		return m.Type == crm.MessageReaction && m.Message.Reaction.MessageID.String() == id && m.Message.Reaction.Emoji == "👍"
	})
	w.anna.Send(w.shop, whatsapptest.Revoke(w.anna.KeyOf(w.shop, id, true)))
	w.awaitBatch(t, "the deletion", func(batch crm.InboundBatch) bool {
		return len(batch.Deletes) == 1 && batch.Deletes[0].ID.String() == id && !batch.Deletes[0].FromMe && !batch.Deletes[0].Admin
	})
	quoted := w.anna.Send(w.shop, whatsapptest.RichText("as I said", whatsapptest.Quoting(id, w.anna.Number(), whatsapptest.Text("first words"))))
	if m := w.awaitText(t, "as I said"); m.ID.String() != quoted || m.QuotedMessageID == nil || m.QuotedMessageID.String() != id {
		t.Errorf("the answer is %+v", m)
	}
}

func TestVotes(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	poll := crm.Content{Poll: &crm.Poll{Question: "Tea?", Options: []string{"yes", "no"}}}
	w.enqueue(crm.OutboxItem{Kind: crm.OutMessage, ChatID: "79995554433@c.us", Message: &crm.MessageRef{
		ID: "3EB0DD", FromMe: true, Type: crm.MessagePoll, Content: poll,
	}})
	if _, err := w.anna.AwaitID(testwait.Context(t), "3EB0DD"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.anna.Vote(w.shop, "3EB0DD", "no"); err != nil {
		t.Fatal(err)
	}
	m := w.awaitMessage(t, "the vote", func(m crm.InboundMessage) bool { return m.Type == crm.MessagePoll })
	if m.Message.Vote == nil || m.Message.Vote.MessageID.String() != "3EB0DD" || !slices.Equal(m.Message.Vote.Options, []string{"no"}) || *m.Subtype != content.SubtypeVote {
		t.Errorf("the vote is %+v", m.Message.Vote)
	}
	if _, err := w.anna.Vote(w.shop, "3EB0DD"); err != nil {
		t.Fatal(err)
	}
	w.awaitMessage(t, "the vote taken back", func(m crm.InboundMessage) bool {
		return m.Message.Vote != nil && len(m.Message.Vote.Options) == 0
	})
}

// TestLabelWithoutName checks that a label without a name does not stop later events.
