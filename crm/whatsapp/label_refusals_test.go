package whatsapp

import (
	"context"
	"io"
	"sync/atomic"
	"testing"

	"go.mau.fi/whatsmeow/appstate"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// taggedHarness pairs a line whose tags go to the phone.
func (h *harness) taggedHarness(t *testing.T) {
	t.Helper()
	h.shop.SetBusinessName("Shop")
	h.pair(t)
	h.shop.Change(appstate.BuildLabelEdit("7", "Paid", 1, false))
	eventually(t, "the labels are not known", func() bool {
		tags, err := h.Tags(t.Context(), h.Owner, crm.TagQuery{})
		return err == nil && len(tags.Items) == 1
	})
	if _, err := h.ChangeLineSettings(t.Context(), h.Owner, testLine, crm.LineSettingsChanges{Labels: crm.Value(true)}); err != nil {
		t.Fatal(err)
	}
	h.anna.SendText(h.shop, "hello")
	h.awaitItem(t, crm.EventMessage, `"hello"`)
}

// tag makes a tag and puts it on Anna's chat.
func (h *harness) tag(t *testing.T, name string) int64 {
	t.Helper()
	tag, err := h.CreateTag(t.Context(), h.Owner, crm.TagInput{Name: crm.Value(name), Color: crm.Value("#123456")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.TagChat(t.Context(), h.Operator, h.chat(), crm.Value(tag.ID)); err != nil {
		t.Fatal(err)
	}
	return tag.ID
}

func (h *harness) awaitChange(t *testing.T, index ...string) whatsapptest.Change {
	t.Helper()
	c, err := h.shop.AwaitChange(testwait.Context(t), index...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRefusedLabelBlocksNoOther checks that a label which WhatsApp refuses for what it is does
// not keep others from the phone, and that it goes there when it has changed.
func TestRefusedLabelBlocksNoOther(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.taggedHarness(t)
		h.shop.RefuseChanges(406, appstate.IndexLabelEdit, "1000")
		bad := h.tag(t, "Bad")
		eventually(t, "it is not sent", func() bool { return h.shop.RefusedChanges() > 0 })
		h.tag(t, "Good")
		h.awaitChange(t, appstate.IndexLabelAssociationChat, "1001")
		for _, c := range h.shop.Changes() {
			if c.Index[1] == "1000" {
				t.Errorf("the phone has %v of a label that it does not know", c.Index)
			}
		}
		if n := h.shop.RefusedChanges(); n > 3 { // with its chats, alone, and perhaps with the next one
			t.Errorf("it was sent %d times", n)
		}
		h.shop.RefuseChanges(0)
		if _, err := h.EditTag(t.Context(), h.Owner, bad, crm.TagInput{Name: crm.Value("Better")}); err != nil {
			t.Fatal(err)
		}
		if name := h.awaitChange(t, appstate.IndexLabelEdit, "1000").Value.GetLabelEditAction().GetName(); name != "Better" {
			t.Errorf("the label is %s", name)
		}
		h.awaitChange(t, appstate.IndexLabelAssociationChat, "1000")
	})
}

// failingLabels are rules whose database fails some times when labels are read.
type failingLabels struct {
	*crm.Service
	left atomic.Int32
}

func (f *failingLabels) LabelChanges(ctx context.Context, on crm.Line, after int64, limit int) ([]crm.LabelChange, error) {
	if f.left.Add(-1) >= 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return f.Service.LabelChanges(ctx, on, after, limit)
}

// TestLabelsAfterAFaultOfTheDatabase checks that labels go to the phone at once when our own
// database is back: it is only WhatsApp that has to be left alone.
func TestLabelsAfterAFaultOfTheDatabase(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.taggedHarness(t)
		h.stop()
		rules := &failingLabels{Service: h.Service}
		rules.left.Store(6)
		m, _ := h.node(t, rules)
		h.Service.Messengers[Type] = m
		h.awaitState(t, crm.StateConnected)
		h.tag(t, "VIP")
		eventually(t, "the phone is not told", func() bool {
			m.Label(testLine)
			return len(h.shop.Changes()) > 0
		})
	})
}
