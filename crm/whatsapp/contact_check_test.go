package whatsapp

import (
	"fmt"
	"slices"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// TestContactCheck asks the stand-in about numbers: in both forms where a country has two,
// of people who hide their number, of a business, and more than fit in one question.
func TestContactCheck(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		check := func(numbers ...string) ([]crm.ContactCheck, error) {
			return h.CheckContacts(t.Context(), h.Operator, testLine, numbers)
		}
		if _, err := check("79995554433"); code(err) != crm.CodeUnavailable {
			t.Errorf("a line without an account: %v", err)
		}
		h.pair(t)
		h.wa.NewContact("554497586617", "500000001", "Maria").AlsoTyped("5544997586617")
		h.wa.NewContact("5215512345678", "500000003", "José")
		juan := h.wa.NewContact("5491123456789", "500000004", "Juan")
		juan.SetBusiness("Juan's grill")
		h.wa.NewContact("4915112345670", "500000006", "Hidden").HideNumber()
		got, err := check("+7 999 555-44-33", "5544997586617", "525512345678", "541123456789", "4915112345670", "79990000000", "911")
		if err != nil {
			t.Fatal(err)
		}
		text := func(p *string) string {
			if p == nil {
				return "-"
			}
			return *p
		}
		want := []string{
			"true 79995554433@c.us 79995554433 100200301@lid -", "true 554497586617@c.us 554497586617 500000001@lid -",
			"true 5215512345678@c.us 5215512345678 500000003@lid -", "true 5491123456789@c.us 5491123456789 500000004@lid Juan's grill",
			"true 4915112345670@c.us 4915112345670 500000006@lid -", "false - - - -", "invalid_number",
		}
		for i, k := range got {
			said := ""
			if k.Error != nil {
				said = k.Error.Code
			} else {
				id := "-"
				if k.ID != nil {
					id = k.ID.String()
				}
				said = fmt.Sprint(*k.Exists, " ", id, " ", text(k.Phone), " ", text(k.LID), " ", text(k.BusinessName))
			}
			if said != want[i] {
				t.Errorf("%s is %q, want %q", k.Number, said, want[i])
			}
		}
		h.write(t, "541123456789", "hello")
		if _, err := juan.AwaitText(testwait.Context(t), "hello"); err != nil {
			t.Fatal(err)
		}
		if chat := h.onlyChat(t, "5491123456789"); chat.ID != got[3].ID.String() {
			t.Errorf("the chat is %s, not %s", chat.ID, got[3].ID)
		}
		asked := len(h.wa.LookedUp())
		var many []string
		for i := range 70 {
			many = append(many, fmt.Sprint(79990200000+i))
		}
		if all, err := check(many...); err != nil || slices.ContainsFunc(all, func(k crm.ContactCheck) bool { return k.Exists == nil || *k.Exists }) {
			t.Errorf("70 numbers: %+v, %v", all, err)
		}
		if n := len(h.wa.LookedUp()) - asked; n < 70 || n > 72 { // and what was written to meanwhile
			t.Errorf("WhatsApp was asked about %d numbers", n)
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
		h.stop()
		if _, err := check("79990009999"); code(err) != crm.CodeUnavailable {
			t.Errorf("of a line that is not connected: %v", err)
		}
	})
}
