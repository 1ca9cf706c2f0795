package whatsapp

import (
	"fmt"
	"strconv"
	"testing"

	"go.mau.fi/whatsmeow/appstate"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestTagsOnThePhone puts tags on a chat while the line is away and afterwards: the phone
// has them as labels, and what it says of them in turn changes nothing here.
func TestTagsOnThePhone(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.shop.SetBusinessName("Shop")
		h.pair(t)
		h.anna.Send(h.shop, whatsapptest.Text("hello"), whatsapptest.SendOpts{Addressing: whatsapptest.ByNumber})
		h.shop.Change(appstate.BuildLabelEdit("7", "Paid", 1, false)) // the first news is all that there is, and causes no events
		eventually(t, "the labels are not known", func() bool {
			tags, err := h.Tags(t.Context(), h.Owner, crm.TagQuery{})
			return err == nil && len(tags.Items) == 1
		})
		at := crm.ChatAddress{Line: testLine, ChatID: anna}
		h.afterEvents(t, "there is no chat", func() bool { _, err := h.Chat(t.Context(), h.Owner, at); return err == nil })
		tag, err := h.CreateTag(t.Context(), h.Owner, crm.TagInput{Name: crm.Value("VIP"), Color: crm.Value("#123456")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.TagChat(t.Context(), h.Operator, at, crm.Value(tag.ID)); err != nil {
			t.Fatal(err)
		}
		settings, err := h.ChangeLineSettings(t.Context(), h.Owner, testLine, crm.LineSettingsChanges{Labels: crm.Value(true)})
		if err != nil || !settings.Labels || settings.HasLabels == nil || !*settings.HasLabels {
			t.Fatalf("the settings are %+v, %v", settings, err)
		}
		change := func(index ...string) whatsapptest.Change {
			t.Helper()
			c, err := h.shop.AwaitChange(testwait.Context(t), index...)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		if e := change(appstate.IndexLabelEdit, "1000").Value.GetLabelEditAction(); e.GetName() != "VIP" || e.GetColor() != crm.LabelColorOf("#123456") || e.GetDeleted() {
			t.Errorf("the label is %v", e)
		}
		chat := change(appstate.IndexLabelAssociationChat, "1000")
		if !chat.Value.GetLabelAssociationAction().GetLabeled() {
			t.Errorf("the chat's label is %v", chat)
		}
		// Its own changes come back to the client before the next ones of the phone.
		mark := h.Mark(t)
		h.shop.Change(appstate.BuildLabelChat(h.anna.Number(), "1000", false))
		h.afterEvents(t, "the label is not taken off", func() bool { return len(h.EventsAfter(t, mark, "chatTag")) > 0 })
		if data, err := h.Chat(t.Context(), h.Owner, at); err != nil || len(data.Tags) > 0 {
			t.Errorf("the chat has %+v, %v", data.Tags, err)
		}
		if again, err := h.Tag(t.Context(), h.Owner, tag.ID); err != nil || again != tag {
			t.Errorf("the tag became %+v, %v", again, err)
		}
		if err := h.DeleteTag(t.Context(), h.Owner, tag.ID); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the label is not deleted", func() bool {
			for _, c := range h.shop.Changes() {
				if c.Value.GetLabelEditAction().GetDeleted() {
					return true
				}
			}
			return false
		})
	})
}

// TestRefusedLabelsAreLeftAlone checks that changes which the phone refuses are not sent again
// whenever there is another one.
func TestRefusedLabelsAreLeftAlone(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.shop.SetBusinessName("Shop")
		h.pair(t)
		h.shop.Change(appstate.BuildLabelEdit("7", "Paid", 1, false))
		eventually(t, "the labels are not known", func() bool {
			tags, err := h.Tags(t.Context(), h.Owner, crm.TagQuery{})
			return err == nil && len(tags.Items) == 1
		})
		h.shop.RefuseChanges(429)
		if _, err := h.ChangeLineSettings(t.Context(), h.Owner, testLine, crm.LineSettingsChanges{Labels: crm.Value(true)}); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			tag, err := h.CreateTag(t.Context(), h.Owner, crm.TagInput{Name: crm.Value(fmt.Sprint("VIP ", i)), Color: crm.Value("#123456")})
			if err != nil {
				t.Fatal(err)
			}
			h.anna.SendText(h.shop, tag.Name)
			h.awaitItem(t, crm.EventMessage, strconv.Quote(tag.Name))
			if _, err := h.TagChat(t.Context(), h.Operator, h.chat(), crm.Value(tag.ID)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the phone is not told", func() bool { return h.shop.RefusedChanges() > 0 })
		}
		h.stop()
		if n := h.shop.RefusedChanges(); n != 1 {
			t.Errorf("it was sent %d times", n)
		}
	})
}

// TestPrivateAccountsHaveNoLabels pairs a line with an account that has no labels.
func TestPrivateAccountsHaveNoLabels(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		if s, err := h.LineSettings(t.Context(), h.Owner, testLine); err != nil || s.HasLabels != nil {
			t.Errorf("before pairing: %+v, %v", s, err)
		}
		h.pair(t)
		if s, err := h.LineSettings(t.Context(), h.Owner, testLine); err != nil || s.HasLabels == nil || *s.HasLabels {
			t.Errorf("of a private account: %+v, %v", s, err)
		}
		if _, err := h.ChangeLineSettings(t.Context(), h.Owner, testLine, crm.LineSettingsChanges{Labels: crm.Value(true)}); code(err) != crm.CodeConflict {
			t.Errorf("turned on for a private account: %v", err)
		}
	})
}
