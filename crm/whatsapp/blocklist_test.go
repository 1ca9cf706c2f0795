package whatsapp

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// TestBlocking blocks people over the API and on the phone, also while the line is away.
func TestBlocking(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.anna.SendText(h.shop, "hi")
		h.awaitItem(t, crm.EventMessage, `"hi"`)
		block := func(id string, blocked bool) error {
			_, err := h.BlockContact(t.Context(), h.Operator, crm.ContactAddress{Line: testLine, ContactID: id}, blocked)
			return err
		}
		awaitBlocked := func(what string, want bool) {
			t.Helper()
			eventually(t, what, func() bool {
				page, err := h.Contacts(t.Context(), h.Operator, testLine, crm.PageQuery{}, "Anna")
				return err == nil && len(page.Items) == 1 && page.Items[0].Blocked == want
			})
		}
		if err := block(anna, true); err != nil || !h.shop.Blocks(h.anna) {
			t.Errorf("blocking: %v, %v", err, h.shop.Blocks(h.anna))
		}
		awaitBlocked("Anna is not blocked", true)
		h.shop.Block(h.anna, false)
		awaitBlocked("the phone's change did not come", false)
		h.awaitItem(t, crm.EventContactBlock, `"blocked":false`, `"edited":null`)
		stranger := h.wa.NewContact("79992223344", "100200303", "Carl") // whose hidden id is not known here
		if err := block(carl, true); err != nil || !h.shop.Blocks(stranger) {
			t.Errorf("blocking a stranger: %v, %v", err, h.shop.Blocks(stranger))
		}
		if err := block(carl, false); err != nil || h.shop.Blocks(stranger) {
			t.Errorf("ending that: %v, %v", err, h.shop.Blocks(stranger))
		}
		if err := block(unknown, true); code(err) != crm.CodeConflict {
			t.Errorf("somebody without WhatsApp: %v", err)
		}
		h.stop()
		if err := block(anna, true); code(err) != crm.CodeUnavailable {
			t.Errorf("of a line that is not connected: %v", err)
		}
		h.shop.Block(h.anna, true)
		m, stop := h.node(t, h.Service)
		defer stop()
		h.Service.Messengers[Type] = m
		awaitBlocked("what the phone did meanwhile is not known", true)
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// TestBlockingWaitsForTheList checks that a list of whom the account has blocked, which was
// read before an operator changed it, is not stored after the change.
func TestBlockingWaitsForTheList(t *testing.T) {
	w := newWorld(t)
	bob := w.NewContact("79991112233", "555666777", "Bob")
	w.pair(t)
	read, store, once := make(chan struct{}), make(chan struct{}), sync.Once{}
	w.rules.change(func() {
		w.rules.onBlocked = func(ids []string) {
			if slices.Contains(ids, "555666777@lid") { // his number is not known here
				once.Do(func() {
					close(read)
					<-store
				})
			}
		}
	})
	w.shop.Block(bob, true)
	ctx := testwait.Context(t)
	select {
	case <-read:
	case <-ctx.Done():
		t.Fatal("the list was not read")
	}
	gone, leave := context.WithCancel(ctx)
	left := make(chan error, 1)
	go func() { left <- w.m.Block(gone, testLine, anna, true) }()
	leave()
	select {
	case err := <-left:
		if err == nil {
			t.Error("a caller who has left has blocked Anna")
		}
	case <-ctx.Done():
		t.Error("a caller who has left waits for the list")
	}
	blocked := make(chan error, 1)
	go func() { blocked <- w.m.Block(ctx, testLine, anna, true) }()
	select {
	case err := <-blocked:
		t.Errorf("Anna was blocked before the list was stored: %v", err)
		blocked <- err
	case <-time.After(200 * time.Millisecond):
	}
	close(store)
	if err := <-blocked; err != nil || !w.shop.Blocks(w.anna) {
		t.Errorf("blocking: %v, %v", err, w.shop.Blocks(w.anna))
	}
	w.sound(t)
}
