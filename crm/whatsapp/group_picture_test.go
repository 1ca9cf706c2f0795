package whatsapp

import (
	"bytes"
	"image/jpeg"
	"testing"

	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestGroupPicture sets and removes the picture of a group, which operators are told once,
// and is refused what is no picture and what only admins of the group may do.
func TestGroupPicture(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.awaitGroups(t) // else the group is one of those that were there
		g := h.wa.NewGroup("Club", true, h.shop, h.anna)
		at := crm.ChatAddress{Line: testLine, ChatID: g.JID().String()}
		h.awaitItem(t, crm.EventChatGroup, `"type":"join"`)
		if shown, err := h.GroupPicture(t.Context(), h.Reader, at); err != nil || shown.URL != nil {
			t.Errorf("before there was one: %+v, %v", shown, err)
		}
		if err := h.SetGroupPicture(t.Context(), h.Operator, at, whatsapptest.Photo(1000, 700)); err != nil {
			t.Fatal(err)
		}
		config, err := jpeg.DecodeConfig(bytes.NewReader(h.wa.Picture(g.JID())))
		if err != nil || config.Width != 640 || config.Height != 640 {
			t.Errorf("WhatsApp has a picture of %d x %d, %v", config.Width, config.Height, err)
		}
		h.awaitItem(t, crm.EventChatGroup, `"type":"picture"`, `"edited":{"id":`)
		if shown, err := h.GroupPicture(t.Context(), h.Reader, at); err != nil || shown.URL == nil {
			t.Errorf("its address is %+v, %v", shown, err)
		}
		h.anna.SendGroup(g, whatsapptest.Text("nice"))
		h.awaitItem(t, crm.EventMessage, `"nice"`)
		eventually(t, "the picture is not shown with the chat", func() bool {
			state, image := h.imageOf(t, g.JID().String())
			return state == crm.PictureShown && image == string(h.wa.Picture(g.JID()))
		})
		if err := h.SetGroupPicture(t.Context(), h.Operator, at, []byte("\xff\xd8\xff\xe0 no photo")); code(err) != crm.CodeInvalid {
			t.Errorf("what cannot be decoded: %v", err)
		}
		if err := h.RemoveGroupPicture(t.Context(), h.Operator, at); err != nil || h.wa.Picture(g.JID()) != nil {
			t.Errorf("removing it: %v", err)
		}
		choir := h.wa.NewGroup("Choir", false, h.anna, h.shop)
		choir.Lock(h.anna, true)
		there := crm.ChatAddress{Line: testLine, ChatID: choir.JID().String()}
		if err := h.SetGroupPicture(t.Context(), h.Operator, there, whatsapptest.Photo(8, 8)); code(err) != crm.CodeConflict {
			t.Errorf("of a locked group: %v", err)
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// TestGroupMadeWithAdminsAndPicture makes groups with all that there is, and tells what one
// lacks that was made all the same.
func TestGroupMadeWithAdminsAndPicture(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		in := crm.GroupInput{Name: "Neighbours", Members: []string{anna, unknown}, Promote: true, Picture: whatsapptest.Photo(64, 64)}
		if _, err := h.CreateGroup(t.Context(), h.Operator, testLine, in); code(err) != crm.CodeDenied {
			t.Errorf("an operator who makes admins: %v", err)
		}
		made, err := h.CreateGroup(t.Context(), h.Owner, testLine, in)
		if err != nil {
			t.Fatal(err)
		}
		address, err := jidOf(made.Group.ID)
		if err != nil {
			t.Fatal(err)
		}
		if g := h.wa.Group(address); told(made.Admins) != "79995554433 200" || made.Problem != nil || g.Rank(h.anna) != "admin" || h.wa.Picture(address) == nil {
			t.Errorf("made with the admins %s, %+v", told(made.Admins), made.Problem)
		}
		for _, m := range made.Group.Members {
			if m.Role == crm.MemberOrdinary {
				t.Errorf("the answer has %+v", m)
			}
		}
		in.Picture = append([]byte("\xff\xd8\xff\xe0"), "no photo"...)
		if made, err = h.CreateGroup(t.Context(), h.Owner, testLine, in); err != nil || made.Problem == nil || made.Problem.Code != string(crm.CodeInvalid) {
			t.Errorf("with a picture that is none: %+v, %v", made, err)
		}
	})
}

// TestGroupsInFull lists groups with their members and their communities, and looks at a
// group by its link before joining it.
func TestGroupsInFull(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.anna.SendText(h.shop, "hi") // so that her name is known
		h.awaitItem(t, crm.EventMessage, `"hi"`)
		town, news := h.wa.NewGroup("Town", true, h.anna, h.shop), h.wa.NewGroup("News", true, h.anna, h.shop)
		news.Link(town, true)
		news.Describe(h.anna, "What happens")
		list, err := h.Groups(t.Context(), h.Reader, testLine, true)
		if err != nil || len(list) != 2 {
			t.Fatalf("listed as %+v, %v", list, err)
		}
		for _, g := range list {
			if g.Name == "Town" && (!g.Community || g.Announcements || g.CommunityID != nil) || g.NameAt == 0 || g.NameBy == nil || *g.NameBy != anna {
				t.Errorf("the community is %+v", g)
			}
			if g.Name == "News" && (g.Community || !g.Announcements || g.CommunityID == nil || *g.CommunityID != town.JID().String() || g.DescriptionID == "") {
				t.Errorf("its group is %+v", g)
			}
			if len(g.Members) != 2 || g.Members[0].Name != "Anna" || g.Members[0].Phone == nil || *g.Members[0].Phone != "79995554433" {
				t.Errorf("the members are %+v", g.Members)
			}
		}
		choir := h.wa.NewGroup("Choir", true, h.anna)
		link := "https://chat.whatsapp.com/" + choir.Invite()
		if g, err := h.GroupByLink(t.Context(), h.Owner, testLine, link); err != nil || g.ID != choir.JID().String() || g.Name != "Choir" || g.Admin {
			t.Errorf("the group of a link is %+v, %v", g, err)
		}
		if choir.Rank(h.shop) != "none" {
			t.Error("the account has joined it")
		}
		if _, err := h.GroupByLink(t.Context(), h.Operator, testLine, link); code(err) != crm.CodeDenied {
			t.Errorf("an operator who may not join: %v", err)
		}
		if _, err := h.GroupByLink(t.Context(), h.Owner, testLine, "AbCdEfGhIjKlMnOpQrStUv"); code(err) != crm.CodeInvalid {
			t.Errorf("a link of no group: %v", err)
		}
	})
}
