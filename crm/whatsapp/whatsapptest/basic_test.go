package whatsapptest_test

import (
	"slices"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/channels/testwait"
)

func TestPairByQRAndTalk(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	if got := c.Store.GetJID(); got.User != "79990001122" || got.Device != 1 {
		t.Errorf("the client is %s", got)
	}
	if got := c.Store.GetLID(); got.User != "100200300" || got.Device != 1 {
		t.Errorf("the client's hidden id is %s", got)
	}
	if c.Store.PushName != "Shop" {
		t.Errorf("the push name is %q: it comes with the app state", c.Store.PushName)
	}

	id := w.anna.SendText(w.shop, "hello")
	m := c.awaitText("hello")
	if m.Info.ID != id || m.Info.PushName != "Anna" || m.Info.Chat != w.anna.Number() || m.Info.SenderAlt.ToNonAD() != w.anna.HiddenID() {
		t.Errorf("came as %+v", m.Info)
	}
	if err := w.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
		t.Error(err)
	}
	if err := w.shop.AwaitSettled(testwait.Context(t)); err != nil {
		t.Error(err)
	}

	sent, err := c.say(w.anna.Number(), "good day")
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.anna.AwaitText(testwait.Context(t), "good day")
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != sent.ID || got.Copies != 1 || got.To != w.anna.HiddenID() || got.Chat != w.shop.Number() {
		t.Errorf("arrived as %+v", got)
	}
	await(c, func(r *events.Receipt) bool {
		return r.Type == types.ReceiptTypeDelivered && slices.Contains(r.MessageIDs, sent.ID)
	})
	if _, err := w.shop.AwaitID(testwait.Context(t), sent.ID); err != nil {
		t.Errorf("the own phone has no copy: %v", err)
	}
	w.anna.Read(w.shop, sent.ID)
	await(c, func(r *events.Receipt) bool {
		return r.Type == types.ReceiptTypeRead && r.Chat == w.anna.HiddenID() && r.SenderAlt == w.anna.Number() && slices.Contains(r.MessageIDs, sent.ID)
	})

	if err := c.MarkRead(t.Context(), []string{id}, time.Now(), m.Info.Chat, m.Info.Sender); err != nil {
		t.Fatal(err)
	}
	if err := w.anna.AwaitReceipt(testwait.Context(t), id, "read"); err != nil {
		t.Error(err)
	}
	w.sound(t)
}
