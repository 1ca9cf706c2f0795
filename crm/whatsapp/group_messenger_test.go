package whatsapp

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

const (
	carl    = "79992223344@c.us"
	unknown = "79990000000@c.us"
)

// code returns the code of an error of the rules.
func code(err error) crm.Code {
	var e *crm.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// told returns the results in short.
func told(results []crm.MemberResult) string {
	var all []string
	for _, r := range results {
		text := fmt.Sprintf("%s %d", strings.TrimSuffix(r.ID, "@c.us"), r.Status)
		if r.Error != nil {
			text += " " + r.Error.Code
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// TestGroupsOfALine makes a group, writes in it, and changes all that can be changed.
func TestGroupsOfALine(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		if _, err := h.Groups(t.Context(), h.Owner, testLine, false); code(err) != crm.CodeUnavailable {
			t.Errorf("a line without an account: %v", err)
		}
		h.pair(t)
		h.anna.SendText(h.shop, "hi") // so that her name is known
		h.awaitItem(t, crm.EventMessage, `"hi"`)
		h.wa.NewContact("79992223344", "100200303", "Carl").LetNobodyAdd(true)
		made, err := h.CreateGroup(t.Context(), h.Operator, testLine, crm.GroupInput{
			Name: "Neighbours", Description: "Our street", Members: []string{"+7 999 555-44-33", carl, unknown},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := told(made.Members), "79995554433 200, 79992223344 403 invitation_required, 79990000000 404 not_found"; got != want {
			t.Errorf("it was made with %s, want %s", got, want)
		}
		at := crm.ChatAddress{Line: testLine, ChatID: made.Group.ID}
		address, err := jidOf(made.Group.ID)
		if err != nil {
			t.Fatal(err)
		}
		g := h.wa.Group(address)
		if _, err := h.Send(t.Context(), h.Operator, at, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "welcome"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.anna.AwaitText(testwait.Context(t), "welcome"); err != nil {
			t.Error(err)
		}
		list, err := h.Groups(t.Context(), h.Reader, testLine, false)
		if err != nil || len(list) != 1 || list[0].ID != made.Group.ID || list[0].Size != 2 || list[0].Members != nil {
			t.Errorf("listed as %+v, %v", list, err)
		}
		changed, err := h.ChangeGroup(t.Context(), h.Operator, at, crm.GroupChanges{
			Name: crm.Value("Friends"), Description: crm.Value(""), Announce: crm.Value(true), Locked: crm.Value(true), Ephemeral: crm.Value[int64](86400),
		})
		if err != nil || changed.Name != "Friends" || changed.Description != "" || !changed.Announce || !changed.Locked || changed.Ephemeral != 86400 ||
			!changed.Admin || changed.OwnerID == nil || *changed.OwnerID != "79990001122@c.us" || g.Name() != "Friends" {
			t.Errorf("changed to %+v, %v", changed, err)
		}
		if made.Group.Description != "Our street" || len(changed.Members) != 2 || changed.Members[1].Name != "Anna" || changed.Members[0].Role != crm.MemberOwner {
			t.Errorf("made as %+v, its members are %+v", made.Group, changed.Members)
		}
		back, err := h.ChangeGroup(t.Context(), h.Operator, at, crm.GroupChanges{Announce: crm.Value(false), Locked: crm.Value(false), Ephemeral: crm.Value[int64](0)})
		if err != nil || back.Announce || back.Locked || back.Ephemeral != 0 {
			t.Errorf("changed back to %+v, %v", back, err)
		}
		link, err := h.GroupLink(t.Context(), h.Operator, at)
		if err != nil || link.Link != "https://chat.whatsapp.com/"+g.Invite() {
			t.Errorf("its link is %+v, %v", link, err)
		}
		if renewed, err := h.RenewGroupLink(t.Context(), h.Owner, at); err != nil || renewed.Link == link.Link || !strings.HasSuffix(renewed.Link, g.Invite()) {
			t.Errorf("its new link is %+v, %v", renewed, err)
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// TestGroupMembers changes members of groups that name them by number and by hidden id,
// and tells for each what came of it.
func TestGroupMembers(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		carls := h.wa.NewContact("79992223344", "100200303", "Carl")
		for _, hidden := range []bool{false, true} {
			g := h.wa.NewGroup("Club", hidden, h.shop, h.anna)
			at := crm.ChatAddress{Line: testLine, ChatID: g.JID().String()}
			change := func(what crm.MemberChange, want string, who ...string) {
				t.Helper()
				results, err := h.ChangeMembers(t.Context(), h.Owner, at, what, who)
				if got := told(results); err != nil || got != want {
					t.Errorf("%s (hidden %v): %s, %v, want %s", what, hidden, got, err, want)
				}
			}
			carls.LetNobodyAdd(true)
			change(crm.MembersAdd, "79995554433 409 already_member, 79992223344 403 invitation_required", anna, carl, anna)
			carls.LetNobodyAdd(false)
			change(crm.MembersAdd, "79992223344 200", carl)
			change(crm.MembersPromote, "79995554433 200, 79990000000 404 not_found", anna, unknown)
			if g.Rank(h.anna) != "admin" || g.Rank(carls) != "" {
				t.Errorf("the ranks are %q and %q", g.Rank(h.anna), g.Rank(carls))
			}
			change(crm.MembersDemote, "79995554433 200", "79995554433")
			change(crm.MembersRemove, "79995554433 200, 79992223344 200", anna, carl)
			if g.Rank(h.anna) != "none" || g.Members() != 1 {
				t.Errorf("%d members are left", g.Members())
			}
		}
	})
}

// TestJoiningGroups joins a group by its link, is refused what only its admins may do, and
// leaves it.
func TestJoiningGroups(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		g := h.wa.NewGroup("Choir", true, h.anna)
		at := crm.ChatAddress{Line: testLine, ChatID: g.JID().String()}
		if _, err := h.Group(t.Context(), h.Owner, at); code(err) != crm.CodeNotFound {
			t.Errorf("a group of others: %v", err)
		}
		if _, err := h.JoinGroup(t.Context(), h.Owner, testLine, "https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv"); code(err) != crm.CodeInvalid {
			t.Errorf("a link of no group: %v", err)
		}
		joined, err := h.JoinGroup(t.Context(), h.Owner, testLine, "https://chat.whatsapp.com/"+g.Invite())
		if err != nil || joined.Pending || joined.Group == nil || joined.Group.Name != "Choir" || joined.Group.Admin {
			t.Fatalf("joined %+v, %v", joined, err)
		}
		if chat, err := h.Chat(t.Context(), h.Reader, at); err != nil || chat.Name != "Choir" {
			t.Errorf("its chat is %+v, %v", chat, err)
		}
		for name, err := range map[string]error{
			"its link": func() error { _, err := h.GroupLink(t.Context(), h.Owner, at); return err }(),
			"its admin": func() error {
				_, err := h.ChangeMembers(t.Context(), h.Owner, at, crm.MembersDemote, []string{anna})
				return err
			}(),
		} {
			if code(err) != crm.CodeConflict {
				t.Errorf("%s, asked by an ordinary member: %v", name, err)
			}
		}
		if err := h.LeaveGroup(t.Context(), h.Owner, at); err != nil || g.Rank(h.shop) != "none" {
			t.Errorf("leaving: %v", err)
		}
		if err := h.LeaveGroup(t.Context(), h.Owner, at); code(err) != crm.CodeNotFound {
			t.Errorf("leaving again: %v", err)
		}
		h.stop()
		if _, err := h.Group(t.Context(), h.Owner, at); code(err) != crm.CodeUnavailable {
			t.Errorf("of a line that is not connected: %v", err)
		}
	})
}
