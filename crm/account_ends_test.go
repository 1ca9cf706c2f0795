package crm_test

import (
	"slices"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestDisabledAccountLeavesNothingOpen checks that the invitations that a disabled person
// has made, and the links of files that they may have, end with the account.
func TestDisabledAccountLeavesNothingOpen(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		setPassword(t, w, w.Owner, rightPassword)
		_, item := sendFile(t, w, w.Operator, "cat.png", "image/png", png, "")
		code := invite(t, w, w.Owner, crmtest.CompanyID, crm.Invitation{Email: "spare@test.test", Role: "owner"}).Code
		mine := crm.Acceptance{Code: code, Name: "Spare", Password: "a long password"}
		if err := w.HostUsers().SetEnabled(t.Context(), "test@test.test", false); err != nil {
			t.Fatal(err)
		}
		_, err := w.AcceptInvitation(t.Context(), mine)
		expectCode(t, "an invitation of a disabled owner", err, crm.CodeNotFound)
		_, _, err = openLink(t, w, onGr, item.Message.File.Link)
		expectCode(t, "a link from before", err, crm.CodeDenied)
		if err := w.HostUsers().SetEnabled(t.Context(), "test@test.test", true); err != nil {
			t.Fatal(err)
		}
		_, err = w.AcceptInvitation(t.Context(), mine)
		expectCode(t, "when the owner is enabled again", err, "")
	})
}

// TestJoiningEndsWhatWasOpen checks what ends when somebody accepts an invitation: a code
// for a new password, and the sockets of a person without the second factor that the
// company requires.
func TestJoiningEndsWhatWasOpen(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		enrol(t, w)
		if _, err := w.SetCompanySecurity(t.Context(), w.Owner, crmtest.CompanyID, crm.CompanySecurity{RequireTOTP: true}); err != nil {
			t.Fatal(err)
		}
		setPassword(t, w, w.Stranger, rightPassword)
		reset, _, err := w.HostUsers().ResetCode(t.Context(), "stranger@test.test")
		if err != nil {
			t.Fatal(err)
		}
		before := len(w.Live.Disconnected())
		code := invite(t, w, w.Owner, crmtest.CompanyID, crm.Invitation{Email: "stranger@test.test", Role: "admin"}).Code
		if _, err := w.AcceptInvitation(t.Context(), crm.Acceptance{Code: code, Password: rightPassword, NewPassword: ptr("another password")}); err != nil {
			t.Fatal(err)
		}
		if got := w.Live.Disconnected()[before:]; !slices.Contains(got, int64(900)) {
			t.Errorf("disconnected %v, want 900", got)
		}
		expectCode(t, "the code for a new password", w.ResetPassword(t.Context(), reset, "a third password"), crm.CodeDenied)
	})
}
