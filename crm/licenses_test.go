package crm_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

func TestLicenses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		list, err := w.Licenses(t.Context(), w.Reader, 0)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := json.Marshal(list)
		want := `[{"licenseId":1229,"licenseTo":null,"licenseName":"License","meOwner":false,"active":true,` +
			`"status":{"id":4,"code":"paid"},"messenger":[{"type":"WhatsApp","name":"WhatsApp Business"},` +
			`{"type":"grWhatsApp","name":"[WEB] WhatsApp"},{"type":"telegram","name":"Telegram"}],` +
			`"app":[],"access":[],"companyId":2224,"write":false}]`
		if string(got) != want {
			t.Errorf(" got %s\nwant %s", got, want)
		}
		for _, tt := range []struct {
			actor crm.Actor
			want  string
		}{
			{w.Owner, "1229 owner write, 1230 owner write"},
			{w.Admin, "1229 write, 1230 write"},
			{w.Operator, "1229 write"},
			{w.Outsider, ""},
			{w.Stranger, "3001 owner write"},
		} {
			list, err := w.Licenses(t.Context(), tt.actor, 0)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range list {
				s := fmt.Sprint(l.LicenseID)
				if l.MeOwner {
					s += " owner"
				}
				if l.Write {
					s += " write"
				}
				got = append(got, s)
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("%d sees %v, want %s", tt.actor.UserID, got, tt.want)
			}
		}
	})
}

func TestChangeLicenses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		l, err := w.CreateLicense(t.Context(), w.Admin, 0, " Shop ")
		if err != nil || l.LicenseName != "Shop" || l.CompanyID != crmtest.CompanyID || len(l.Messenger) != 0 {
			t.Fatalf("%+v, %v", l, err)
		}
		if l, err = w.AddMessenger(t.Context(), w.Admin, l.LicenseID, "myBot", ""); err != nil || l.Messenger[0] != (crm.MessengerData{Type: "myBot", Name: "myBot"}) {
			t.Fatalf("%+v, %v", l, err)
		}
		if l, err = w.AddMessenger(t.Context(), w.Admin, l.LicenseID, "telegram", "Sales"); err != nil || len(l.Messenger) != 2 {
			t.Fatalf("%+v, %v", l, err)
		}
		_, err = w.AddMessenger(t.Context(), w.Admin, l.LicenseID, "telegram", "")
		expectCode(t, "the same messenger again", err, crm.CodeConflict)
		if l, err = w.RenameLicense(t.Context(), w.Owner, l.LicenseID, "Store"); err != nil || l.LicenseName != "Store" {
			t.Fatalf("%+v, %v", l, err)
		}
		if l, err = w.RemoveMessenger(t.Context(), w.Owner, l.LicenseID, "myBot"); err != nil || len(l.Messenger) != 1 {
			t.Fatalf("%+v, %v", l, err)
		}
		_, err = w.RemoveMessenger(t.Context(), w.Owner, l.LicenseID, "myBot")
		expectCode(t, "a messenger that is not there", err, crm.CodeNotFound)
		if err := w.DeleteLicense(t.Context(), w.Owner, l.LicenseID); err != nil {
			t.Fatal(err)
		}
		expectCode(t, "delete it again", w.DeleteLicense(t.Context(), w.Owner, l.LicenseID), crm.CodeNotFound)
		for _, ev := range w.Events(t) {
			if ev.Name != crm.EventInstance {
				t.Errorf("there is the event %s", ev.Name)
			}
		}
	})
}

func TestChangeLicensesRefuses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Tx(t, func(tx *models.Tx) error { return addCompany(tx, 5000, 685, models.RoleOwner) })
		calls := map[string]func(a crm.Actor, license int64) error{
			"rename": func(a crm.Actor, l int64) error { _, err := w.RenameLicense(t.Context(), a, l, "A"); return err },
			"delete": func(a crm.Actor, l int64) error { return w.DeleteLicense(t.Context(), a, l) },
			"add":    func(a crm.Actor, l int64) error { _, err := w.AddMessenger(t.Context(), a, l, "viber", ""); return err },
			"remove": func(a crm.Actor, l int64) error {
				_, err := w.RemoveMessenger(t.Context(), a, l, "telegram")
				return err
			},
		}
		for name, call := range calls {
			expectCode(t, name+" by an operator", call(w.Operator, crmtest.LicenseID), crm.CodeDenied)
			foreign, none := call(w.Owner, crmtest.StrangeLicense), call(w.Owner, 4711)
			expectCode(t, name+" of another company", foreign, crm.CodeNotFound)
			if foreign == nil || none == nil || foreign.Error() != none.Error() {
				t.Errorf("%s: another company's %v, none %v", name, foreign, none)
			}
		}
		_, err := w.CreateLicense(t.Context(), w.Operator, 0, "A")
		expectCode(t, "create by an operator", err, crm.CodeDenied)
		_, err = w.CreateLicense(t.Context(), w.Owner, 0, "A")
		expectCode(t, "create in one of two companies", err, crm.CodeInvalid)
		_, err = w.CreateLicense(t.Context(), w.Owner, crmtest.StrangeCompany, "A")
		expectCode(t, "create in another company", err, crm.CodeNotFound)
		_, err = w.CreateLicense(t.Context(), w.Owner, crmtest.CompanyID, "")
		expectCode(t, "create without a name", err, crm.CodeInvalid)
		for _, typ := range []string{"", "1bot", "my-bot", "bot.users", strings.Repeat("a", 33), "бот"} {
			_, err = w.AddMessenger(t.Context(), w.Owner, crmtest.LicenseID, typ, "")
			expectCode(t, fmt.Sprintf("messenger %q", typ), err, crm.CodeInvalid)
		}
	})
}
