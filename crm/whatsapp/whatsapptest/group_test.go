package whatsapptest_test

import (
	"errors"
	"fmt"
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

func TestGroups(t *testing.T) {
	for _, byHiddenID := range []bool{false, true} {
		t.Run(fmt.Sprint("by hidden id ", byHiddenID), func(t *testing.T) {
			w := newWorld(t)
			c := w.linked(t)
			bob := w.NewContact("79991112233", "100200302", "Bob")
			g := w.NewGroup("Family", byHiddenID, w.anna, bob, w.shop)
			joined := await(c, func(e *events.JoinedGroup) bool { return e.JID == g.JID() })
			if joined.Name != "Family" || len(joined.Participants) != 3 {
				t.Errorf("joined %+v", joined.GroupInfo)
			}
			info, err := c.GetGroupInfo(t.Context(), g.JID())
			if err != nil || len(info.Participants) != 3 || (info.AddressingMode == types.AddressingModeLID) != byHiddenID {
				t.Errorf("%+v, %v", info, err)
			}
			for _, p := range info.Participants {
				if p.LID.IsEmpty() || p.PhoneNumber.IsEmpty() {
					t.Errorf("a member is %s and %s", p.PhoneNumber, p.LID)
				}
			}
			groupTalk(t, w, c, g, bob)
			w.sound(t)
		})
	}
}

func groupTalk(t *testing.T, w *world, c *client, g *whatsapptest.Group, bob *whatsapptest.Contact) {
	t.Helper()
	for i := range 3 { // the first with the sender's key, the others without
		text := fmt.Sprintf("dear all %d", i)
		id := w.anna.SendGroup(g, whatsapptest.Text(text))
		m := c.awaitText(text)
		if m.Info.ID != id || m.Info.Chat != g.JID() || !m.Info.IsGroup || m.Info.SenderAlt.IsEmpty() {
			t.Errorf("came as %+v", m.Info)
		}
		if err := w.anna.AwaitDelivered(testwait.Context(t), id); err != nil {
			t.Error(err)
		}
	}
	for i := range 2 {
		sent, err := c.say(g.JID(), fmt.Sprintf("dear you %d", i))
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range []*whatsapptest.Contact{w.anna, bob} {
			got, err := member.AwaitID(testwait.Context(t), sent.ID)
			if err != nil || got.Chat != g.JID() || got.Copies != 1 {
				t.Errorf("arrived as %+v, %v", got, err)
			}
		}
		if _, err := w.shop.AwaitID(testwait.Context(t), sent.ID); err != nil {
			t.Errorf("the own phone: %v", err)
		}
		bob.Read(w.shop, sent.ID)
		await(c, func(r *events.Receipt) bool {
			return r.Type == types.ReceiptTypeRead && r.Chat == g.JID() && r.MessageIDs[0] == sent.ID
		})
	}
	id := w.shop.WriteGroup(g, whatsapptest.Text("from my phone to all"))
	if m := await(c, messageID(id)); !m.Info.IsFromMe && m.Message.GetConversation() != "" {
		t.Errorf("came as %+v", m.Info)
	}
	if _, err := bob.AwaitText(testwait.Context(t), "from my phone to all"); err != nil {
		t.Error(err)
	}
}

func TestGroupRetries(t *testing.T) {
	w := newWorld(t)
	w.shop.IgnoreRequests(true)
	c := w.linked(t)
	g := w.NewGroup("Family", true, w.anna, w.shop)
	await[*events.JoinedGroup](c, nil)
	id := w.anna.SendGroup(g, whatsapptest.Text("broken"), whatsapptest.SendOpts{Garbled: 1})
	await(c, func(e *events.UndecryptableMessage) bool { return e.Info.ID == id })
	if m := c.awaitText("broken"); m.Info.ID != id || m.Info.Chat != g.JID() {
		t.Errorf("came as %+v", m.Info)
	}
	w.anna.PlayDeaf(1)
	sent, err := c.say(g.JID(), "say it again")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.anna.AwaitID(testwait.Context(t), sent.ID); err != nil || got.Retries != 1 {
		t.Errorf("arrived as %+v, %v", got, err)
	}
	w.sound(t)
}

func TestGroupChanges(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	bob := w.NewContact("79991112233", "100200302", "Bob")
	g := w.NewGroup("Family", false, w.anna, w.shop)
	await[*events.JoinedGroup](c, nil)
	change := func(match func(*events.GroupInfo) bool) *events.GroupInfo { return await(c, match) }

	g.Rename(w.anna, "Relatives")
	change(func(e *events.GroupInfo) bool { return e.Name != nil && e.Name.Name == "Relatives" })
	g.Describe(w.anna, "all of us")
	change(func(e *events.GroupInfo) bool { return e.Topic != nil && e.Topic.Topic == "all of us" })
	g.Add(w.anna, bob)
	change(func(e *events.GroupInfo) bool { return len(e.Join) == 1 && e.Join[0] == bob.Number() })
	g.Promote(w.anna, true, bob)
	change(func(e *events.GroupInfo) bool { return len(e.Promote) == 1 })
	if _, err := c.say(g.JID(), "welcome Bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := bob.AwaitText(testwait.Context(t), "welcome Bob"); err != nil {
		t.Error(err)
	}
	g.Remove(w.anna, bob)
	change(func(e *events.GroupInfo) bool { return len(e.Leave) == 1 && e.Leave[0] == bob.Number() })
	if n := g.Members(); n != 2 {
		t.Errorf("%d members", n)
	}
	g.Remove(w.anna, w.shop)
	change(func(e *events.GroupInfo) bool { return len(e.Leave) == 1 && e.Leave[0] == w.shop.Number() })
	if _, err := c.GetGroupInfo(t.Context(), g.JID()); !errors.Is(err, whatsmeow.ErrNotInGroup) {
		t.Errorf("a group that one is not in: %v", err)
	}
	w.sound(t)
}

func TestGroupOfTheClient(t *testing.T) {
	w := newWorld(t)
	c := w.linked(t)
	bob := w.NewContact("79991112233", "100200302", "Bob")
	info, err := c.CreateGroup(t.Context(), whatsmeow.ReqCreateGroup{Name: "Orders", Participants: []types.JID{w.anna.Number()}})
	if err != nil || info.Name != "Orders" || len(info.Participants) != 2 {
		t.Fatalf("%+v, %v", info, err)
	}
	if _, err := c.UpdateGroupParticipants(t.Context(), info.JID, []types.JID{bob.Number()}, whatsmeow.ParticipantChangeAdd); err != nil {
		t.Error(err)
	}
	if err := c.SetGroupName(t.Context(), info.JID, "Deliveries"); err != nil {
		t.Error(err)
	}
	if err := c.SetGroupTopic(t.Context(), info.JID, "", "", "what is where"); err != nil {
		t.Error(err)
	}
	if err := c.SetGroupAnnounce(t.Context(), info.JID, true); err != nil {
		t.Error(err)
	}
	list, err := c.GetJoinedGroups(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "Deliveries" || list[0].Topic != "what is where" ||
		!list[0].IsAnnounce || len(list[0].Participants) != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	link, err := c.GetGroupInviteLink(t.Context(), info.JID, false)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := c.GetGroupInfoFromLink(t.Context(), link); err != nil || found.JID != info.JID {
		t.Errorf("%+v, %v", found, err)
	}
	if err := c.LeaveGroup(t.Context(), info.JID); err != nil {
		t.Error(err)
	}
	if list, err := c.GetJoinedGroups(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("after leaving: %d groups, %v", len(list), err)
	}
	if joined, err := c.JoinGroupWithLink(t.Context(), link); err != nil || joined != info.JID {
		t.Errorf("by the link: %s, %v", joined, err)
	}
	if _, err := c.GetGroupInfo(t.Context(), types.NewJID("1", types.GroupServer)); !errors.Is(err, whatsmeow.ErrGroupNotFound) {
		t.Errorf("no such group: %v", err)
	}
	w.sound(t)
}
