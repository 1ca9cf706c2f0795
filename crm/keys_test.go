package crm_test

import (
	"errors"
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

// ofCompany is the input of a key for all lines of the world's company.
func ofCompany(rights ...string) crm.KeyInput {
	return crm.KeyInput{CompanyID: crmtest.CompanyID, Name: "CRM sync", Rights: rights}
}

// ofLine is the input of a key for one line.
func ofLine(on crm.Line, rights ...string) crm.KeyInput {
	return crm.KeyInput{Name: "Shop", LicenseID: on.LicenseID, Messenger: on.Messenger, Rights: rights}
}

// makeKey makes a key as the company's admin, and returns it with its actor.
func makeKey(t *testing.T, w *crmtest.World, in crm.KeyInput) (*crm.CreatedKey, crm.Actor) {
	t.Helper()
	k, err := w.CreateKey(t.Context(), w.Admin, in)
	if err != nil {
		t.Fatal(err)
	}
	a, data, err := w.AuthenticateKey(t.Context(), k.Key)
	if err != nil {
		t.Fatal(err)
	}
	if a.UserID != k.UserID || a.KeyID != k.ID || a.AppID != "" || data.ID != k.ID {
		t.Fatalf("authenticated as %+v with %+v, want the key %+v", a, data, k)
	}
	return k, a
}

func TestKeyIsMadeListedAndRevoked(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		of, _ := makeKey(t, w, ofCompany(crm.KeyInbound, crm.KeyRead, crm.KeySend, crm.KeyManage))
		line, a := makeKey(t, w, ofLine(onGr, crm.KeyRead))
		if !strings.HasPrefix(of.Key, "cck_") || len(of.Key) != 68 || of.Key == line.Key || !slices.Equal(of.Rights, crm.KeyRights()) || !of.Has(crm.KeySend) || line.Has(crm.KeySend) {
			t.Errorf("made %+v and %+v", of, line)
		}
		if line.CompanyID != crmtest.CompanyID || line.LicenseID != crmtest.LicenseID || line.Messenger != "grWhatsApp" || of.LicenseID != 0 || *line.CreatedBy != w.Admin.UserID {
			t.Errorf("made %+v and %+v", of, line)
		}
		page, err := w.Keys(ctx, w.Owner, 0, crm.PageQuery{Limit: 1})
		if err != nil || len(page.Items) != 1 || page.Items[0].ID != line.ID || page.NextPage == nil || *page.Items[0].LastUsedAt != crmtest.Start {
			t.Fatalf("listed %+v, %v", page, err)
		}
		page, err = w.Keys(ctx, w.Owner, crmtest.CompanyID, crm.PageQuery{NextPage: *page.NextPage})
		if err != nil || len(page.Items) != 1 || page.Items[0].ID != of.ID || page.NextPage != nil {
			t.Fatalf("listed %+v, %v", page, err)
		}
		for what, err := range map[string]error{
			"another company's owner": w.RevokeKey(ctx, w.Stranger, line.ID), "one that does not exist": w.RevokeKey(ctx, w.Owner, 12345),
		} {
			wantCode(t, what, err, crm.CodeNotFound, "")
		}
		wantCode(t, "an operator", w.RevokeKey(ctx, w.Operator, line.ID), crm.CodeDenied, "")
		if err := w.RevokeKey(ctx, w.Owner, line.ID); err != nil {
			t.Fatal(err)
		}
		_, _, err = w.AuthenticateKey(ctx, line.Key)
		wantCode(t, "a revoked key", err, crm.CodeBadToken, "")
		_, err = w.Authenticate(ctx, line.Key)
		wantCode(t, "a revoked key as token", err, crm.CodeBadToken, "")
		_, err = w.SessionOfToken(ctx, line.Key)
		wantCode(t, "the session of a revoked key", err, crm.CodeBadToken, "")
		_, err = w.TokenSession(ctx, -line.ID)
		wantCode(t, "its session by id", err, crm.CodeBadToken, "")
		_, err = w.Chats(ctx, a, onGr, crm.ChatQuery{})
		wantCode(t, "the actor of a revoked key", err, crm.CodeNotFound, "")
		if k, err := w.KeyOf(ctx, a); k != nil || err != nil {
			t.Errorf("a revoked key is %+v, %v", k, err)
		}
		if got := w.Live.Disconnected(); !slices.Equal(got, []int64{line.UserID}) {
			t.Errorf("disconnected %v, want %d", got, line.UserID)
		}
	})
}

func TestKeyInput(t *testing.T) {
	w, ctx := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t))), t.Context()
	long := strings.Repeat("x", 201)
	for what, tt := range map[string]struct {
		edit  func(*crm.KeyInput)
		code  crm.Code
		field string
	}{
		"no name":             {func(in *crm.KeyInput) { in.Name = " " }, crm.CodeInvalid, "name"},
		"no right":            {func(in *crm.KeyInput) { in.Rights = nil }, crm.CodeInvalid, "rights"},
		"an unknown right":    {func(in *crm.KeyInput) { in.Rights = []string{"read", "owner"} }, crm.CodeInvalid, "rights[1]"},
		"no messenger":        {func(in *crm.KeyInput) { in.LicenseID = crmtest.LicenseID }, crm.CodeInvalid, "messengerType"},
		"no licence":          {func(in *crm.KeyInput) { in.Messenger = "telegram" }, crm.CodeInvalid, "licenseId"},
		"a short text":        {func(in *crm.KeyInput) { in.Text = "123456789012345" }, crm.CodeInvalid, "key"},
		"a long text":         {func(in *crm.KeyInput) { in.Text = long }, crm.CodeInvalid, "key"},
		"a text with a blank": {func(in *crm.KeyInput) { in.Text = "Bearer 1234567890" }, crm.CodeInvalid, "key"},
		"a text with ü":       {func(in *crm.KeyInput) { in.Text = "ü234567890123456" }, crm.CodeInvalid, "key"},
		"no such licence":     {func(in *crm.KeyInput) { in.LicenseID, in.Messenger = 99, "telegram" }, crm.CodeNotFound, ""},
		"another company's": {func(in *crm.KeyInput) {
			in.CompanyID, in.LicenseID, in.Messenger = 0, crmtest.StrangeLicense, "telegram"
		}, crm.CodeNotFound, ""},
		"no such messenger":   {func(in *crm.KeyInput) { in.LicenseID, in.Messenger = crmtest.LicenseID, "viber" }, crm.CodeNotFound, ""},
		"another company":     {func(in *crm.KeyInput) { in.CompanyID = crmtest.StrangeCompany }, crm.CodeNotFound, ""},
		"a line of elsewhere": {func(in *crm.KeyInput) { in.LicenseID, in.Messenger = crmtest.StrangeLicense, "telegram" }, crm.CodeNotFound, ""},
	} {
		in := ofCompany(crm.KeyRead)
		tt.edit(&in)
		_, err := w.CreateKey(ctx, w.Owner, in)
		wantCode(t, what, err, tt.code, tt.field)
	}
	for _, a := range []crm.Actor{w.Operator, w.Reader, w.OnlyMine, w.Outsider} {
		_, err := w.CreateKey(ctx, a, ofCompany(crm.KeyRead))
		wantCode(t, "an operator", err, crm.CodeDenied, "")
		_, err = w.Keys(ctx, a, 0, crm.PageQuery{})
		wantCode(t, "an operator's list", err, crm.CodeDenied, "")
	}
	_, err := w.Keys(ctx, w.Stranger, crmtest.CompanyID, crm.PageQuery{})
	wantCode(t, "a stranger's list", err, crm.CodeNotFound, "")
}

// TestKeyOfOnesOwn makes keys with a chosen text, which there is once on the server.
func TestKeyOfOnesOwn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		in := ofLine(onGr, crm.KeyRead)
		in.Text = "B6D711FCDE4D4FD5936544120E713976"
		if k, _ := makeKey(t, w, in); k.Key != in.Text {
			t.Errorf("made %+v", k)
		}
		_, err := w.CreateKey(ctx, w.Stranger, crm.KeyInput{Name: "Theirs", Rights: in.Rights, Text: in.Text})
		wantCode(t, "the same elsewhere", err, crm.CodeConflict, "")
		ids, err := store.Read(ctx).Keys(crmtest.StrangeCompany, 0, 10)
		if err != nil || len(ids) != 0 {
			t.Errorf("they have %+v, %v", ids, err)
		}
	})
}

func TestKeysOfACompanyAreBounded(t *testing.T) {
	w := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t)))
	w.Tx(t, func(tx *models.Tx) error {
		for i := range int64(1000) {
			user := &models.User{ID: 5000 + i, Email: fmt.Sprintf("key:%d", i), Name: "k", OfKey: true}
			key := &models.APIKey{CompanyID: crmtest.CompanyID, UserID: user.ID, Name: "k", Hash: fmt.Sprint(i)}
			if err := tx.Insert(user, key); err != nil {
				return err
			}
		}
		return nil
	})
	_, err := w.CreateKey(t.Context(), w.Owner, ofCompany(crm.KeyRead))
	wantCode(t, "one more", err, crm.CodeConflict, "")
	if _, err := w.CreateKey(t.Context(), w.Stranger, crm.KeyInput{Name: "theirs", Rights: []string{crm.KeyRead}}); err != nil {
		t.Errorf("another company: %v", err)
	}
}

// TestKeyUseIsNoted checks that the last use of a key is written at most once a minute.
func TestKeyUseIsNoted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		k, err := w.CreateKey(ctx, w.Owner, ofCompany(crm.KeyRead))
		if err != nil {
			t.Fatal(err)
		}
		used := func() int64 {
			t.Helper()
			row, err := store.Read(ctx).KeyByID(k.ID)
			if err != nil {
				t.Fatal(err)
			}
			return row.LastUsedAt
		}
		if k.LastUsedAt != nil || used() != 0 {
			t.Errorf("a new key was used: %+v", k)
		}
		for _, step := range []struct {
			after time.Duration
			want  int64
		}{{0, 0}, {59 * time.Second, 0}, {time.Second, 60}, {30 * time.Second, 60}, {time.Hour, 60 + 30 + 3600}} {
			w.Clock.Advance(step.after)
			if _, err := w.Authenticate(ctx, k.Key); err != nil {
				t.Fatal(err)
			}
			if got := used() - crmtest.Start; got != step.want {
				t.Errorf("%s later the last use is at +%d, want +%d", step.after, got, step.want)
			}
		}
	})
}

// TestKeyIsAudited checks what the audit log says of keys, and of what is done with them.
func TestKeyIsAudited(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		k, a := makeKey(t, w, ofCompany(crm.KeyManage))
		if _, err := w.RenameLicense(ctx, a, crmtest.LicenseID, "By a key"); err != nil {
			t.Fatal(err)
		}
		if err := w.HostKeys().Revoke(ctx, k.ID); err != nil {
			t.Fatal(err)
		}
		page, err := w.AuditLog(ctx, w.Owner, crm.AuditQuery{})
		if err != nil || len(page.Items) != 3 {
			t.Fatalf("%+v, %v", page, err)
		}
		revoked, renamed, made := page.Items[0], page.Items[1], page.Items[2]
		if made.Action != crm.AuditKeyMade || *made.Actor.ID != w.Admin.UserID || made.Target.Name != "CRM sync" || made.Details["rights"] != "manage" {
			t.Errorf("made: %+v", made)
		}
		if renamed.Actor.Type != crm.ActorKey || renamed.Actor.Name != "CRM sync" || *renamed.Actor.ID != k.UserID {
			t.Errorf("renamed: %+v", renamed)
		}
		if revoked.Action != crm.AuditKeyRevoked || revoked.Actor.Type != crm.ActorHost || revoked.Target.ID != fmt.Sprint(k.ID) {
			t.Errorf("revoked: %+v", revoked)
		}
	})
}

// TestKeysHaveTheirOwnIdempotencyKeys sends the same Idempotency-Key with two keys.
func TestKeysHaveTheirOwnIdempotencyKeys(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		_, one := makeKey(t, w, ofCompany(crm.KeyRead, crm.KeySend))
		_, two := makeKey(t, w, ofLine(onGr, crm.KeySend))
		m := saying("Hello")
		m.IdempotencyKey = "order-1"
		first := send(t, w, one, onGr, ann, m)
		if again := send(t, w, one, onGr, ann, m); again != first {
			t.Errorf("again: %+v, first %+v", again, first)
		}
		if other := send(t, w, two, onGr, ann, m); other == first {
			t.Error("another key gave the same message")
		}
		page, err := w.Messages(t.Context(), one, chatAt(onGr, ann), crm.MessageQuery{})
		if err != nil || len(page.Items) != 2 || page.Items[0].FromUser.Name != "Shop" && page.Items[1].FromUser.Name != "Shop" {
			t.Errorf("%+v, %v", page.Items, err)
		}
	})
}

func TestHostKeys(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		host := w.HostKeys()
		for what, in := range map[string]crm.KeyInput{
			"no company": {Name: "x", Rights: []string{crm.KeyRead}}, "an unknown company": {CompanyID: 9, Name: "x", Rights: []string{crm.KeyRead}},
			"another's line": {CompanyID: crmtest.StrangeCompany, Name: "x", Rights: []string{crm.KeyRead}, LicenseID: onGr.LicenseID, Messenger: onGr.Messenger},
		} {
			_, err := host.Create(ctx, in)
			wantCode(t, what, err, crm.CodeNotFound, "")
		}
		k, err := host.Create(ctx, ofCompany(crm.KeyRead))
		if err != nil || k.CreatedBy != nil {
			t.Fatalf("made %+v, %v", k, err)
		}
		for company, want := range map[int64]int{0: 1, crmtest.CompanyID: 1, crmtest.StrangeCompany: 0} {
			if list, err := host.List(ctx, company); err != nil || len(list) != want {
				t.Errorf("the keys of %d: %+v, %v", company, list, err)
			}
		}
		_, err = host.List(ctx, 9)
		wantCode(t, "the keys of an unknown company", err, crm.CodeNotFound, "")
		before, err := w.CutOffs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := host.Revoke(ctx, k.ID); err != nil {
			t.Fatal(err)
		}
		// A server on the same database learns of it, and closes the sockets of all sessions.
		if _, err := w.LookForCutOffs(ctx, before); err != nil {
			t.Fatal(err)
		}
		if got := w.Live.EndedBefore(); len(got) != 1 || got[0].UserID != k.UserID || got[0].ID <= -k.ID {
			t.Errorf("ended %+v", got)
		}
		wantCode(t, "revoked twice", host.Revoke(ctx, k.ID), crm.CodeNotFound, "")
		if _, err := w.Authenticate(ctx, k.Key); codeOf(err) != crm.CodeBadToken {
			t.Errorf("after that: %v", err)
		}
		user, err := store.Read(ctx).UserByID(k.UserID)
		if err != nil || user.DisabledAt == 0 {
			t.Errorf("its user: %+v, %v", user, err)
		}
		if _, _, err := w.AuthenticateKey(ctx, ""); codeOf(err) != crm.CodeNoToken || errors.Is(err, models.ErrNotFound) {
			t.Errorf("no key: %v", err)
		}
	})
}
