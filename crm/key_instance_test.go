package crm_test

import (
	"slices"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestKeyGivesNoMoreThanItHas makes instances with keys: the key of the new line may do no more
// than the one that made it, and is shown to none that may do less.
func TestKeyGivesNoMoreThanItHas(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		w.ExposeTokens = true
		_, manages := makeKey(t, w, ofCompany(crm.KeyManage))
		_, all := makeKey(t, w, ofCompany(crm.KeyRights()...))
		for name, tt := range map[string]struct {
			a    crm.Actor
			want []string
			sees []crm.Actor
		}{
			"by-a-key":        {manages, []string{crm.KeyManage}, []crm.Actor{w.Owner, manages, all}},
			"by-a-whole-key":  {all, crm.KeyRights(), []crm.Actor{w.Owner, all}},
			"by-the-owner":    {w.Owner, crm.KeyRights(), []crm.Actor{w.Owner, all}},
			"by-another-self": {w.Admin, crm.KeyRights(), []crm.Actor{w.Owner, w.Admin, all}},
		} {
			made, err := w.CreateInstance(ctx, tt.a, crm.InstanceInput{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			_, data, err := w.AuthenticateKey(ctx, made.Key)
			if err != nil || !slices.Equal(data.Rights, tt.want) || data.LicenseID != made.Line.LicenseID {
				t.Errorf("%s: the key of the line is %+v, %v; want the rights %v", name, data, err, tt.want)
			}
			for _, a := range []crm.Actor{w.Owner, w.Admin, manages, all} {
				token, err := w.InstanceToken(ctx, a, name)
				if sees := slices.Contains(tt.sees, a) || a == w.Admin; err != nil || (token != nil) != sees {
					t.Errorf("%s: %+v sees the token: %v, %v", name, a, token != nil, err)
				}
			}
		}
	})
}

// TestKeySetsNoWebhookThatReadsMore sets the webhook of an instance with a key that reads nothing.
func TestKeySetsNoWebhookThatReadsMore(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		_, manages := makeKey(t, w, ofCompany(crm.KeyManage))
		_, reads := makeKey(t, w, ofCompany(crm.KeyManage, crm.KeyRead))
		hook := crm.InstanceWebhook{Enabled: true, URL: "https://example.com/"}
		_, err := w.CreateInstance(ctx, manages, crm.InstanceInput{Name: "one", Webhook: &hook})
		wantCode(t, "a new instance with a webhook", err, crm.CodeDenied, "")
		if _, err := w.CreateInstance(ctx, reads, crm.InstanceInput{Name: "one", Webhook: &hook}); err != nil {
			t.Error(err)
		}
		_, err = w.ChangeInstance(ctx, manages, "one", crm.InstanceChanges{Webhook: crm.Value(hook)})
		wantCode(t, "a webhook", err, crm.CodeDenied, "")
		if _, err := w.ChangeInstance(ctx, manages, "one", crm.InstanceChanges{GroupsIgnore: crm.Value(true)}); err != nil {
			t.Error(err)
		}
		if _, err := w.ChangeInstance(ctx, reads, "one", crm.InstanceChanges{Webhook: crm.Value(hook)}); err != nil {
			t.Error(err)
		}
	})
}

// TestWebhooksAreSecrets looks at an instance with keys that may not set its webhook: its address
// and its headers let whoever knows them speak to the receiver.
func TestWebhooksAreSecrets(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		hook := crm.InstanceWebhook{Enabled: true, URL: "https://example.com/secret", Headers: map[string]string{"Authorization": "Bearer secret"}}
		made, err := w.CreateInstance(ctx, w.Owner, crm.InstanceInput{Name: "one", Webhook: &hook, Settings: crm.InstanceSettings{WavoipToken: "secret"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, rights := range [][]string{{crm.KeyRead}, {crm.KeySend}, {crm.KeyInbound}, {crm.KeyManage}, {crm.KeyRead, crm.KeySend, crm.KeyInbound}, {crm.KeyRead, crm.KeyManage}} {
			_, a := makeKey(t, w, ofLine(made.Line, rights...))
			manages := slices.Contains(rights, crm.KeyManage)
			sets := manages && slices.Contains(rights, crm.KeyRead)
			for how, look := range map[string]func() (*crm.Instance, error){
				"by name": func() (*crm.Instance, error) { return w.Instance(ctx, a, "one") },
				"by id":   func() (*crm.Instance, error) { return w.InstanceByID(ctx, a, made.ID) },
				"listed": func() (*crm.Instance, error) {
					list, err := w.Instances(ctx, a)
					if err != nil || len(list) != 1 {
						t.Fatalf("%v: %v, %v", rights, list, err)
					}
					return &list[0], nil
				},
			} {
				i, err := look()
				if err != nil {
					t.Fatalf("%v %s: %v", rights, how, err)
				}
				if (i.Webhook != nil) != sets || (i.Settings.WavoipToken != "") != manages {
					t.Errorf("%v %s: the webhook is %+v, the token %q", rights, how, i.Webhook, i.Settings.WavoipToken)
				}
			}
		}
		if i, err := w.Instance(ctx, w.Owner, "one"); err != nil || i.Webhook == nil || i.Settings.WavoipToken == "" {
			t.Errorf("the owner sees %+v, %v", i, err)
		}
	})
}
