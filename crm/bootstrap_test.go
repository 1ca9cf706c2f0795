package crm_test

import (
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

func newService(store *models.Store) *crm.Service {
	return crm.New(crm.Options{Store: store, Live: &crmtest.Live{}, Log: slog.New(slog.DiscardHandler), PasswordCost: 4})
}

func defaults() crm.BootstrapConfig {
	return crm.BootstrapConfig{
		Company: crm.BootstrapCompany{ID: 2224, Name: "Company"},
		User:    crm.BootstrapUser{ID: 685, Email: "Owner@example.com", Name: "Owner"},
		License: crm.BootstrapLicense{ID: 1229, Name: "License", Messengers: []string{"grWhatsApp", "telegram"}},
		AppID:   "app_685_1",
	}
}

func TestBootstrap(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		s := newService(store)
		done, err := s.Bootstrap(t.Context(), defaults())
		if err != nil {
			t.Fatal(err)
		}
		if !done.Created || !done.GeneratedPassword || len(done.Password) < 20 || done.Email != "owner@example.com" || done.AppID != "app_685_1" {
			t.Errorf("%+v", done)
		}
		pair, err := s.MakeToken(t.Context(), crm.SignIn{Email: done.Email, Password: done.Password, AppID: done.AppID})
		if err != nil || pair.CabinetUserID != 685 {
			t.Fatalf("%+v, %v", pair, err)
		}
		list, err := s.Licenses(t.Context(), crm.Actor{UserID: 685}, 0)
		if err != nil || len(list) != 1 || list[0].LicenseID != 1229 || !list[0].MeOwner || len(list[0].Messenger) != 2 {
			t.Errorf("%+v, %v", list, err)
		}
		again, err := s.Bootstrap(t.Context(), defaults())
		if err != nil || again != (crm.Bootstrapped{}) {
			t.Errorf("a second start did %+v, %v", again, err)
		}
		// The database's next ids do not collide with the configured ids.
		l, err := s.CreateLicense(t.Context(), crm.Actor{UserID: 685}, 0, "Second")
		if err != nil || l.LicenseID <= 1229 {
			t.Errorf("%+v, %v", l, err)
		}
		in, err := s.Invite(t.Context(), crm.Actor{UserID: 685}, 2224, crm.Invitation{Email: "a@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		e, err := s.AcceptInvitation(t.Context(), crm.Acceptance{Code: in.Invitation.Code, Name: "A", Password: rightPassword})
		if err != nil || e.UserID <= 685 {
			t.Errorf("%+v, %v", e, err)
		}
	})
}

func TestBootstrapWithDrawnIDs(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		s := newService(store)
		done, err := s.Bootstrap(t.Context(), crm.BootstrapConfig{
			Company: crm.BootstrapCompany{Name: "Company"},
			User:    crm.BootstrapUser{Email: "owner@example.com", Name: "Owner", Password: rightPassword},
			License: crm.BootstrapLicense{Name: "License"},
		})
		if err != nil || done.UserID == 0 || done.GeneratedPassword || done.Password != rightPassword {
			t.Fatalf("%+v, %v", done, err)
		}
		_, err = s.MakeToken(t.Context(), crm.SignIn{Email: done.Email, Password: rightPassword, AppID: done.AppID})
		expectCode(t, "sign in", err, "")
	})
}

func TestBootstrapOfTwoNodes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		done := make([]crm.Bootstrapped, 4)
		errs := make([]error, len(done))
		var all sync.WaitGroup
		for i := range done {
			all.Go(func() { done[i], errs[i] = newService(store).Bootstrap(t.Context(), defaults()) })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		created := 0
		for _, d := range done {
			if d.Created {
				created++
				_, err := newService(store).MakeToken(t.Context(), crm.SignIn{Email: d.Email, Password: d.Password})
				expectCode(t, "the password of the one who created", err, "")
			}
		}
		if created != 1 {
			t.Errorf("%d nodes created the company, want 1", created)
		}
	})
}

func TestBootstrapCheck(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(c *crm.BootstrapConfig)
		want []string
	}{
		{"the defaults", func(*crm.BootstrapConfig) {}, nil},
		{"no names", func(c *crm.BootstrapConfig) { c.Company.Name, c.User.Name, c.License.Name = "", "", "" },
			[]string{"company.name", "license.name", "user.name"}},
		{"e-mail", func(c *crm.BootstrapConfig) { c.User.Email = "owner" }, []string{"user.email"}},
		{"password", func(c *crm.BootstrapConfig) { c.User.Password = "short" }, []string{"user.password"}},
		{"ids", func(c *crm.BootstrapConfig) { c.Company.ID, c.License.ID = -1, -1 }, []string{"company.id", "license.id"}},
		{"app", func(c *crm.BootstrapConfig) { c.AppID = "mine" }, []string{"app_id"}},
		{"app of another user", func(c *crm.BootstrapConfig) { c.AppID = "app_1_1" }, []string{"app_id"}},
		{"messengers", func(c *crm.BootstrapConfig) { c.License.Messengers = []string{"a", "b-c", "a"} },
			[]string{"license.messengers[1]", "license.messengers[2]"}},
	} {
		cfg := defaults()
		tt.edit(&cfg)
		err := cfg.Check()
		var got []string
		if e, ok := err.(*crm.Error); ok {
			for field := range e.Fields {
				got = append(got, field)
			}
			slices.Sort(got)
		}
		if !reflect.DeepEqual(got, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v (%v), want %v", tt.name, got, err, tt.want)
		}
	}
}

func TestAppSecretIsKept(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		secrets := make([]string, 8)
		errs := make([]error, len(secrets))
		var all sync.WaitGroup
		for i := range secrets {
			all.Go(func() { secrets[i], errs[i] = newService(store).AppSecret(t.Context(), "1") })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if slices.Sort(secrets); len(secrets[0]) != 64 || secrets[0] != secrets[7] {
			t.Errorf("secrets %v, want one of 64 digits", secrets)
		}
		other, err := newService(store).AppSecret(t.Context(), "2")
		if err != nil || other == secrets[0] {
			t.Errorf("another app has the secret %q, %v", other, err)
		}
	})
}
