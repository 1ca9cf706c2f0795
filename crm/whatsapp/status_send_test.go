package whatsapp

import (
	"bytes"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestPostingAStatus posts texts and files for all contacts of the phone and for some people.
func TestPostingAStatus(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		if _, err := h.PostStatus(t.Context(), h.Owner, testLine, crm.StatusPost{Text: "Hi"}, nil); code(err) != crm.CodeUnavailable {
			t.Errorf("a line without an account: %v", err)
		}
		h.pair(t)
		h.awaitName(t, "Shop")
		if _, err := h.PostStatus(t.Context(), h.Owner, testLine, crm.StatusPost{Text: "Hi"}, nil); code(err) != crm.CodeInvalid {
			t.Errorf("a phone without contacts: %v", err)
		}
		carls := h.wa.NewContact("79992223344", "100200303", "Carl")
		h.shop.SaveContact(h.anna.Number(), "Anna", "Anna Smith")
		h.anna.SendText(h.shop, "hi")
		h.awaitItem(t, crm.EventMessage, `"hi"`)
		contacts := h.m.serving(testLine).client().Store.Contacts
		eventually(t, "Anna is no contact", func() bool { // the message may come before
			info, err := contacts.GetContact(t.Context(), h.anna.Number())
			return err == nil && info.FullName == "Anna Smith"
		})
		post := func(p crm.StatusPost, u *crm.Upload) string {
			t.Helper()
			sent, err := h.PostStatus(t.Context(), h.Owner, testLine, p, u)
			if err != nil {
				t.Fatal(err)
			}
			if now := time.Now().Unix(); sent.Time < now-60 || sent.Time > now+60 {
				t.Errorf("posted at %d", sent.Time)
			}
			return sent.ID
		}
		id := post(crm.StatusPost{Text: "Open until eight", Background: "#12aa55", Font: 2}, nil)
		got, err := h.anna.AwaitID(testwait.Context(t), id)
		if text := got.Message.GetExtendedTextMessage(); err != nil || got.Chat != types.StatusBroadcastJID || text.GetText() != "Open until eight" || text.GetBackgroundArgb() != 0xff12aa55 || text.GetFont() != 2 {
			t.Errorf("Anna gets %+v, %v", got, err)
		}
		file := func(name string, data []byte) *crm.Upload {
			t.Helper()
			u, err := h.StoreStatusFile(t.Context(), h.Owner, testLine, name, "", bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			return u
		}
		id = post(crm.StatusPost{Caption: "Fresh", Receivers: []string{carl}}, file("photo.jpg", whatsapptest.Photo(64, 48)))
		if got, err = carls.AwaitID(testwait.Context(t), id); err != nil || got.Message.GetImageMessage().GetCaption() != "Fresh" || got.Message.GetImageMessage().GetWidth() != 64 {
			t.Errorf("Carl gets %+v, %v", got, err)
		}
		id = post(crm.StatusPost{Background: "#000000"}, file("voice.webm", whatsapptest.Recording(1)))
		if got, err = h.anna.AwaitID(testwait.Context(t), id); err != nil || !got.Message.GetAudioMessage().GetPTT() || got.Message.GetAudioMessage().GetBackgroundArgb() != 0xff000000 {
			t.Errorf("Anna gets %+v, %v", got, err)
		}
		for _, r := range carls.Inbox() {
			if r.Message.GetImageMessage() == nil {
				t.Errorf("Carl, who is no contact of the phone, gets %+v", r)
			}
		}
		if n := len(h.anna.Inbox()); n != 2 {
			t.Errorf("Anna has got %d posts", n)
		}
		if _, err := h.PostStatus(t.Context(), h.Owner, testLine, crm.StatusPost{}, file("photo.jpg", []byte("\xff\xd8\xff\xe0 no photo"))); code(err) != crm.CodeInvalid {
			t.Errorf("a file that is no photo: %v", err)
		}
		h.shop.SetStatusPrivacy(types.StatusPrivacyTypeWhitelist, h.anna)
		if _, err := h.PostStatus(t.Context(), h.Owner, testLine, crm.StatusPost{Text: "Hi", Receivers: []string{carl}}, nil); code(err) != crm.CodeConflict {
			t.Errorf("receivers beside a list of the phone: %v", err)
		}
		if got, err = h.anna.AwaitID(testwait.Context(t), post(crm.StatusPost{Text: "For the list"}, nil)); err != nil {
			t.Error(err)
		}
		log, err := h.AuditLog(t.Context(), h.Owner, crm.AuditQuery{Action: crm.AuditStatusPosted})
		if err != nil || len(log.Items) != 4 || log.Items[2].Details["type"] != "image" {
			t.Errorf("the audit log has %+v, %v", log.Items, err)
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}
