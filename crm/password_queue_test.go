package crm_test

import (
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestCodesDoNotGoBeforeSignIns lets people with nothing but a code set passwords while
// all processors are taken. Somebody who is known comes after them, and goes first.
func TestCodesDoNotGoBeforeSignIns(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		reset, _, err := w.HostUsers().ResetCode(t.Context(), "operator@test.test")
		if err != nil {
			t.Fatal(err)
		}
		code := invite(t, w, w.Owner, crmtest.CompanyID, crm.Invitation{Email: "new@test.test"}).Code
		for name, set := range map[string]func() error{
			"a reset": func() error { return w.ResetPassword(t.Context(), reset, "a new password") },
			"an invitation": func() error {
				_, err := w.AcceptInvitation(t.Context(), crm.Acceptance{Code: code, Name: "New", Password: "a new password"})
				return err
			},
		} {
			p := w.Passwords()
			var leave func()
			for range p.Slots() {
				if leave, err = p.Enter(t.Context(), true); err != nil {
					t.Fatal(err)
				}
			}
			done, entered := make(chan error, 1), make(chan func(), 1)
			go func() { done <- set() }()
			testwait.Count(t, "waiting", 1, p.Waiting)
			go func() {
				leave, err := p.Enter(t.Context(), true)
				if err != nil {
					t.Error(err)
				}
				entered <- leave
			}()
			testwait.Count(t, "waiting", 2, p.Waiting)
			leave()
			leave = <-entered
			if p.Waiting() != 1 {
				t.Errorf("%s went before somebody known", name)
			}
			leave()
			if err := <-done; err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for range p.Slots() - 1 {
				leave()
			}
		}
	})
}
