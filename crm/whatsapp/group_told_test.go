package whatsapp

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/whatsapp/whatsapptest"
)

// groupsTold returns what the journal tells of groups: what, of whom, and who did it.
func (h *harness) groupsTold(t *testing.T) (told []string) {
	t.Helper()
	for _, ev := range h.Events(t, crm.EventChatGroup) {
		_, text := crmtest.GroupChange(t, ev.Items(t)[0])
		told = append(told, text)
	}
	return told
}

// awaitTold waits until the journal tells of a group what want does, and nothing else.
func (h *harness) awaitTold(t *testing.T, want ...string) {
	t.Helper()
	h.afterEvents(t, fmt.Sprintf("not told: %q", want), func() bool { return len(h.groupsTold(t)) >= len(want) })
	if got := h.groupsTold(t); !slices.Equal(got, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestGroupChangesElsewhere changes groups on the phones of others: each change is told
// once, with who did it, and none is a message.
func TestGroupChangesElsewhere(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.awaitGroups(t)
		bob := h.wa.NewContact("79991112233", "555666777", "Bob")
		var want []string
		for _, hidden := range []bool{false, true} {
			g := h.wa.NewGroup("Club", hidden, h.anna, h.shop)
			for _, step := range []struct {
				do   func()
				told string
			}{
				{func() {}, "join 79990001122 by Anna"},
				{func() { g.Add(h.anna, bob) }, "add 79991112233 by Anna"},
				{func() { g.Promote(h.anna, true, bob, h.shop) }, "promote 79991112233 79990001122 by Anna"},
				{func() { g.Promote(bob, false, h.shop) }, "demote 79990001122 by Bob"},
				{func() { g.Rename(bob, "Friends") }, "name by Bob"},
				{func() { g.Describe(bob, "All of us") }, "description by Bob"},
				{func() { g.Announce(bob, true) }, "announce by Bob"},
				{func() { g.Lock(bob, true) }, "locked by Bob"},
				{func() { g.Disappear(bob, 86400) }, "ephemeral by Bob"},
				{func() { g.TellPicture(bob, "17") }, "picture by "},
				{func() { g.NewInvite(bob) }, "link by Bob"},
				{func() { g.Remove(bob, bob) }, "remove 79991112233 by Bob"},
				{func() { g.Remove(h.anna, h.shop) }, "leave 79990001122 by Anna"},
				{func() { g.Add(h.anna, h.shop) }, "join 79990001122 by Anna"},
				{func() { g.Delete(h.anna) }, "delete by Anna"},
			} {
				step.do()
				want = append(want, step.told)
				h.awaitTold(t, want...)
			}
		}
		if err := h.shop.AwaitSettled(testwait.Context(t)); err != nil {
			t.Error(err)
		}
		if chats, err := h.AllChats(t.Context(), h.Owner, crm.ChatQuery{}); err != nil || len(chats.Items) > 0 {
			t.Errorf("they made chats: %+v, %v", chats.Items, err)
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// awaitGroups waits for the list of groups after pairing. A change that the list shows before
// it is told has nobody who made it.
func (h *harness) awaitGroups(t *testing.T) {
	t.Helper()
	eventually(t, "the groups are not listed", func() bool {
		_, err := h.Store.Read(t.Context()).LineGroupsOf(testLine.LicenseID, testLine.Messenger)
		return err == nil
	})
}

// TestGroupChangesMissed changes groups while the line is away, and loses what waits for
// it: what is different is told from the list of groups, once.
func TestGroupChangesMissed(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		bob := h.wa.NewContact("79991112233", "555666777", "Bob")
		g := h.wa.NewGroup("Club", true, h.shop, h.anna)
		left := h.wa.NewGroup("Left", false, h.anna, h.shop)
		h.anna.SendGroup(g, whatsapptest.Text("hello")) // before the account is paired
		h.pair(t)
		h.awaitGroups(t)
		h.stop()
		g.Rename(h.shop, "Friends")
		g.Add(h.shop, bob)
		left.Remove(h.anna, h.shop)
		h.wa.NewGroup("New", true, h.anna, h.shop)
		h.shop.Forget()
		_, h.stop = h.node(t, h.Service)
		await := func(want ...string) {
			t.Helper()
			h.afterEvents(t, fmt.Sprintf("not told: %q", want), func() bool { return len(h.groupsTold(t)) >= len(want) })
			if got := slices.Sorted(slices.Values(h.groupsTold(t))); !slices.Equal(got, want) { // a list has no order
				t.Errorf("told %q, want %q", got, want)
			}
		}
		await("add 79991112233", "join 79990001122", "leave 79990001122", "name")
		h.stop()
		g.Rename(h.shop, "Foes")
		h.shop.Forget()
		h.node(t, h.Service)
		await("add 79991112233", "join 79990001122", "leave 79990001122", "name", "name")
	})
}
