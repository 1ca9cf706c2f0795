package whatsapptest_test

import (
	"fmt"
	"slices"
	"testing"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

// texts sends n texts and returns them.
func (w *world) texts(n int) (out []string) {
	for i := range n {
		text := fmt.Sprintf("text %d", i)
		w.anna.SendText(w.shop, text)
		out = append(out, text)
	}
	return out
}

func expectContent(t *testing.T, c *client, want []string) {
	t.Helper()
	if got := c.content(); !slices.Equal(got, want) {
		t.Errorf("came %q, want %q", got, want)
	}
}

// expectAll expects every text, in any order and possibly twice. At a reconnect
// whatsmeow briefly reads one queue with two loops, that of the old connection and
// that of the new one, so its user must restore the order and detect copies.
func expectAll(t *testing.T, c *client, want []string) {
	t.Helper()
	got := c.content()
	slices.Sort(got)
	sorted := slices.Sorted(slices.Values(want))
	if got = slices.Compact(got); !slices.Equal(got, sorted) {
		t.Errorf("%d different texts came, want %d: %q", len(got), len(want), got)
	}
}

func TestWhatCameMeanwhileComesAfterReconnect(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.Unavailable(true)
	w.shop.Drop()
	await[*events.Disconnected](c, nil)
	want := w.texts(3)
	w.Unavailable(false)
	await(c, func(e *events.OfflineSyncCompleted) bool { return e.Count == 3 })
	expectContent(t, c, want)
	if p := await(c, func(e *events.OfflineSyncPreview) bool { return e.Total == 3 }); p.Messages != 3 {
		t.Errorf("the preview has %d messages", p.Messages)
	}
	w.sound(t)
}

// TestReceiptsAndChangesWaitToo checks that not only messages wait.
func TestReceiptsAndChangesWaitToo(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	sent, err := c.say(w.anna.Number(), "read this")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.anna.AwaitID(testwait.Context(t), sent.ID); err != nil {
		t.Fatal(err)
	}
	c.Disconnect()
	w.anna.Read(w.shop, sent.ID)
	w.shop.Change(appstate.BuildPin(w.anna.Number(), true))
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	await(c, func(r *events.Receipt) bool { return r.Type == types.ReceiptTypeRead && r.MessageIDs[0] == sent.ID })
	await(c, func(e *events.Pin) bool { return e.Action.GetPinned() })
	await(c, func(e *events.OfflineSyncCompleted) bool { return e.Count >= 2 })
	w.sound(t)
}

func TestUnacknowledgedComesAgain(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	failures := 0
	c.mu.Lock()
	c.refuse = func(e any) bool {
		m, ok := e.(*events.Message)
		if ok && m.Message.GetConversation() == "hard to store" && failures == 0 {
			failures++
			return true
		}
		return false
	}
	c.mu.Unlock()
	id := w.anna.SendText(w.shop, "hard to store")
	after := w.anna.SendText(w.shop, "easy to store")
	if err := w.anna.AwaitDelivered(testwait.Context(t), after); err != nil {
		t.Fatal(err)
	}
	expectContent(t, c, []string{"easy to store"})
	if n := w.shop.Unsettled(); n != 1 {
		t.Fatalf("%d stanzas wait, want the one that failed", n)
	}
	w.shop.Drop()
	if err := w.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
		t.Fatal(err)
	}
	expectContent(t, c, []string{"easy to store", "hard to store"})
	w.sound(t)
}

// TestNothingIsLostWhenTheProgramDies stops a client between decryption and
// acknowledgement, and starts another one on the same database.
func TestNothingIsLostWhenTheProgramDies(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	first := w.anna.SendText(w.shop, "before")
	if err := w.anna.AwaitDelivered(testwait.Context(t), first); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.refuse = func(e any) bool { _, ok := e.(*events.Message); return ok }
	c.mu.Unlock()
	want := w.texts(3)
	stop := w.anna.SendText(w.shop, "last")
	// Calls are not refused. When this call arrives, everything before it was
	// decrypted.
	w.anna.Call(w.shop, false)
	await[*events.CallOffer](c, nil)
	c.Disconnect()

	again := w.openClient(t, c.path)
	if err := again.Connect(); err != nil {
		t.Fatal(err)
	}
	if err := w.anna.AwaitDelivered(testwait.Context(t), stop); err != nil {
		t.Fatal(err)
	}
	expectContent(t, again, append(want, "last"))
	w.sound(t)
}

func TestCutInTheMiddleOfAMessage(t *testing.T) {
	for _, middle := range []bool{true, false} {
		t.Run(fmt.Sprint("middle ", middle), func(t *testing.T) {
			w := newWorld(t)
			c := w.linked(t)
			w.shop.CutOnDelivery(2, middle)
			want := w.texts(5)
			for _, text := range want {
				c.awaitText(text)
			}
			await[*events.Disconnected](c, nil)
			expectAll(t, c, want)
			w.sound(t)
		})
	}
}

func TestDuplicatesAndReorder(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.anna.SendText(w.shop, "twice", whatsapptest.SendOpts{Copies: 1})
	w.shop.Duplicate(1)
	w.anna.SendText(w.shop, "thrice")
	w.shop.Hold()
	w.anna.SendText(w.shop, "one")
	w.anna.SendText(w.shop, "two")
	w.shop.Release(true)
	c.awaitText("one")
	// whatsmeow itself recognises copies: their ciphertext is the same.
	expectContent(t, c, []string{"twice", "thrice", "two", "one"})
	w.sound(t)
}

func TestFlood(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	w.shop.CutOnDelivery(200, true)
	want := w.texts(500)
	for _, text := range want {
		c.awaitText(text)
	}
	expectAll(t, c, want)
	w.sound(t)
}
