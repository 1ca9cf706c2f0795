package whatsapptest_test

import (
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/channels/testwait"
)

func TestPresenceAndTyping(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	anna := w.anna.Number()
	if err := c.SendPresence(t.Context(), types.PresenceAvailable); err != nil {
		t.Fatal(err)
	}
	if err := w.shop.AwaitPresence(testwait.Context(t), "available"); err != nil {
		t.Error(err)
	}
	if p := w.shop.Presences(); p[0].Name != "Shop" {
		t.Errorf("%+v", p)
	}
	if err := c.SubscribePresence(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	if err := w.shop.AwaitWatched(testwait.Context(t), w.anna); err != nil {
		t.Fatal(err)
	}
	w.anna.Come()
	await(c, func(e *events.Presence) bool { return e.From == anna && !e.Unavailable })
	at := time.Unix(1_700_000_000, 0)
	w.anna.Go(at)
	await(c, func(e *events.Presence) bool { return e.Unavailable && e.LastSeen.Equal(at) })

	w.anna.Type(w.shop, types.ChatPresenceComposing, types.ChatPresenceMediaAudio)
	await(c, func(e *events.ChatPresence) bool {
		return e.Chat == anna && e.State == types.ChatPresenceComposing && e.Media == types.ChatPresenceMediaAudio
	})
	if err := c.SendChatPresence(t.Context(), anna, types.ChatPresenceComposing, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.anna.AwaitTyping(testwait.Context(t), "composing"); err != nil {
		t.Error(err)
	}
	// A client that has sent "available" sends a plain delivered receipt, not
	// "inactive".
	id := w.anna.SendText(w.shop, "hello")
	if err := w.anna.AwaitReceipt(testwait.Context(t), id, ""); err != nil {
		t.Error(err)
	}
	w.sound(t)
}

func TestCalls(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	id := w.anna.Call(w.shop, true)
	offer := await(c, func(e *events.CallOffer) bool { return e.CallID == id })
	if offer.From != w.anna.Number() {
		t.Errorf("from %s", offer.From)
	}
	if err := c.RejectCall(t.Context(), offer.From, id); err != nil {
		t.Fatal(err)
	}
	if err := w.anna.AwaitRejected(testwait.Context(t), id); err != nil {
		t.Error(err)
	}
	id = w.anna.Call(w.shop, false)
	w.anna.HangUp(w.shop, id, "timeout")
	await(c, func(e *events.CallTerminate) bool { return e.CallID == id && e.Reason == "timeout" })
	w.sound(t)
}

func TestProfile(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	settings, err := c.SetPrivacySetting(t.Context(), types.PrivacySettingTypeReadReceipts, types.PrivacySettingNone)
	if err != nil || settings.ReadReceipts != types.PrivacySettingNone || settings.LastSeen != types.PrivacySettingAll {
		t.Errorf("%+v, %v", settings, err)
	}
	id := w.anna.SendText(w.shop, "read me")
	m := c.awaitText("read me")
	if err := c.MarkRead(t.Context(), []string{id}, time.Now(), m.Info.Chat, m.Info.Sender); err != nil {
		t.Fatal(err)
	}
	if err := w.anna.AwaitReceipt(testwait.Context(t), id, "read-self"); err != nil {
		t.Error(err)
	}
	list, err := c.UpdateBlocklist(t.Context(), w.anna.Number(), events.BlocklistChangeActionBlock)
	if err != nil || len(list.JIDs) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if err := c.SetStatusMessage(t.Context(), types.SetStatusInput{Text: new("open till ten")}); err != nil {
		t.Error(err)
	}
	info, err := c.GetUserInfo(t.Context(), []types.JID{w.shop.Number()})
	if err != nil || info[w.shop.Number()].Status != "open till ten" {
		t.Errorf("%+v, %v", info, err)
	}
	w.sound(t)
}

// TestTwoClients lets clients of two accounts, and two clients of one, talk to each
// other.
func TestTwoClients(t *testing.T) {
	w := newWorld(t)
	one := w.linked(t)
	second := w.linked(t)
	other := w.NewAccount("79994443322", "100200309", "Other shop")
	peer := w.newClient(t)
	w.linkTo(t, peer, other)

	if _, err := one.say(other.Number(), "hello, colleague"); err != nil {
		t.Fatal(err)
	}
	got := peer.awaitText("hello, colleague")
	if got.Info.Chat != w.shop.HiddenID() || got.Info.Sender.Device != 1 {
		t.Errorf("came as %+v", got.Info)
	}
	copied := second.awaitText("hello, colleague")
	if !copied.Info.IsFromMe || copied.Info.Chat != other.HiddenID() {
		t.Errorf("the second client has it as %+v", copied.Info)
	}
	if _, err := peer.say(w.shop.Number(), "hello, both"); err != nil {
		t.Fatal(err)
	}
	one.awaitText("hello, both")
	second.awaitText("hello, both")
	if err := one.MarkRead(t.Context(), []string{got.Info.ID}, time.Now(), other.HiddenID(), other.HiddenID()); err != nil {
		t.Error(err)
	}
	r := await(second, receiptOf(got.Info.ID))
	if r.Chat != other.HiddenID() {
		t.Errorf("the second client hears %+v", r)
	}

	g := w.NewGroup("Trade", false, w.anna, w.shop, other)
	await[*events.JoinedGroup](one, nil)
	await[*events.JoinedGroup](peer, nil)
	if _, err := one.say(g.JID(), "to the group"); err != nil {
		t.Fatal(err)
	}
	peer.awaitText("to the group")
	second.awaitText("to the group")
	if _, err := w.anna.AwaitText(testwait.Context(t), "to the group"); err != nil {
		t.Error(err)
	}
	w.sound(t)
}
