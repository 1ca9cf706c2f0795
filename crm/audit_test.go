package crm_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// from returns a context of a request from a browser.
func from(t *testing.T, address string) context.Context {
	return crm.WithClient(t.Context(), crm.Client{Address: address, UserAgent: "Browser 1"})
}

// auditLog returns the audit log of a company, oldest first.
func auditLog(t *testing.T, w *crmtest.World, reader crm.Actor, company int64) []crm.AuditEntry {
	t.Helper()
	page, err := w.AuditLog(t.Context(), reader, crm.AuditQuery{PageQuery: crm.PageQuery{Limit: 100}, CompanyID: company})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(page.Items)
	return page.Items
}

// audited returns what the audit log of the world's company says since the last call.
func audited(t *testing.T, w *crmtest.World, seen *int) []string {
	t.Helper()
	log := auditLog(t, w, w.Owner, crmtest.CompanyID)
	var said []string
	for _, e := range log[*seen:] {
		said = append(said, inWords(e))
	}
	*seen = len(log)
	return said
}

func inWords(e crm.AuditEntry) string {
	text := e.Action + " by " + strings.TrimSpace(e.Actor.Type+" "+e.Actor.Name)
	if e.Target != nil {
		text += ", " + e.Target.Type
		if name := e.Target.Name; name != "" {
			text += " " + name
		}
	}
	if e.Address != "" {
		text += ", from " + e.Address
	}
	if len(e.Details) > 0 {
		text += ", " + strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(e.Details), "map["), "]")
	}
	if e.Times > 1 {
		text += fmt.Sprintf(", %d times", e.Times)
	}
	return text
}

func TestAuditTellsWhoDidWhat(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx, seen := from(t, "203.0.113.7"), 0
		setPassword(t, w, w.Owner, rightPassword)
		var token string
		var link crm.InvitationLink
		var license, company int64
		for _, step := range []struct {
			name string
			do   func() error
			want []string
		}{
			{"sign in", func() error {
				pair, err := w.MakeToken(ctx, crm.SignIn{Email: "test@test.test", Password: rightPassword, Address: "192.0.2.1", UserAgent: "Browser 2"})
				if err == nil {
					token = pair.AccessToken
				}
				return err
			}, []string{"session.signedIn by user test@test.test, session test@test.test, from 192.0.2.1, appId:app_685_1"}},
			{"rename oneself", func() error { _, err := w.ChangeMe(ctx, w.Owner, token, crm.MyChanges{Name: ptr("Olga")}); return err },
				[]string{"account.renamed by user test@test.test, user test@test.test, from 203.0.113.7, name:Olga nameBefore:Owner"}},
			{"the same name", func() error { _, err := w.ChangeMe(ctx, w.Owner, token, crm.MyChanges{Name: ptr("Olga")}); return err }, nil},
			{"change the password", func() error {
				_, err := w.ChangeMe(ctx, w.Owner, token, crm.MyChanges{Password: ptr("another password"), CurrentPassword: rightPassword})
				return err
			}, []string{"password.changed by user test@test.test, user test@test.test, from 203.0.113.7"}},
			{"invite", func() error {
				link = invite(t, w, w.Admin, crmtest.CompanyID, crm.Invitation{Email: "new@test.test", Licenses: []crm.LicenseRight{{LicenseID: crmtest.LicenseID, Write: true}}})
				return nil
			}, []string{"invitation.made by user admin@test.test, invitation new@test.test, licenses:1229: write onlyMine:false role:operator"}},
			{"accept", func() error {
				_, err := w.AcceptInvitation(ctx, crm.Acceptance{Code: link.Code, Name: "New", Password: "long enough", Address: "203.0.113.7"})
				return err
			}, []string{"invitation.accepted by user new@test.test, invitation new@test.test, from 203.0.113.7, licenses:1229: write newAccount:true onlyMine:false role:operator"}},
			{"withdraw", func() error {
				made := invite(t, w, w.Admin, crmtest.CompanyID, crm.Invitation{Email: "other@test.test"})
				return w.RevokeInvitation(ctx, w.Owner, crmtest.CompanyID, made.ID)
			}, []string{
				"invitation.made by user admin@test.test, invitation other@test.test, licenses: onlyMine:false role:operator",
				"invitation.withdrawn by user test@test.test, invitation other@test.test, from 203.0.113.7",
			}},
			{"promote", func() error {
				_, err := w.ChangeEmployee(ctx, w.Owner, crmtest.CompanyID, w.Operator.UserID, crm.EmployeeChanges{Role: ptr("admin")})
				return err
			}, []string{"employee.changed by user test@test.test, user operator@test.test, from 203.0.113.7, licenses: licensesBefore:1229: write role:admin roleBefore:operator"}},
			{"the same role", func() error {
				_, err := w.ChangeEmployee(ctx, w.Owner, crmtest.CompanyID, w.Operator.UserID, crm.EmployeeChanges{Role: ptr("admin")})
				return err
			}, nil},
			{"demote, with what they invited", func() error {
				invite(t, w, w.Operator, crmtest.CompanyID, crm.Invitation{Email: "third@test.test"})
				_, err := w.ChangeEmployee(ctx, w.Owner, crmtest.CompanyID, w.Operator.UserID, crm.EmployeeChanges{Role: ptr("operator")})
				return err
			}, []string{
				"invitation.made by user operator@test.test, invitation third@test.test, licenses: onlyMine:false role:operator",
				"invitation.withdrawn by user test@test.test, invitation third@test.test, from 203.0.113.7",
				"employee.changed by user test@test.test, user operator@test.test, from 203.0.113.7, role:operator roleBefore:admin",
			}},
			{"give rights", func() error {
				_, err := w.ChangeEmployee(ctx, w.Owner, crmtest.CompanyID, w.Operator.UserID, crm.EmployeeChanges{
					OnlyMine: ptr(true), Licenses: &[]crm.LicenseRight{{LicenseID: crmtest.OtherLicenseID}},
				})
				return err
			}, []string{"employee.changed by user test@test.test, user operator@test.test, from 203.0.113.7, licenses:1230: read licensesBefore: onlyMine:true onlyMineBefore:false"}},
			{"remove", func() error { return w.RemoveEmployee(ctx, w.Admin, crmtest.CompanyID, w.Reader.UserID) },
				[]string{"employee.removed by user admin@test.test, user reader@test.test, from 203.0.113.7, role:operator"}},
			{"leave", func() error { return w.RemoveEmployee(ctx, w.Outsider, crmtest.CompanyID, w.Outsider.UserID) },
				[]string{"employee.left by user outsider@test.test, user outsider@test.test, from 203.0.113.7, role:operator"}},
			{"make a licence", func() error {
				l, err := w.CreateLicense(ctx, w.Owner, 0, "Shop")
				if err == nil {
					license = l.LicenseID
				}
				return err
			}, []string{"license.made by user test@test.test, license Shop, from 203.0.113.7"}},
			{"rename it", func() error { _, err := w.RenameLicense(ctx, w.Owner, license, "Store"); return err },
				[]string{"license.renamed by user test@test.test, license Shop, from 203.0.113.7, name:Store nameBefore:Shop"}},
			{"add a messenger", func() error { _, err := w.AddMessenger(ctx, w.Owner, license, "viber", ""); return err },
				[]string{"messenger.added by user test@test.test, line, from 203.0.113.7"}},
			{"remove it", func() error { _, err := w.RemoveMessenger(ctx, w.Owner, license, "viber"); return err },
				[]string{"messenger.removed by user test@test.test, line, from 203.0.113.7"}},
			{"remove the licence", func() error { return w.DeleteLicense(ctx, w.Owner, license) },
				[]string{"license.removed by user test@test.test, license Store, from 203.0.113.7"}},
			{"make a company", func() error {
				made, err := w.Companies(w.Owner).Create(ctx, crm.CompanyInput{Name: "Second", OwnerEmail: "boss@test.test"})
				if err == nil {
					company = made.ID
				}
				return err
			}, []string{
				"company.made by user test@test.test, company Second, from 203.0.113.7",
				"invitation.made by user test@test.test, invitation boss@test.test, from 203.0.113.7, companyId:{second} role:owner",
			}},
		} {
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			got := audited(t, w, &seen)
			for i := range step.want {
				step.want[i] = strings.ReplaceAll(step.want[i], "{second}", fmt.Sprint(company))
			}
			if !slices.Equal(got, step.want) {
				t.Errorf("%s is told as\n%q, want\n%q", step.name, got, step.want)
			}
		}
	})
}

func TestAuditOfApps(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx, seen := from(t, "203.0.113.7"), 0
		mine, host := w.Apps(w.Admin), w.HostApps()
		made, err := mine.Create(ctx, input(t, `{"id":"shop","name":"Shop"}`))
		expectCode(t, "create", err, "")
		_, err = mine.Edit(ctx, "shop", input(t, `{"name":"Store","webhooks":[{"url":"https://example.com","events":["channel_occupied"],"headers":{"X-Key":"HEADERSECRET"}}]}`))
		expectCode(t, "edit", err, "")
		_, err = mine.Edit(ctx, "shop", input(t, `{"name":"Store"}`))
		expectCode(t, "edit nothing", err, "")
		_, err = host.Edit(t.Context(), "shop", input(t, `{"enabled":false}`))
		expectCode(t, "disable", err, "")
		_, err = mine.Edit(ctx, "shop", input(t, `{"enabled":true}`))
		expectCode(t, "enable", err, "")
		rotated, err := host.Rotate(t.Context(), "shop", crm.RotateInput{})
		expectCode(t, "rotate", err, "")
		expectCode(t, "delete", mine.Delete(ctx, "shop"), "")
		expectCode(t, "delete it again", mine.Delete(ctx, "shop"), crm.CodeNotFound)
		got := audited(t, w, &seen)
		want := []string{
			"app.made by user admin@test.test, app Shop, from 203.0.113.7",
			"app.changed by user admin@test.test, app Store, from 203.0.113.7, changed:name, webhooks name:Store nameBefore:Shop",
			"app.disabled by host, app Store, changed:enabled",
			"app.enabled by user admin@test.test, app Store, from 203.0.113.7, changed:enabled",
			"app.rotated by host, app Store, oldSecretUntil:" + fmt.Sprint(*rotated.OldSecretUntil),
			"app.removed by user admin@test.test, app Store, from 203.0.113.7",
		}
		if !slices.Equal(got, want) {
			t.Errorf("the log says\n%q, want\n%q", got, want)
		}
		for _, secret := range []string{made.Secret, rotated.Secret, "HEADERSECRET"} {
			if strings.Contains(asJSON(t, auditLog(t, w, w.Owner, crmtest.CompanyID)), secret) {
				t.Error("a secret is in the log")
			}
		}
	})
}

// What the messenger does by itself is told apart from what a person asked for.
func TestAuditOfLines(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Connect(whatsApp)
		ctx, seen := from(t, "203.0.113.7"), 0
		pair := func(a crm.Actor, phone *string) {
			t.Helper()
			if _, err := w.Pair(ctx, a, onGr, phone); err != nil && code(err) != crm.CodeUnavailable {
				t.Fatal(err)
			}
		}
		for range 3 { // a client that asks while the code is shown
			pair(w.Owner, nil)
		}
		pair(w.Owner, ptr("+7 999 000-00-00"))
		pair(w.Admin, nil)
		w.Clock.Advance(6 * time.Minute)
		pair(w.Owner, nil)
		_, err := w.Pair(ctx, w.Operator, onGr, nil)
		expectCode(t, "an operator pairs", err, crm.CodeDenied)
		setState(t, w, crm.LineState{State: crm.StateConnecting, Device: text("1:7@s.whatsapp.net"), Phone: text("79990000000")})
		setState(t, w, crm.LineState{State: crm.StateConnected})
		setState(t, w, crm.LineState{State: crm.StateReplaced})
		setState(t, w, crm.LineState{State: crm.StateConnected, Device: text("1:7@s.whatsapp.net")})
		setState(t, w, crm.LineState{State: crm.StateLoggedOut, Device: text("")})
		setState(t, w, crm.LineState{State: crm.StateLoggedOut, Device: text("")})
		got := audited(t, w, &seen)
		want := []string{
			"line.pairing by user test@test.test, line, from 203.0.113.7, by:qr",
			"line.pairing by user test@test.test, line, from 203.0.113.7, by:phone phone:79990000000",
			"line.pairing by user admin@test.test, line, from 203.0.113.7, by:qr",
			"line.pairing by user test@test.test, line, from 203.0.113.7, by:qr",
			"line.paired by messenger, line, phone:79990000000",
			"line.replaced by messenger, line",
			"line.loggedOut by messenger, line, stateBefore:connected",
		}
		if !slices.Equal(got, want) {
			t.Errorf("the log says\n%q, want\n%q", got, want)
		}
		if id := auditLog(t, w, w.Owner, crmtest.CompanyID)[0].Target.ID; id != "1229/grWhatsApp" {
			t.Errorf("the line is %q", id)
		}
	})
}

// A deletion for all is told without what the message said.
func TestAuditOfDeletedMessages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		seen := 0
		audited(t, w, &seen)
		sent := send(t, w, w.Operator, onGr, anna, saying("SAID once"))
		for range 2 { // the second time changes nothing
			if err := w.DeleteMessage(from(t, "203.0.113.7"), w.Operator, chatAt(onGr, anna), sent.ID.String()); err != nil {
				t.Fatal(err)
			}
		}
		got := audited(t, w, &seen)
		if want := []string{"message.deleted by user operator@test.test, message, from 203.0.113.7, chat:" + anna + " line:1229/grWhatsApp"}; !slices.Equal(got, want) {
			t.Errorf("the log says\n%q, want\n%q", got, want)
		}
		log := auditLog(t, w, w.Owner, crmtest.CompanyID)
		if last := log[len(log)-1]; last.Target.ID != sent.ID.String() || strings.Contains(asJSON(t, log), "SAID") {
			t.Errorf("the log says %s", asJSON(t, log))
		}
	})
}

// TestAuditIsOfOneCompany checks who reads which entries.
func TestAuditIsOfOneCompany(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx := from(t, "203.0.113.7")
		w.Tx(t, func(tx *models.Tx) error { return addCompany(tx, 4000, w.Owner.UserID, models.RoleAdmin) })
		setPassword(t, w, w.Owner, rightPassword)
		if _, err := w.MakeToken(ctx, crm.SignIn{Email: "test@test.test", Password: rightPassword, Address: "203.0.113.7"}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CreateLicense(ctx, w.Owner, 4000, "Only here"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CreateLicense(ctx, w.Stranger, 0, "Of strangers"); err != nil {
			t.Fatal(err)
		}
		for company, c := range map[int64]struct {
			reader crm.Actor
			want   []string
		}{
			crmtest.CompanyID:      {w.Admin, []string{crm.AuditSignedIn}},
			4000:                   {w.Owner, []string{crm.AuditSignedIn, crm.AuditLicenseMade}},
			crmtest.StrangeCompany: {w.Stranger, []string{crm.AuditLicenseMade}},
		} {
			var got []string
			for _, e := range auditLog(t, w, c.reader, company) {
				got = append(got, e.Action)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("company %d reads %q, want %q", company, got, c.want)
			}
		}
		for what, c := range map[string]struct {
			a       crm.Actor
			company int64
			want    crm.Code
		}{
			"an operator":             {w.Operator, 0, crm.CodeDenied},
			"a stranger":              {w.Stranger, crmtest.CompanyID, crm.CodeNotFound},
			"an absent company":       {w.Stranger, 999, crm.CodeNotFound},
			"without naming which of": {w.Owner, 0, crm.CodeInvalid},
		} {
			_, err := w.AuditLog(t.Context(), c.a, crm.AuditQuery{CompanyID: c.company})
			expectCode(t, what, err, c.want)
		}

		// A company that the server's owner made does not learn who it was there.
		made, err := w.Companies(w.Admin).Create(ctx, crm.CompanyInput{Name: "Second", OwnerEmail: "operator@test.test"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.AcceptInvitation(ctx, crm.Acceptance{Code: made.Invitation.Code, AccessToken: w.Token(w.Operator), Address: "203.0.113.9"}); err != nil {
			t.Fatal(err)
		}
		log := auditLog(t, w, w.Operator, made.ID)
		if len(log) != 3 || inWords(log[0]) != "company.made by host, company Second" || strings.Contains(asJSON(t, log), "admin@test.test") {
			t.Errorf("the new company reads %s", asJSON(t, log))
		}
	})
}

func TestAuditIsFilteredAndPaged(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for i := range 5 {
			w.Clock.Set(crmtest.Start + int64(i)*100)
			l, err := w.CreateLicense(t.Context(), w.Owner, 0, fmt.Sprint("License ", i))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.AddMessenger(t.Context(), w.Admin, l.LicenseID, "viber", ""); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.ChangeEmployee(t.Context(), w.Owner, 2224, w.Reader.UserID, crm.EmployeeChanges{OnlyMine: ptr(true)}); err != nil {
			t.Fatal(err)
		}
		count := func(q crm.AuditQuery) int {
			t.Helper()
			n := 0
			q.Limit = 2
			for last := int64(1 << 60); ; {
				page, err := w.AuditLog(t.Context(), w.Owner, q)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range page.Items {
					if e.ID >= last {
						t.Fatalf("%d comes after %d", e.ID, last)
					}
					last = e.ID
				}
				n += len(page.Items)
				if page.NextPage == nil {
					return n
				}
				q.NextPage = *page.NextPage
			}
		}
		at := func(n int64) *int64 { return ptr(crmtest.Start + n) }
		for name, c := range map[string]struct {
			q    crm.AuditQuery
			want int
		}{
			"all":           {crm.AuditQuery{}, 11},
			"an action":     {crm.AuditQuery{Action: crm.AuditLicenseMade}, 5},
			"a noun":        {crm.AuditQuery{Action: "messenger"}, 5},
			"nothing":       {crm.AuditQuery{Action: "app"}, 0},
			"a person":      {crm.AuditQuery{UserID: w.Admin.UserID}, 5},
			"to whom":       {crm.AuditQuery{UserID: w.Reader.UserID}, 1},
			"from":          {crm.AuditQuery{From: at(300)}, 5},
			"to":            {crm.AuditQuery{To: at(100)}, 4},
			"a time":        {crm.AuditQuery{From: at(100), To: at(299), Action: "license"}, 2},
			"before it all": {crm.AuditQuery{To: at(-1)}, 0},
		} {
			if got := count(c.q); got != c.want {
				t.Errorf("%s: %d entries, want %d", name, got, c.want)
			}
		}
		for _, action := range []string{"nonsense", "license.", "licens", "license.made.", "%"} {
			_, err := w.AuditLog(t.Context(), w.Owner, crm.AuditQuery{Action: action})
			if e, ok := err.(*crm.Error); !ok || e.Fields["action"] == "" {
				t.Errorf("the action %q: %v", action, err)
			}
		}
	})
}

// An entry and its change are committed together, or neither of them is.
func TestAuditIsCommittedWithTheChange(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		seen := 0
		_, err := w.AddMessenger(t.Context(), w.Owner, crmtest.LicenseID, "telegram", "")
		expectCode(t, "a second telegram", err, crm.CodeConflict)
		if got := audited(t, w, &seen); len(got) > 0 {
			t.Errorf("a change that was refused is told: %q", got)
		}
		db, _, err := store.SideDB(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.ExecContext(t.Context(), "ALTER TABLE audit_entries RENAME TO audit_unreachable")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.RenameLicense(t.Context(), w.Owner, crmtest.LicenseID, "Renamed")
		expectCode(t, "a change that cannot be told", err, "internal")
		list, err := w.Licenses(t.Context(), w.Owner, 0)
		if err != nil || list[0].LicenseName != "License" {
			t.Errorf("the licence is %+v, %v", list, err)
		}
	})
}

func TestAuditIsSwept(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		seen := 0
		for _, name := range []string{"Old", "New"} {
			if _, err := w.CreateLicense(t.Context(), w.Owner, 0, name); err != nil {
				t.Fatal(err)
			}
			w.Clock.Advance(48 * time.Hour)
		}
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := audited(t, w, &seen); len(got) != 2 {
			t.Errorf("without a retention there are %q", got)
		}
		w.AuditRetention = 72 * time.Hour
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		seen = 0
		if got := audited(t, w, &seen); len(got) != 1 || !strings.Contains(got[0], "license New") {
			t.Errorf("after the sweep there are %q", got)
		}
	})
}
