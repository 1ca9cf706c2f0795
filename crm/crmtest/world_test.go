package crmtest_test

import (
	"testing"

	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

func TestWorldActorsHaveTheirAccess(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx := t.Context()
		for _, test := range []struct {
			name    string
			user    int64
			license int64
			enters  bool
		}{
			{"owner", w.Owner.UserID, crmtest.LicenseID, true},
			{"operator", w.Operator.UserID, crmtest.LicenseID, true},
			{"reader", w.Reader.UserID, crmtest.LicenseID, true},
			{"only mine", w.OnlyMine.UserID, crmtest.LicenseID, false},
			{"outsider", w.Outsider.UserID, crmtest.LicenseID, false},
			{"operator elsewhere", w.Operator.UserID, crmtest.OtherLicenseID, false},
			{"stranger", w.Stranger.UserID, crmtest.LicenseID, false},
		} {
			if got, err := w.MayReadLine(ctx, test.user, test.license, "grWhatsApp"); err != nil || got != test.enters {
				t.Errorf("%s enters the line: %v, %v; want %v", test.name, got, err, test.enters)
			}
		}
		if a, err := w.Authenticate(ctx, w.Token(w.Owner)); err != nil || a != w.Owner {
			t.Errorf("the owner's token is %+v's (%v)", a, err)
		}
	})
}
