package crm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

const worldInstance = "1229-grWhatsApp"

func instanceNames(list []crm.Instance) (names []string) {
	for _, i := range list {
		names = append(names, i.Name)
	}
	return names
}

func TestInstances(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for _, c := range []struct {
			actor crm.Actor
			want  []string
		}{
			{w.Owner, []string{"1229-WhatsApp", worldInstance, "1229-telegram", "1230-grWhatsApp"}},
			{w.Reader, []string{"1229-WhatsApp", worldInstance, "1229-telegram"}},
			{w.Outsider, nil},
			{w.Stranger, []string{"3001-grWhatsApp", "3001-telegram"}},
			{crm.Actor{UserID: 1}, nil},
		} {
			list, err := w.Instances(t.Context(), c.actor)
			if got := instanceNames(list); err != nil || !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(c.want))) {
				t.Errorf("the instances of %d are %v, %v; want %v", c.actor.UserID, got, err, c.want)
			}
		}
		one, err := w.Instance(t.Context(), w.Reader, worldInstance)
		if err != nil || one.Line != (crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}) || one.Shape != crm.ShapeV2 || !one.Websocket.Enabled {
			t.Fatalf("the instance is %+v, %v", one, err)
		}
		if again, err := w.InstanceByID(t.Context(), w.Reader, one.ID); err != nil || again.Name != worldInstance {
			t.Errorf("by its id: %+v, %v", again, err)
		}
		for _, c := range []struct {
			actor crm.Actor
			name  string
		}{
			{w.Stranger, worldInstance}, {w.Outsider, worldInstance}, {w.Owner, "3001-telegram"}, {w.Owner, "1229-GRWHATSAPP"},
			{w.Owner, ""}, {w.Owner, "a/b"}, {w.Owner, "\x00"}, {w.Owner, strings.Repeat("a", 1000)},
		} {
			if _, err := w.Instance(t.Context(), c.actor, c.name); code(err) != crm.CodeNotFound {
				t.Errorf("%d, %.20q: %v", c.actor.UserID, c.name, err)
			}
		}
		for _, id := range []string{"", "x", strings.Repeat("\x00", 36), one.ID + "0"} {
			if _, err := w.InstanceByID(t.Context(), w.Owner, id); code(err) != crm.CodeNotFound {
				t.Errorf("the id %q: %v", id, err)
			}
		}
		if _, err := w.InstanceByID(t.Context(), w.Stranger, one.ID); code(err) != crm.CodeNotFound {
			t.Errorf("a stranger gets %v", err)
		}
	})
}

func TestCreateInstance(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		in := crm.InstanceInput{
			Name: "shop", Shape: crm.ShapeV1, Proxy: "http://u:p@proxy.example:80",
			Settings: crm.InstanceSettings{RejectCall: true, MsgCall: "write", GroupsIgnore: true, WavoipToken: "w"},
			Webhook:  &crm.InstanceWebhook{Enabled: true, URL: "https://crm.example/hook", Headers: map[string]string{"x-team": "a"}, Events: []string{"CALL"}},
		}
		made, err := w.CreateInstance(t.Context(), w.Owner, in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.Instance(t.Context(), w.Admin, "shop")
		if err != nil || got.ID != made.ID || got.Settings != in.Settings || got.Shape != crm.ShapeV1 || got.Line.Messenger != "grWhatsApp" {
			t.Fatalf("the instance is %+v, %v", got, err)
		}
		if h := got.Webhook; h == nil || h.URL != in.Webhook.URL || h.Headers["x-team"] != "a" || !slices.Equal(h.Events, []string{"CALL"}) || h.CreatedAt.IsZero() {
			t.Errorf("the webhook is %+v", got.Webhook)
		}
		if v, ok := w.InstanceDirectory().Of(made.Line); !ok || v.ID != made.ID || !v.GroupsIgnore || v.Shape != crm.ShapeV1 {
			t.Errorf("the directory has %+v, %v", v, ok)
		}
		key, of, err := w.AuthenticateKey(t.Context(), made.Key)
		if err != nil || of.LicenseID != made.Line.LicenseID || len(of.Rights) != 4 {
			t.Errorf("its key is %+v, %v", of, err)
		}
		if list, err := w.Instances(t.Context(), key); err != nil || !slices.Equal(instanceNames(list), []string{"shop"}) {
			t.Errorf("the key sees %v, %v", instanceNames(list), err)
		}
		if _, err := w.Instance(t.Context(), key, worldInstance); code(err) != crm.CodeNotFound {
			t.Errorf("the key and another instance of the company: %v", err)
		}
		if _, err := w.CreateInstance(t.Context(), key, crm.InstanceInput{Name: "other"}); code(err) != crm.CodeDenied {
			t.Errorf("the key creates: %v", err)
		}
		if token, err := w.InstanceToken(t.Context(), w.Owner, "shop"); token != nil || err != nil {
			t.Errorf("the key is kept: %v, %v", token, err)
		}
		if _, err := w.CreateInstance(t.Context(), w.Owner, crm.InstanceInput{Name: "shop 2", Token: made.Key}); !errors.Is(err, crm.ErrInstanceToken) {
			t.Errorf("the key a second time: %v", err)
		}
		if _, err := w.CreateInstance(t.Context(), w.Owner, in); !errors.Is(err, crm.ErrInstanceName) {
			t.Errorf("the name a second time: %v", err)
		}
		if _, err := w.CreateInstance(t.Context(), w.Stranger, in); err != nil {
			t.Errorf("the name in another company: %v", err)
		}
		for _, a := range []crm.Actor{w.Operator, w.Reader} {
			if _, err := w.CreateInstance(t.Context(), a, crm.InstanceInput{Name: "other"}); code(err) != crm.CodeDenied {
				t.Errorf("an operator: %v", err)
			}
		}
		if list := w.InstanceDirectory().Named("shop"); len(list) != 2 {
			t.Errorf("the directory has %d of the name", len(list))
		}
	})
}

func TestCreateInstanceRefuses(t *testing.T) {
	w := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t)))
	long := make([]string, 101)
	for i := range long {
		long[i] = "a"
	}
	for field, in := range map[string]crm.InstanceInput{
		"name":                {Name: " a"},
		"name ":               {Name: "ws"},
		"name  ":              {Name: "a/b"},
		"name   ":             {Name: strings.Repeat("a", 101)},
		"shape":               {Name: "a", Shape: "v3"},
		"webhook.url":         {Name: "a", Webhook: &crm.InstanceWebhook{Enabled: true, URL: "ftp://x"}},
		"webhook.headers":     {Name: "a", Webhook: &crm.InstanceWebhook{Headers: map[string]string{"Host": "x"}}},
		"webhook.headers ":    {Name: "a", Webhook: &crm.InstanceWebhook{Headers: map[string]string{"a b": "x"}}},
		"webhook.headers  ":   {Name: "a", Webhook: &crm.InstanceWebhook{Headers: map[string]string{"a": "x\r\ny"}}},
		"webhook.events[0]":   {Name: "a", Webhook: &crm.InstanceWebhook{Events: []string{""}}},
		"websocket.events":    {Name: "a", Websocket: &crm.InstanceEvents{Events: long}},
		"websocket.events[0]": {Name: "a", Websocket: &crm.InstanceEvents{Events: []string{strings.Repeat("a", 65)}}},
		"proxy":               {Name: "a", Proxy: "gopher://x"},
		"msgCall":             {Name: "a", Settings: crm.InstanceSettings{MsgCall: strings.Repeat("a", 100_000)}},
		"wavoipToken":         {Name: "a", Settings: crm.InstanceSettings{WavoipToken: strings.Repeat("a", 201)}},
	} {
		_, err := w.CreateInstance(t.Context(), w.Owner, in)
		var e *crm.Error
		if !errors.As(err, &e) || e.Code != crm.CodeInvalid || e.Fields[strings.TrimSpace(field)] == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := w.Instance(t.Context(), w.Owner, "a"); code(err) != crm.CodeNotFound {
		t.Errorf("one of them was made: %v", err)
	}
}

func TestChangeInstance(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		on := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}
		changed, err := w.ChangeInstance(t.Context(), w.Owner, worldInstance, crm.InstanceChanges{
			Name: crm.Value("shop"), Shape: crm.Value(crm.ShapeL2msg), RejectCall: crm.Value(true), MsgCall: crm.Value("no"), ReadMessages: crm.Value(true),
			AlwaysOnline: crm.Value(true), SyncFullHistory: crm.Value(true), Websocket: crm.Value(crm.InstanceEvents{Enabled: true, Events: []string{"CALL"}}),
			Webhook: crm.Value(crm.InstanceWebhook{Enabled: false, URL: "vazio"}),
		})
		if err != nil || changed.Name != "shop" {
			t.Fatal(changed, err)
		}
		got, err := w.Instance(t.Context(), w.Owner, "shop")
		if err != nil || got.Settings != changed.Settings || !got.Settings.ReadMessages || got.Webhook == nil || got.Webhook.URL != "vazio" {
			t.Fatalf("the instance is %+v, %v", got, err)
		}
		settings, err := w.AccountSettings(t.Context(), on)
		if err != nil || !settings.RejectCalls || settings.RejectText != "no" || !settings.ReadMessages || !settings.AlwaysOnline || !settings.SyncFullHistory || settings.ReadStatus {
			t.Errorf("the connector gets %+v, %v", settings, err)
		}
		if v, ok := w.InstanceDirectory().ByName(crmtest.CompanyID, "shop"); !ok || v.Line != on || v.Shape != crm.ShapeL2msg {
			t.Errorf("the directory has %+v, %v", v, ok)
		}
		if _, ok := w.InstanceDirectory().ByName(crmtest.CompanyID, worldInstance); ok {
			t.Error("the directory has the old name")
		}
		if _, err := w.ChangeInstance(t.Context(), w.Owner, "shop", crm.InstanceChanges{Webhook: crm.Null[crm.InstanceWebhook]()}); err != nil {
			t.Error(err)
		}
		if got, err := w.Instance(t.Context(), w.Owner, "shop"); err != nil || got.Webhook != nil {
			t.Errorf("the webhook is %+v, %v", got.Webhook, err)
		}
		if _, err := w.ChangeInstance(t.Context(), w.Owner, "1230-grWhatsApp", crm.InstanceChanges{Name: crm.Value("shop")}); !errors.Is(err, crm.ErrInstanceName) {
			t.Errorf("a name that is taken: %v", err)
		}
		if _, err := w.ChangeInstance(t.Context(), w.Operator, "shop", crm.InstanceChanges{RejectCall: crm.Value(false)}); code(err) != crm.CodeDenied {
			t.Errorf("an operator: %v", err)
		}
		if _, err := w.ChangeInstance(t.Context(), w.Stranger, "shop", crm.InstanceChanges{}); code(err) != crm.CodeNotFound {
			t.Errorf("a stranger: %v", err)
		}
	})
}

func TestDeleteInstance(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		made, err := w.CreateInstance(t.Context(), w.Owner, crm.InstanceInput{Name: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.DeleteInstance(t.Context(), w.Stranger, "shop"); code(err) != crm.CodeNotFound {
			t.Errorf("a stranger: %v", err)
		}
		if err := w.DeleteInstance(t.Context(), w.Owner, "shop"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Instance(t.Context(), w.Owner, "shop"); code(err) != crm.CodeNotFound {
			t.Errorf("it is still there: %v", err)
		}
		if _, ok := w.InstanceDirectory().Of(made.Line); ok {
			t.Error("the directory still has it")
		}
		if has, err := hasLicense(t.Context(), w, made.Line.LicenseID); has || err != nil {
			t.Errorf("its licence is still there: %v", err)
		}
		// The licence of people stays, with its other messengers.
		if err := w.DeleteInstance(t.Context(), w.Owner, worldInstance); err != nil {
			t.Fatal(err)
		}
		if has, err := hasLicense(t.Context(), w, crmtest.LicenseID); !has || err != nil {
			t.Errorf("the licence of the others is gone: %v", err)
		}
		if _, err := w.Instance(t.Context(), w.Owner, "1229-telegram"); err != nil {
			t.Errorf("another messenger: %v", err)
		}
	})
}

func hasLicense(ctx context.Context, w *crmtest.World, id int64) (bool, error) {
	list, err := w.Licenses(ctx, w.Owner, 0)
	return slices.ContainsFunc(list, func(l crm.LicenseData) bool { return l.LicenseID == id }), err
}

// TestKeyDeletesItsInstance deletes an instance with its own key, which ends with it.
func TestKeyDeletesItsInstance(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		company, err := w.CreateKey(t.Context(), w.Owner, crm.KeyInput{Name: "all", Rights: crm.KeyRights()})
		if err != nil {
			t.Fatal(err)
		}
		all, _, err := w.AuthenticateKey(t.Context(), company.Key)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.CreateInstance(t.Context(), all, crm.InstanceInput{Name: "shop", Token: "my own key 1234567"})
		expectCode(t, "a key with blanks", err, crm.CodeInvalid)
		made, err := w.CreateInstance(t.Context(), all, crm.InstanceInput{Name: "shop", Token: "my-own-key-1234567"})
		if err != nil || made.Key != "my-own-key-1234567" {
			t.Fatal(made, err)
		}
		key, _, err := w.AuthenticateKey(t.Context(), made.Key)
		if err != nil {
			t.Fatal(err)
		}
		expectCode(t, "another instance", w.DeleteInstance(t.Context(), key, worldInstance), crm.CodeNotFound)
		if err := w.DeleteInstance(t.Context(), key, "shop"); err != nil {
			t.Fatal(err)
		}
		_, _, err = w.AuthenticateKey(t.Context(), made.Key)
		expectCode(t, "the key of the deleted instance", err, crm.CodeBadToken)
	})
}

// TestKeptTokens keeps the keys of instances, when the server is set to.
func TestKeptTokens(t *testing.T) {
	w := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t)))
	w.ExposeTokens = true
	made, err := w.CreateInstance(t.Context(), w.Owner, crm.InstanceInput{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	if token, err := w.InstanceToken(t.Context(), w.Owner, "shop"); err != nil || token == nil || *token != made.Key {
		t.Errorf("the owner gets %v, %v", token, err)
	}
	if token, err := w.InstanceToken(t.Context(), w.Operator, worldInstance); err != nil || token != nil {
		t.Errorf("an operator gets %v, %v", token, err)
	}
	keys, err := w.Keys(t.Context(), w.Owner, 0, crm.PageQuery{})
	if err != nil || len(keys.Items) != 1 {
		t.Fatal(keys, err)
	}
	if err := w.RevokeKey(t.Context(), w.Owner, keys.Items[0].ID); err != nil {
		t.Fatal(err)
	}
	if token, err := w.InstanceToken(t.Context(), w.Owner, "shop"); err != nil || token != nil {
		t.Errorf("of a revoked key: %v, %v", token, err)
	}
}

// TestLinesHaveInstances makes lines in every way that there is.
func TestLinesHaveInstances(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		l, err := w.CreateLicense(t.Context(), w.Owner, 0, "New")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.AddMessenger(t.Context(), w.Owner, l.LicenseID, "telegram", ""); err != nil {
			t.Fatal(err)
		}
		on := crm.Line{LicenseID: l.LicenseID, Messenger: "telegram"}
		v, ok := w.InstanceDirectory().Of(on)
		if !ok || v.Name != fmt.Sprintf("%d-telegram", l.LicenseID) || v.Phone != "" {
			t.Fatalf("the instance of the line is %+v, %v", v, ok)
		}
		if _, err := w.RemoveMessenger(t.Context(), w.Owner, l.LicenseID, "telegram"); err != nil {
			t.Fatal(err)
		}
		if _, ok := w.InstanceDirectory().Of(on); ok {
			t.Error("the instance of the removed line is known")
		}
		// A name that somebody has given already is not taken a second time.
		if _, err := w.ChangeInstance(t.Context(), w.Owner, worldInstance, crm.InstanceChanges{Name: crm.Value(v.Name)}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.AddMessenger(t.Context(), w.Owner, l.LicenseID, "telegram", ""); err != nil {
			t.Fatal(err)
		}
		if v2, ok := w.InstanceDirectory().Of(on); !ok || !strings.HasPrefix(v2.Name, v.Name+"-") {
			t.Errorf("the instance of the line is %+v, %v", v2, ok)
		}
	})
}

// TestDirectoryOfTwoNodes changes an instance on one node: another one knows when it looks.
func TestDirectoryOfTwoNodes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		other := crm.New(crm.Options{Store: store, Live: w.Live, Now: w.Clock.Now, Log: w.Log, Messengers: w.Messengers})
		if _, ok := other.InstanceDirectory().ByName(crmtest.CompanyID, worldInstance); ok {
			t.Fatal("it knows before it has looked")
		}
		for _, name := range []string{"shop", "shop 2"} {
			if err := other.LoadInstances(t.Context()); err != nil {
				t.Fatal(err)
			}
			old, ok := other.InstanceDirectory().Of(crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"})
			if !ok {
				t.Fatal("it does not know the instance")
			}
			if _, err := w.ChangeInstance(t.Context(), w.Owner, old.Name, crm.InstanceChanges{Name: crm.Value(name)}); err != nil {
				t.Fatal(err)
			}
			if err := other.LoadInstances(t.Context()); err != nil {
				t.Fatal(err)
			}
			if v, ok := other.InstanceDirectory().ByID(old.ID); !ok || v.Name != name {
				t.Errorf("it knows %+v, %v", v, ok)
			}
		}
	})
}

// TestDirectoryKnowsTheAccount tells the state of a line: the directory has its number and name.
func TestDirectoryKnowsTheAccount(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		on := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}
		phone, device := "351912000000", "351912000000:1@s.whatsapp.net"
		err := w.SetLineState(t.Context(), on, crm.LineState{State: crm.StateConnected, Device: &device, Phone: &phone, Name: "Shop"})
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := w.InstanceDirectory().Of(on); !ok || v.Phone != phone || v.ProfileName != "Shop" {
			t.Errorf("the directory has %+v, %v", v, ok)
		}
	})
}
