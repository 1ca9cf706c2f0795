package whatsapp

import (
	"bytes"
	"image/jpeg"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestProfile reads and changes what people see of the account.
func TestProfile(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		if _, err := h.Profile(t.Context(), h.Owner, testLine); code(err) != crm.CodeUnavailable {
			t.Errorf("a line without an account: %v", err)
		}
		h.pair(t)
		h.awaitName(t, "Shop")
		p, err := h.Profile(t.Context(), h.Reader, testLine)
		if err != nil || p.Phone != "79990001122" || p.LID == nil || *p.LID != "100200300@lid" || p.Name != "Shop" || p.About != "" || p.PictureURL != nil || p.Business {
			t.Errorf("the profile is %+v, %v", p, err)
		}
		p, err = h.ChangeProfile(t.Context(), h.Owner, testLine, crm.ProfileChanges{Name: crm.Value(" Flower shop "), About: crm.Value("Mon-Fri")})
		if err != nil || p.Name != "Flower shop" || p.About != "Mon-Fri" || h.shop.About() != "Mon-Fri" {
			t.Errorf("changed to %+v, %v; the text is %q", p, err, h.shop.About())
		}
		ch, err := h.shop.AwaitChange(testwait.Context(t), "setting_pushName")
		if err != nil || ch.Value.GetPushNameSetting().GetName() != "Flower shop" {
			t.Errorf("the phone is told %v, %v", ch, err)
		}
		eventually(t, "people do not see the name", func() bool {
			return slices.ContainsFunc(h.shop.Presences(), func(p whatsapptest.Presence) bool { return p.Name == "Flower shop" })
		})
		if err := h.SetProfilePicture(t.Context(), h.Owner, testLine, whatsapptest.Photo(90, 60)); err != nil {
			t.Fatal(err)
		}
		if config, err := jpeg.DecodeConfig(bytes.NewReader(h.wa.Picture(h.shop.Number()))); err != nil || config.Width != 60 || config.Height != 60 {
			t.Errorf("WhatsApp has a picture of %d x %d, %v", config.Width, config.Height, err)
		}
		if p, err = h.Profile(t.Context(), h.Owner, testLine); err != nil || p.PictureURL == nil || !strings.HasPrefix(*p.PictureURL, "https://") {
			t.Errorf("with a picture: %+v, %v", p, err)
		}
		if err := h.RemoveProfilePicture(t.Context(), h.Owner, testLine); err != nil || h.wa.Picture(h.shop.Number()) != nil {
			t.Errorf("removing it: %v", err)
		}
		log, err := h.AuditLog(t.Context(), h.Owner, crm.AuditQuery{Action: crm.AuditLineProfile})
		if err != nil || len(log.Items) != 4 || log.Items[3].Details["name"] != "Flower shop" || log.Items[0].Details["picture"] != "removed" {
			t.Errorf("the audit log has %+v, %v", log.Items, err)
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// awaitName waits until the session knows the name that the account's owner chose.
func (h *harness) awaitName(t *testing.T, name string) {
	t.Helper()
	eventually(t, "the name is not known", func() bool {
		p, err := h.Profile(t.Context(), h.Owner, testLine)
		return err == nil && p.Name == name
	})
}

// TestPersonProfiles looks at people: a contact, a business, a stranger and nobody.
func TestPersonProfiles(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.anna.SetAbout("At the sea")
		h.anna.SetPicture(whatsapptest.Photo(8, 8))
		h.anna.SendText(h.shop, "hi")
		h.awaitItem(t, crm.EventMessage, `"hi"`)
		profile := func(id string) *crm.ContactProfile {
			t.Helper()
			p, err := h.ContactProfile(t.Context(), h.Operator, crm.ContactAddress{Line: testLine, ContactID: id})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		if p := profile(anna); !p.Exists || p.Name != "Anna" || p.About == nil || *p.About != "At the sea" || p.PictureURL == nil || p.LID == nil || p.Business != nil {
			t.Errorf("Anna is %+v", p)
		}
		if days := h.checked(t); days != 0 {
			t.Errorf("a contact counts as %d numbers that were asked about", days)
		}
		carls := h.wa.NewContact("79992223344", "100200303", "Carl")
		carls.HidePicture(true)
		carls.DescribeBusiness("Carl's flowers", whatsapptest.Business{
			Description: "Flowers", Address: "Street 1", Email: "carl@example.com", Websites: []string{"https://carl.example"}, Categories: []string{"Florist"}, TimeZone: "Europe/Lisbon",
			Hours: []whatsapptest.BusinessDay{{Day: "mon", Mode: "specific_hours", Open: 540, Close: 1080}, {Day: "sun", Mode: "open_24h"}, {Day: "noday", Mode: "open_24h"}},
		})
		p := profile("79992223344")
		if b := p.Business; !p.Exists || p.PictureURL != nil || p.About != nil || p.BusinessName == nil || *p.BusinessName != "Carl's flowers" || b == nil ||
			b.Description != "Flowers" || b.Email != "carl@example.com" || len(b.Websites) != 1 || len(b.Categories) != 1 || len(b.Hours) != 2 ||
			b.Hours[0].Open == nil || *b.Hours[0].Open != 540 || b.Hours[1].Open != nil {
			t.Errorf("the business is %+v, %+v", p, b)
		}
		if p := profile("79990000000"); p.Exists || p.About != nil || p.LID != nil {
			t.Errorf("nobody is %+v", p)
		}
		if n := h.checked(t); n != 2 {
			t.Errorf("strangers count as %d numbers that were asked about, want 2", n)
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// checked returns how many numbers the line asked about today.
func (h *harness) checked(t *testing.T) int64 {
	t.Helper()
	log, err := h.AuditLog(t.Context(), h.Owner, crm.AuditQuery{Action: crm.AuditContactsChecked})
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(log.Items))
}

// TestPrivacy reads and changes who sees what of the account, and sees what the phone has
// changed.
func TestPrivacy(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		p, err := h.Privacy(t.Context(), h.Owner, testLine)
		if all := (crm.Privacy{ReadReceipts: "all", Picture: "all", About: "all", Online: "all", LastSeen: "all", GroupAdd: "all"}); err != nil || *p != all {
			t.Errorf("at first it is %+v, %v", p, err)
		}
		if _, err := h.Privacy(t.Context(), h.Operator, testLine); code(err) != crm.CodeDenied {
			t.Errorf("an operator: %v", err)
		}
		h.shop.SetPrivacy("status", "none")
		want := crm.Privacy{ReadReceipts: "none", Picture: "contacts", About: "none", Online: "match_last_seen", LastSeen: "contact_blacklist", GroupAdd: "contacts"}
		p, err = h.ChangePrivacy(t.Context(), h.Owner, testLine, crm.PrivacyChanges{
			ReadReceipts: crm.Value("none"), Picture: crm.Value("contacts"), Online: crm.Value("match_last_seen"), LastSeen: crm.Value("contact_blacklist"), GroupAdd: crm.Value("contacts"),
		})
		if err != nil || *p != want {
			t.Errorf("changed to %+v, %v", p, err)
		}
		for name, value := range map[string]string{"readreceipts": "none", "profile": "contacts", "status": "none", "online": "match_last_seen", "last": "contact_blacklist", "groupadd": "contacts"} {
			if got := h.shop.Privacy(name); got != value {
				t.Errorf("WhatsApp has %s %s, want %s", name, got, value)
			}
		}
		log, err := h.AuditLog(t.Context(), h.Owner, crm.AuditQuery{Action: crm.AuditLinePrivacy})
		if err != nil || len(log.Items) != 5 {
			t.Errorf("the audit log has %+v, %v", log.Items, err)
		}
	})
}

// TestAccountIsOnline shows the account as online and away, also over connections, and shows
// that it has stopped writing.
func TestAccountIsOnline(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.awaitName(t, "Shop")
		last := func(kind string) {
			t.Helper()
			eventually(t, "it is not shown as "+kind, func() bool {
				all := h.shop.Presences()
				return len(all) > 0 && all[len(all)-1].Type == kind
			})
		}
		last("unavailable")
		if err := h.SetPresence(t.Context(), h.Owner, testLine, crm.PresenceAvailable); err != nil {
			t.Fatal(err)
		}
		last("available")
		n := len(h.shop.Presences())
		h.shop.Drop()
		eventually(t, "it is not shown as online on the next connection", func() bool {
			all := h.shop.Presences()
			return len(all) > n && all[len(all)-1].Type == "available"
		})
		eventually(t, "it cannot be shown as away", func() bool {
			return h.SetPresence(t.Context(), h.Owner, testLine, crm.PresenceUnavailable) == nil
		})
		last("unavailable")
		h.anna.SendText(h.shop, "hi")
		h.awaitItem(t, crm.EventMessage, `"hi"`)
		if err := h.Typing(t.Context(), h.Operator, h.chat(), crm.TypingPaused); err != nil {
			t.Fatal(err)
		}
		if err := h.anna.AwaitTyping(testwait.Context(t), "paused"); err != nil {
			t.Error(err)
		}
	})
}

// TestPeopleComeAndGo checks that people in whose chats somebody writes are shown as online
// and offline, on sockets alone.
func TestPeopleComeAndGo(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.awaitName(t, "Shop")
		h.anna.SendText(h.shop, "hi")
		h.awaitItem(t, crm.EventMessage, `"hi"`)
		if err := h.Typing(t.Context(), h.Operator, h.chat(), crm.TypingText); err != nil {
			t.Fatal(err)
		}
		if err := h.shop.AwaitWatched(testwait.Context(t), h.anna); err != nil {
			t.Fatal(err)
		}
		awaitPresence := func(what string) {
			t.Helper()
			eventually(t, "nobody hears "+what, func() bool {
				for _, ev := range h.Live.Published() {
					if ev.Name == crm.EventChatPresence && strings.Contains(ev.Data, what) && strings.Contains(ev.Data, `"chat":{"id":"`+anna+`"}`) {
						return true
					}
				}
				return false
			})
		}
		h.anna.Come()
		awaitPresence(`"type":"online"`)
		h.anna.Go(time.Unix(1767000000, 0))
		awaitPresence(`"lastSeen":1767000000`)
		if len(h.Events(t, crm.EventChatPresence)) != 0 {
			t.Error("it is in the journal")
		}
	})
}

// awaitLooks waits until the instance of the line has a picture, or none, and this text.
func (h *harness) awaitLooks(t *testing.T, picture bool, about string) {
	t.Helper()
	eventually(t, "the looks of the account are not "+about, func() bool {
		list, err := h.Instances(t.Context(), h.Owner)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(i crm.Instance) bool { return i.Line == testLine })
		return i >= 0 && strings.HasPrefix(list[i].PictureURL, "https://") == picture && list[i].About == about
	})
}

// TestLooksAreKept checks that the account's picture and its text are kept: from the connection on,
// when the phone or a client changes them, and not those of the account before.
func TestLooksAreKept(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.shop.SetPicture(whatsapptest.Photo(60, 60))
		h.pair(t)
		h.awaitLooks(t, true, "")
		if _, err := h.ChangeProfile(t.Context(), h.Owner, testLine, crm.ProfileChanges{About: crm.Value("Mon-Fri")}); err != nil {
			t.Fatal(err)
		}
		h.awaitLooks(t, true, "Mon-Fri")
		if err := h.RemoveProfilePicture(t.Context(), h.Owner, testLine); err != nil {
			t.Fatal(err)
		}
		h.awaitLooks(t, false, "Mon-Fri")
		h.shop.SetPicture(whatsapptest.Photo(60, 60))
		h.awaitLooks(t, true, "Mon-Fri")
		h.restart(t)
		h.awaitLooks(t, true, "Mon-Fri")
		h.stop() // else it may be reading those of the account still
		other := "79990009999"
		if err := h.SetLineState(t.Context(), testLine, crm.LineState{State: crm.StateConnected, Phone: &other}); err != nil {
			t.Fatal(err)
		}
		h.awaitLooks(t, false, "")
	})
}
