package crm_test

import (
	"errors"
	"slices"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestKeyIsNoPerson checks that what is for people is denied to the most powerful key, and
// that nobody takes its user for a person.
func TestKeyIsNoPerson(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		ids := putCatalogue(t, w)
		k, a := makeKey(t, w, ofCompany(crm.KeyRights()...))
		chat := putChat(t, w, whatsApp, anna)
		text, name := "Other", ""
		denied := map[string]error{}
		add := func(what string, err error) { denied[what] = err }
		_, err := w.CreateKey(ctx, a, ofCompany(crm.KeyRead))
		add("make a key", err)
		_, err = w.CreateKey(ctx, a, ofLine(onGr, crm.KeyRead))
		add("make a key for a line", err)
		_, err = w.Keys(ctx, a, 0, crm.PageQuery{})
		add("list keys", err)
		add("revoke itself", w.RevokeKey(ctx, a, k.ID))
		_, err = w.Employees(ctx, a, crmtest.CompanyID, crm.PageQuery{})
		add("list employees", err)
		_, err = w.Employee(ctx, a, crmtest.CompanyID, a.UserID)
		add("look at itself", err)
		add("remove an employee", w.RemoveEmployee(ctx, a, crmtest.CompanyID, w.Reader.UserID))
		add("leave", w.RemoveEmployee(ctx, a, crmtest.CompanyID, a.UserID))
		_, err = w.ChangeEmployee(ctx, a, crmtest.CompanyID, w.Reader.UserID, crm.EmployeeChanges{})
		add("change an employee", err)
		_, err = w.Invite(ctx, a, crmtest.CompanyID, crm.Invitation{Email: "x@test.test"})
		add("invite", err)
		_, err = w.AuditLog(ctx, a, crm.AuditQuery{})
		add("read the audit log", err)
		_, err = w.CompanySecurity(ctx, a, crmtest.CompanyID)
		add("see what the company requires", err)
		add("see apps", w.Apps(a).Allowed(ctx))
		add("see companies", w.Companies(a).Allowed(ctx))
		_, err = w.WatchServer(ctx, a)
		add("watch the server", err)
		_, err = w.Tags(ctx, a, crm.TagQuery{})
		add("list tags", err)
		_, err = w.Level(ctx, a, ids.level)
		add("read a level", err)
		_, err = w.CreateQuickList(ctx, a, crm.QuickListInput{})
		add("make a list of quick responses", err)
		_, err = w.Workday(ctx, a, crmtest.CompanyID, a.UserID, "start")
		add("begin a workday", err)
		_, err = w.ChangeMe(ctx, a, k.Key, crm.MyChanges{Name: &text})
		add("rename itself", err)
		_, err = w.ChangeMe(ctx, a, k.Key, crm.MyChanges{Password: &text, CurrentPassword: "x"})
		add("set a password", ignoreFields(err))
		_, err = w.EnrolTOTP(ctx, a, "x")
		add("enrol a second factor", err)
		_, err = w.UserSessions(ctx, a, k.Key, crm.PageQuery{})
		add("list sessions", err)
		add("end sessions", w.EndOtherSessions(ctx, a, k.Key))
		_, err = w.CheckToken(ctx, k.Key)
		add("check a token", err)
		add("sign out", w.RevokeToken(ctx, k.Key))
		_, _, err = w.AuthenticateToEnrol(ctx, k.Key)
		add("enrol", err)
		_, err = w.MakeEventTicket(ctx, a, k.Key, "private-v1.licenses.1229.messengers.grWhatsApp")
		add("make a ticket", err)
		for what, err := range denied {
			wantCode(t, what, err, crm.CodeDenied, name)
		}
		asPeople(t, w, a, chat)
	})
}

// ignoreFields turns the complaint about a password that is too short into what follows.
func ignoreFields(err error) error {
	if codeOf(err) == crm.CodeInvalid {
		return &crm.Error{Code: crm.CodeDenied}
	}
	return err
}

// asPeople checks that the user of a key is not used as a person.
func asPeople(t *testing.T, w *crmtest.World, a crm.Actor, chat models.Chat) {
	t.Helper()
	ctx, tx := t.Context(), w.Store.Read(t.Context())
	user, err := tx.UserByID(a.UserID)
	if err != nil || !user.OfKey || user.PasswordHash != "" {
		t.Fatalf("%+v, %v", user, err)
	}
	if _, err := tx.UserByEmail(user.Email); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("found by its address: %v", err)
	}
	_, err = w.MakeToken(ctx, crm.SignIn{Email: user.Email, Password: "x"})
	wantCode(t, "sign in", err, crm.CodeDenied, "")
	_, err = w.IssueToken(ctx, user.Email)
	wantCode(t, "a token from the host", err, crm.CodeNotFound, "")
	_, _, err = w.HostUsers().ResetCode(ctx, user.Email)
	wantCode(t, "a code for a new password", err, crm.CodeNotFound, "")
	list, err := w.HostUsers().List(ctx)
	if err != nil || slices.ContainsFunc(list, func(u crm.HostUser) bool { return u.ID == a.UserID }) {
		t.Errorf("the host lists it: %v", err)
	}
	page, err := w.Employees(ctx, w.Owner, crmtest.CompanyID, crm.PageQuery{Limit: 100})
	if err != nil || len(page.Items) != 6 {
		t.Errorf("%d employees, %v", len(page.Items), err)
	}
	for what, set := range map[string]func() error{
		"responsible": func() error { _, err := w.SetResponsible(ctx, w.Owner, at(chat), crm.Value(a.UserID)); return err },
		"producer":    func() error { _, err := w.SetProducer(ctx, w.Owner, at(chat), crm.Value(a.UserID)); return err },
		"accomplice":  func() error { _, err := w.AddAccomplice(ctx, w.Owner, at(chat), crm.Value(a.UserID)); return err },
	} {
		wantCode(t, what, set(), crm.CodeNotFound, "")
	}
	err = w.Store.Tx(ctx, func(tx *models.Tx) error {
		return tx.CreateEmployee(&models.Employee{CompanyID: crmtest.CompanyID, UserID: a.UserID, Role: models.RoleOwner, Workday: "end"})
	})
	if !errors.Is(err, models.ErrOfKey) {
		t.Errorf("as an employee: %v", err)
	}
	invited, err := w.Invite(ctx, w.Owner, crmtest.CompanyID, crm.Invitation{Email: "new@test.test"})
	if err != nil {
		t.Fatal(err)
	}
	key, _ := makeKey(t, w, ofCompany(crm.KeyRead))
	_, err = w.AcceptInvitation(ctx, crm.Acceptance{Code: invited.Invitation.Code, AccessToken: key.Key})
	wantCode(t, "accept an invitation", err, crm.CodeDenied, "")
}

// TestKeyOfACompanyThatRequiresASecondFactor checks that the requirement, which is for people,
// leaves keys alone.
func TestKeyOfACompanyThatRequiresASecondFactor(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		k, _ := makeKey(t, w, ofCompany(crm.KeyRead))
		w.Tx(t, func(tx *models.Tx) error { return tx.SetRequireTOTP(crmtest.CompanyID, true) })
		if _, err := w.Authenticate(ctx, w.Token(w.Reader)); codeOf(err) != crm.CodeDenied {
			t.Fatalf("a person: %v", err)
		}
		a, err := w.Authenticate(ctx, k.Key)
		if err != nil || a.UserID != k.UserID {
			t.Errorf("a key: %+v, %v", a, err)
		}
		if session, err := w.SessionOfToken(ctx, k.Key); err != nil || session.ID != -k.ID || !session.Key || !session.Until.IsZero() {
			t.Errorf("its session: %+v, %v", session, err)
		}
		must, err := store.Read(ctx).MustEnrolIn(crmtest.CompanyID)
		if err != nil || slices.Contains(must, k.UserID) {
			t.Errorf("must enrol: %v, %v", must, err)
		}
	})
}

// TestKeyEditsItsOwnMessages checks that a key changes what others wrote only with the right
// to manage the line.
func TestKeyEditsItsOwnMessages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		_, writes := makeKey(t, w, ofCompany(crm.KeyRead, crm.KeySend))
		_, manages := makeKey(t, w, ofCompany(crm.KeyRead, crm.KeySend, crm.KeyManage))
		theirs := send(t, w, w.Operator, onGr, ann, saying("by a person"))
		own := send(t, w, writes, onGr, ann, saying("by a key"))
		edit := func(a crm.Actor, id crm.ID) error {
			_, err := w.EditMessage(ctx, a, chatAt(onGr, ann), id.String(), crm.Edit{Text: ptr("changed")})
			return err
		}
		wantCode(t, "another's message", edit(writes, theirs.ID), crm.CodeDenied, "")
		if err := errors.Join(edit(writes, own.ID), edit(manages, own.ID), edit(manages, theirs.ID)); err != nil {
			t.Error(err)
		}
	})
}

// TestKeysEndWithTheirLine removes a line, and then a licence.
func TestKeysEndWithTheirLine(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		all, company := makeKey(t, w, ofCompany(crm.KeyRead))
		gr, _ := makeKey(t, w, ofLine(onGr, crm.KeyRead))
		telegram, _ := makeKey(t, w, ofLine(onTelegram, crm.KeySend))
		other, _ := makeKey(t, w, ofLine(onOther, crm.KeyRead))
		alive := func() (list []int64) {
			for _, k := range []*crm.CreatedKey{all, gr, telegram, other} {
				if _, _, err := w.AuthenticateKey(ctx, k.Key); err == nil {
					list = append(list, k.ID)
				}
			}
			return list
		}
		if _, err := w.RemoveMessenger(ctx, w.Owner, crmtest.LicenseID, "telegram"); err != nil {
			t.Fatal(err)
		}
		if got := alive(); !slices.Equal(got, []int64{all.ID, gr.ID, other.ID}) {
			t.Errorf("alive after the line has gone: %v", got)
		}
		if got := w.Live.Disconnected(); !slices.Equal(got, []int64{telegram.UserID}) {
			t.Errorf("disconnected %v", got)
		}
		first := w.Live.Unsubscribed()[0]
		if first.UserID != company.UserID || !slices.Equal(first.Channels, []string{"private-v1.licenses.1229.messengers.telegram"}) {
			t.Errorf("the company's key lost %+v", first)
		}
		if err := w.DeleteLicense(ctx, w.Owner, crmtest.LicenseID); err != nil {
			t.Fatal(err)
		}
		if got := alive(); !slices.Equal(got, []int64{all.ID, other.ID}) {
			t.Errorf("alive after the licence has gone: %v", got)
		}
		if got := w.Live.Disconnected(); !slices.Equal(got, []int64{telegram.UserID, gr.UserID}) {
			t.Errorf("disconnected %v", got)
		}
	})
}

// TestEventsOfAKeyThatIsRevokedMeanwhile revokes a key while it waits for events.
func TestEventsOfAKeyThatIsRevokedMeanwhile(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		relay := startRelay(t, "one", w.Journal)
		k, a := makeKey(t, w, ofCompany(crm.KeyRead))
		answers := waitForEventsOf(ctx, t, w, a, "private-v1.licenses.1229.messengers.grWhatsApp", k.Key)
		if err := w.RevokeKey(ctx, w.Owner, k.ID); err != nil {
			t.Fatal(err)
		}
		send(t, w, w.Owner, onGr, ann, saying("secret"))
		relay.relay.Wake()
		if got := <-answers; codeOf(got.err) != crm.CodeDenied && codeOf(got.err) != crm.CodeBadToken {
			t.Errorf("got %+v, %v; want a refusal", got.page, got.err)
		}
	})
}
