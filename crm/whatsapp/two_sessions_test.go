package whatsapp

import (
	"fmt"
	"testing"

	"go.mau.fi/whatsmeow/store"

	"chatcast/crm/whatsapp/whatsapptest"
)

// sessionsWith returns how many Signal sessions are kept with a customer's phone.
func (w *world) sessionsWith(t *testing.T, c *whatsapptest.Contact) int {
	t.Helper()
	address := c.HiddenID().SignalAddress().String()
	found, err := w.m.serving(testLine).client().Store.Sessions.GetManySessions(t.Context(), []string{address})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := store.SignalProtobufSerializer.Session.Deserialize(found[address])
	if err != nil {
		t.Fatal(err)
	}
	return 1 + len(kept.PreviousStates)
}

// TestBothBeginASession checks that nobody must ask for a message again when both sides
// begin a session, because both write first, and the messages of the two sessions cross.
func TestBothBeginASession(t *testing.T) {
	for name, customerNext := range map[string]bool{"the customer writes next": true, "we write next": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.pair(t)
			w.shop.Hold()
			w.anna.SendText(w.shop, "in hers") // begins her session
			w.say("3EB0A1", "in ours")         // begins ours: hers has not arrived
			w.received(t, "3EB0A1")
			w.shop.Release(false)
			w.awaitText(t, "in hers")

			w.shop.Hold()
			w.anna.SendText(w.shop, "in ours")
			w.say("3EB0A2", "in hers") // crosses it
			w.received(t, "3EB0A2")
			w.shop.Release(false)
			w.awaitText(t, "in ours")

			if customerNext {
				w.anna.SendText(w.shop, "in hers again")
				w.awaitText(t, "in hers again")
			}
			w.say("3EB0A3", "again")
			w.received(t, "3EB0A3")
			w.anna.SendText(w.shop, "the end")
			w.awaitText(t, "the end")
			for _, r := range w.anna.Inbox() {
				if r.Retries > 0 {
					t.Errorf("the customer asked %d times for %q", r.Retries, r.Text())
				}
			}
			if n := w.anna.Retried(); n > 0 {
				t.Errorf("we asked %d times for a message again", n)
			}
			if n := w.sessionsWith(t, w.anna); n != 2 {
				t.Errorf("%d sessions are kept, want the 2 that there are", n)
			}
			w.sound(t)
		})
	}
}

// TestManyAreAskedForAgain checks that messages that a phone asks for again at once all
// arrive, together with those that are sent meanwhile: no two are encrypted with one key.
func TestManyAreAskedForAgain(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	w.anna.SendText(w.shop, "hello")
	w.awaitText(t, "hello")
	const n = 20
	id := func(i int) string { return fmt.Sprintf("3EB0B%02d", i) }
	w.anna.PlayDeaf(n)
	w.shop.Hold()
	for i := range n {
		w.say(id(i), "not heard")
	}
	w.awaitOutcome(t, n)
	w.shop.Release(false)
	for i := n; i < 2*n; i++ {
		w.say(id(i), "meanwhile")
	}
	for i := range 2 * n {
		w.received(t, id(i))
	}
	w.sound(t)
}
