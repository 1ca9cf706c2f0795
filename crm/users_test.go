package crm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// addCompany creates a company in which the user has the role. It has one licence (id =
// company + 1) with telegram.
func addCompany(tx *models.Tx, id, userID int64, role string) error {
	return errors.Join(
		tx.CreateCompany(&models.Company{ID: id, Name: "Company"}),
		tx.CreateEmployee(&models.Employee{CompanyID: id, UserID: userID, Role: role, Workday: "end"}),
		tx.CreateLicense(&models.License{ID: id + 1, CompanyID: id, Name: "License"}),
		tx.CreateMessenger(&models.Messenger{LicenseID: id + 1, Type: "telegram", Name: "Telegram"}),
	)
}

// sameAsGolden fails unless the event is the example of the documentation, field
// by field, in order and type by type.
func sameAsGolden(t *testing.T, file string, ev crmtest.Event) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "golden", file+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, raw); err != nil {
		t.Fatal(err)
	}
	if ev.Data != want.String() {
		t.Errorf("%s:\n got %s\nwant %s", file, ev.Data, want.String())
	}
}

// code returns the code of a *crm.Error, "" for nil, and "internal" for any other
// error.
func code(err error) crm.Code {
	var e *crm.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	}
	return "internal"
}

func expectCode(t *testing.T, what string, err error, want crm.Code) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("%s: %q (%v), want %q", what, got, err, want)
	}
}

func ptr[T any](v T) *T { return &v }

// bothOf returns both channels of a line.
func bothOf(license, messenger string) []string {
	name := "v1.licenses." + license + ".messengers." + messenger
	return []string{"presence-" + name, "private-" + name}
}

func sorted(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return all
}

var (
	linesOf1229 = sorted(bothOf("1229", "grWhatsApp"), bothOf("1229", "telegram"), bothOf("1229", "WhatsApp"))
	companyBoth = []string{"presence-v1.companies.2224", "private-v1.companies.2224"}
)

func TestWorkday(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Tx(t, func(tx *models.Tx) error { return addCompany(tx, 2226, 685, models.RoleOperator) })
		for range 2 {
			e, err := w.Workday(t.Context(), w.Owner, 2226, 685, "start")
			if err != nil || e.Workday != "start" {
				t.Fatalf("%+v, %v", e, err)
			}
		}
		events := w.Events(t)
		if len(events) != 1 || !slices.Equal(events[0].Channels, []string{"private-v1.companies.2226"}) {
			t.Fatalf("events %+v, want one on the company's channel", events)
		}
		sameAsGolden(t, "employeeWorkday", events[0])

		for _, tt := range []struct {
			name          string
			actor         crm.Actor
			company, user int64
			typ           string
			want          crm.Code
		}{
			{"an operator's own", w.Operator, crmtest.CompanyID, 687, "start", ""},
			{"an admin for an operator", w.Admin, crmtest.CompanyID, 687, "end", ""},
			{"an owner for an admin", w.Owner, crmtest.CompanyID, 686, "start", ""},
			{"an admin for an owner", w.Admin, crmtest.CompanyID, 685, "start", crm.CodeDenied},
			{"an operator for another", w.Operator, crmtest.CompanyID, 688, "start", crm.CodeDenied},
			{"another company", w.Owner, crmtest.StrangeCompany, 900, "start", crm.CodeNotFound},
			{"no company", w.Owner, 77, 900, "start", crm.CodeNotFound},
			{"somebody of another company", w.Owner, crmtest.CompanyID, 900, "start", crm.CodeNotFound},
			{"no type", w.Owner, crmtest.CompanyID, 685, "", crm.CodeInvalid},
			{"the literal of the documentation", w.Owner, crmtest.CompanyID, 685, "start|end", crm.CodeInvalid},
		} {
			_, err := w.Workday(t.Context(), tt.actor, tt.company, tt.user, tt.typ)
			expectCode(t, tt.name, err, tt.want)
		}
	})
}

func TestMe(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		me, err := w.Me(t.Context(), w.OnlyMine)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := json.Marshal(me)
		want := `{"id":689,"email":"mine@test.test","name":"Only mine","appId":"app_689_1","totp":"off","companies":[` +
			`{"id":2224,"name":"Company","role":"operator","onlyMine":true,"online":false,"workday":"end"}]}`
		if string(got) != want {
			t.Errorf(" got %s\nwant %s", got, want)
		}
	})
}

func TestChangeMe(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		token := w.Token(w.Operator)
		setPassword(t, w, w.Operator, "first password")
		for _, tt := range []struct {
			name string
			ch   crm.MyChanges
			want crm.Code
		}{
			{"no current password", crm.MyChanges{Password: ptr("second password")}, crm.CodeInvalid},
			{"wrong current password", crm.MyChanges{Password: ptr("second password"), CurrentPassword: "guess"}, crm.CodeInvalid},
			{"short", crm.MyChanges{Password: ptr("short"), CurrentPassword: "first password"}, crm.CodeInvalid},
			{"blank name", crm.MyChanges{Name: ptr(" ")}, crm.CodeInvalid},
			{"NUL in the name", crm.MyChanges{Name: ptr("a\x00b")}, crm.CodeInvalid},
			{"nothing", crm.MyChanges{}, ""},
			{"name", crm.MyChanges{Name: ptr(" Anna ")}, ""},
		} {
			_, err := w.ChangeMe(t.Context(), w.Operator, token, tt.ch)
			expectCode(t, tt.name, err, tt.want)
			var e *crm.Error
			if tt.name == "no current password" && errors.As(err, &e) && !strings.Contains(e.Message, "currentPassword is required") {
				t.Errorf("%s: %q does not say what is missing", tt.name, e.Message)
			}
		}
		if len(w.Live.Disconnected()) != 0 {
			t.Error("sockets were closed without a new password")
		}
		other, err := w.MakeToken(t.Context(), crm.SignIn{Email: "operator@test.test", Password: "first password"})
		if err != nil {
			t.Fatal(err)
		}
		me, err := w.ChangeMe(t.Context(), w.Operator, token, crm.MyChanges{Password: ptr("second password"), CurrentPassword: "first password"})
		if err != nil || me.Name != "Anna" {
			t.Fatalf("%+v, %v", me, err)
		}
		_, err = w.Authenticate(t.Context(), token)
		expectCode(t, "the token that was presented", err, "")
		_, err = w.Authenticate(t.Context(), other.AccessToken)
		expectCode(t, "another token", err, crm.CodeBadToken)
		if !slices.Equal(w.Live.Disconnected(), []int64{687}) {
			t.Errorf("disconnected %v, want 687", w.Live.Disconnected())
		}
		_, err = w.MakeToken(t.Context(), crm.SignIn{Email: "operator@test.test", Password: "first password"})
		expectCode(t, "the old password", err, crm.CodeDenied)
		_, err = w.MakeToken(t.Context(), crm.SignIn{Email: "operator@test.test", Password: "second password"})
		expectCode(t, "the new password", err, "")
	})
}

// setPassword sets the actor's password, without the rules.
func setPassword(t *testing.T, w *crmtest.World, a crm.Actor, password string) {
	t.Helper()
	w.Tx(t, func(tx *models.Tx) error {
		u, err := tx.UserByID(a.UserID)
		if err != nil {
			return err
		}
		u.PasswordHash = bcryptOf(t, password)
		return tx.SaveUser(u)
	})
}
