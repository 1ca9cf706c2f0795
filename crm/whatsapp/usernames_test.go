package whatsapp

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
	"chatcast/crm/whatsapp/whatsapptest"
)

// TestUsernames saves people without numbers under usernames that are bad, or look like those
// of others. Each is a person of their own, found by what can be typed of the username.
func TestUsernames(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		long := strings.Repeat("x", 1000)
		cases := []struct{ given, want, search string }{
			{"carla", "carla", "carla"},
			{"саrla", "саrla", "саrla"}, // begins with Cyrillic letters
			{"\u202ealrac\u2066", "alrac", "alrac"},
			{"dora\x00\n\x1b[31m", "dora[31m", "dora"},
			{"\U0001F950\ufe0f.b\u200bakery", "\U0001F950.bakery", "bakery"},
			{"\u3164\u200b@", "", ""},
			{"", "", ""},
			{long, long[:content.MaxName], "xxxxxxxx"},
			{"Ünïcode", "Ünïcode", "unicode"},
		}
		var people []*whatsapptest.Contact
		for i, c := range cases {
			lid := fmt.Sprintf("70000010%d", i)
			who := h.wa.NewContact(fmt.Sprintf("7999444000%d", i), lid, "\u202e\u3164")
			who.HideNumber()
			h.shop.SaveHidden(who.HiddenID(), "\u202ePerson\n"+lid, c.given)
			people = append(people, who)
		}
		eventually(t, "entries of the address book are no contacts", func() bool {
			for _, c := range cases { // they come in several parts
				if page, err := h.Contacts(t.Context(), h.Owner, testLine, crm.PageQuery{}, c.search); err != nil || len(page.Items) == 0 {
					return false
				}
			}
			return true
		})
		for i, c := range cases {
			lid, text := people[i].HiddenID().String(), fmt.Sprint("from person ", i)
			people[i].SendText(h.shop, text)
			username := "null"
			if c.want != "" {
				username = strconv.Quote(c.want)
			}
			item := h.awaitItem(t, crm.EventMessage, text)
			for _, want := range []string{`"chat":{"id":"` + lid + `"`, `"username":` + username, `"name":"Person ` + people[i].HiddenID().User + `"`, `"fromUser":{"id":"` + lid + `","username":null,"name":"","phone":null}`} {
				if !strings.Contains(item, want) {
					t.Errorf("told is %s, want %s", item, want)
				}
			}
		}
		for i, c := range cases {
			if c.search == "" {
				continue
			}
			if chat := h.onlyChat(t, c.search); chat.ID != fmt.Sprintf("70000010%d@lid", i) || chat.Username == nil || *chat.Username != c.want {
				t.Errorf("%q finds %+v", c.search, chat)
			}
		}
		page, err := h.Chats(t.Context(), h.Owner, testLine, crm.ChatQuery{Search: "person"})
		if err != nil || len(page.Items) != len(cases) {
			t.Errorf("%d chats, %v", len(page.Items), err)
		}
	})
}
