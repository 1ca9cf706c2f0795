package models_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/models"
	"chatcast/models/seal"
	"chatcast/models/testdb"
)

func sealKeys(t *testing.T, texts ...string) *seal.Keys {
	t.Helper()
	k, err := seal.Parse(strings.Join(texts, ","))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// openWith opens url with keys.
func openWith(t *testing.T, url string, keys *seal.Keys) (*models.Store, error) {
	t.Helper()
	store := testdb.Open(t, url)
	return store, store.UseKeys(t.Context(), keys)
}

// The texts that no encrypted database contains.
var secrets = []string{"secret-of-the-app", "older-of-the-app", "hook.example/token", "value-of-the-setting", "TOTPSECRETOFAUSER", "password-of-the-proxy", "callback.example/token", "whsec_of_the_callback", "whsec_older_of_it", "code-in-a-call", "code-in-an-answer", "hook-of-the-instance", "token-of-the-instance"}

// fillSecrets writes a row of everything that is sealed.
func fillSecrets(t *testing.T, store *models.Store) {
	t.Helper()
	err := store.Tx(t.Context(), func(tx *models.Tx) error {
		app := appRow("a", "ka")
		app.Secret, app.OldSecret, app.OldSecretUntil, app.Webhooks = secrets[0], secrets[1], 100, `[{"url":"https://hook.example/token"}]`
		if _, err := tx.EnsureSetting("name", secrets[3]); err != nil {
			return err
		}
		return errors.Join(tx.CreateApp(app), tx.CreateApp(appRow("b", "kb")),
			tx.CreateUser(&models.User{ID: 7, Email: "u@example.com", Name: "U", PasswordHash: "h"}), tx.PutTOTP(&models.TOTP{UserID: 7, Secret: secrets[4]}),
			tx.CreateCompany(&models.Company{ID: 5, Name: "C"}), tx.CreateLicense(&models.License{ID: 6, CompanyID: 5, Name: "L"}),
			tx.CreateMessenger(&models.Messenger{LicenseID: 6, Type: "grWhatsApp", Name: "W"}),
			tx.PutLineSettings(&models.LineSettings{LicenseID: 6, MessengerType: "grWhatsApp", Proxy: "http://u:" + secrets[5] + "@p"}),
			tx.PutCallbackURL(&models.CallbackURL{CompanyID: 5, URL: "https://" + secrets[6], Secret: secrets[7], OldSecret: secrets[8], Events: "[]", Lines: "[]", Chats: "[]"}),
			fillInstance(tx), fillCall(tx))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// fillInstance writes an instance with a webhook.
func fillInstance(tx *models.Tx) error {
	added, err := tx.CreateInstance(&models.Instance{
		ID: "i", CompanyID: 5, LicenseID: 6, MessengerType: "grWhatsApp", Name: "shop", Shape: "v2", Settings: "{}", Websocket: "{}", Webhook: secrets[11], Token: secrets[12],
	})
	if err == nil && !added {
		err = errors.New("the instance is there already")
	}
	return err
}

// fillCall writes a call to the process of a line, and its answer.
func fillCall(tx *models.Tx) error {
	err := tx.EnsureMessengerSession(&models.MessengerSession{LicenseID: 6, MessengerType: "grWhatsApp", RatingReasons: "[]"})
	_, err2 := tx.BeatLineNode("node", "grWhatsApp", false)
	_, err3 := tx.TakeLease(6, "grWhatsApp", "node", time.Minute)
	if err := errors.Join(err, err2, err3); err != nil {
		return err
	}
	call := models.LineCall{ID: "call", Node: "node", Caller: "caller", LicenseID: 6, MessengerType: "grWhatsApp", Method: "pair", Request: secrets[9]}
	if err := tx.AddLineCall(&call, time.Minute); err != nil {
		return err
	}
	taken, _, err := tx.TakeLineCalls("node", 1, 10)
	if err != nil || len(taken) != 1 || taken[0].Request != secrets[9] {
		return fmt.Errorf("taken are %+v, %w", taken, err)
	}
	taken[0].Answer = secrets[10]
	return tx.AnswerLineCall(&taken[0])
}

// checkSecrets checks that the store reads what fillSecrets wrote.
func checkSecrets(t *testing.T, store *models.Store) {
	t.Helper()
	tx := store.Read(t.Context())
	app, err := tx.App("a")
	if err != nil || app.Secret != secrets[0] || app.OldSecret != secrets[1] || !strings.Contains(app.Webhooks, secrets[2]) {
		t.Errorf("app %+v, %v", app, err)
	}
	list, err := tx.Apps()
	if err != nil || len(list) != 2 || list[0] != *app || list[1] != *appRow("b", "kb") {
		t.Errorf("apps %+v, %v", list, err)
	}
	if value, err := tx.Setting("name"); err != nil || value != secrets[3] {
		t.Errorf("setting %q, %v", value, err)
	}
	if s, err := tx.LineSettings(6, "grWhatsApp"); err != nil || s.Proxy != "http://u:"+secrets[5]+"@p" {
		t.Errorf("settings of the line %+v, %v", s, err)
	}
	if cb, err := tx.CallbackURL(1); err != nil || cb.URL != "https://"+secrets[6] || cb.Secret != secrets[7] || cb.OldSecret != secrets[8] {
		t.Errorf("callback URL %+v, %v", cb, err)
	}
	if call, err := tx.LineCall("call"); err != nil || call.Request != secrets[9] || call.Answer != secrets[10] {
		t.Errorf("call %+v, %v", call, err)
	}
	if i, err := tx.InstanceByID("i"); err != nil || i.Webhook != secrets[11] || i.Token != secrets[12] {
		t.Errorf("instance %+v, %v", i, err)
	}
	if totp, err := tx.TOTP(7); err != nil || totp.Secret != secrets[4] {
		t.Errorf("TOTP %+v, %v", totp, err)
	}
}

// dump returns the tables of secrets as they are stored.
func dump(t *testing.T, store *models.Store) string {
	t.Helper()
	db, _, err := store.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var out strings.Builder
	for _, query := range []string{"SELECT secret, old_secret, webhooks FROM apps ORDER BY id", "SELECT value, '', '' FROM settings ORDER BY name", "SELECT secret, '', '' FROM user_totp", "SELECT proxy, '', '' FROM line_settings", "SELECT url, secret, old_secret FROM callback_urls", "SELECT request, answer, '' FROM line_calls", "SELECT webhook, token, '' FROM instances"} {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var a, b, c string
			if err := rows.Scan(&a, &b, &c); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&out, a, b, c)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func shown(text string) (list []string) {
	for _, s := range secrets {
		if strings.Contains(text, s) {
			list = append(list, s)
		}
	}
	return list
}

func noMore(context.Context, *sql.Tx, bool, *seal.Keys, *seal.Keys, func(string, int)) error {
	return nil
}

func ignore(string, int) {}

// A new database is encrypted from its first secret on, and needs its keys then.
func TestSecretsAreEncrypted(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		one, two := seal.New(), seal.New()
		first, second, both := sealKeys(t, one), sealKeys(t, two), sealKeys(t, two, one)
		store, err := openWith(t, url, first)
		if err != nil {
			t.Fatal(err)
		}
		fillSecrets(t, store)
		checkSecrets(t, store)
		if found := shown(dump(t, store)); len(found) > 0 {
			t.Errorf("the database has %q", found)
		}
		for what, c := range map[string]struct {
			keys *seal.Keys
			want error
			part string
		}{"none": {nil, models.ErrNoKeys, first.IDs()[0]}, "another": {second, models.ErrMissingKey, first.IDs()[0]}} {
			if _, err := openWith(t, url, c.keys); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.part) {
				t.Errorf("with %s: %v", what, err)
			}
		}
		if store, err = openWith(t, url, both); err != nil {
			t.Fatal(err)
		}
		checkSecrets(t, store)
		if ids, err := store.Read(t.Context()).Encryption(); err != nil || len(ids) != 1 { // the second has sealed nothing
			t.Errorf("it needs %v, %v", ids, err)
		}
		if err := store.Tx(t.Context(), func(tx *models.Tx) error { _, err := tx.EnsureSetting("later", "x"); return err }); err != nil {
			t.Fatal(err)
		}
		if ids, err := store.Read(t.Context()).Encryption(); err != nil || !slices.Equal(ids, []string{first.IDs()[0], second.IDs()[0]}) {
			t.Errorf("it needs %v, %v", ids, err)
		}
		if _, err := openWith(t, url, first); !errors.Is(err, models.ErrMissingKey) {
			t.Errorf("without the key of the last secret: %v", err)
		}
	})
}

// A sealed secret that is moved to another row, or replaced by a plain one, is refused.
func TestSecretsStayInTheirRow(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		store, err := openWith(t, url, sealKeys(t, seal.New()))
		if err != nil {
			t.Fatal(err)
		}
		fillSecrets(t, store)
		for _, change := range []string{
			"UPDATE apps SET secret = (SELECT o.secret FROM apps o WHERE o.id = 'a') WHERE id = 'b'",
			"UPDATE apps SET secret = old_secret WHERE id = 'a'",
			"UPDATE apps SET secret = 'plain' WHERE id = 'a'",
		} {
			if err := store.Exec(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			if list, err := store.Read(t.Context()).Apps(); !errors.Is(err, seal.ErrDamaged) {
				t.Errorf("%s: %+v, %v", change, list, err)
			}
		}
	})
}

// Rewrite seals a plain database, replaces its key, and makes it plain again. What it
// wrote before is not in the files.
func TestRewriteSecrets(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		ctx, one, two := t.Context(), seal.New(), seal.New()
		plain := testdb.Open(t, url)
		fillSecrets(t, plain)
		if err := plain.ProbeWrite(ctx); err != nil { // as a server does that runs
			t.Fatal(err)
		}
		before := dump(t, plain)
		if found := shown(before); len(found) != len(secrets) {
			t.Fatalf("the database has only %q", found)
		}
		if _, err := openWith(t, url, sealKeys(t, one)); !errors.Is(err, models.ErrNotEncrypted) {
			t.Errorf("keys for a plain database: %v", err)
		}
		rows := map[string]int{}
		count := func(table string, n int) {
			if _, twice := rows[table]; twice {
				t.Errorf("%s is told twice", table)
			}
			rows[table] = n
		}
		if err := testdb.Open(t, url).Rewrite(ctx, sealKeys(t, one), false, noMore, count); err != nil {
			t.Fatal(err)
		}
		if rows["apps"] != 5 || rows["settings"] != 1 || rows["user_totp"] != 1 { // b has no old secret
			t.Errorf("rewritten: %v", rows)
		}
		sealed, err := openWith(t, url, sealKeys(t, one))
		if err != nil {
			t.Fatal(err)
		}
		checkSecrets(t, sealed)
		if err := sealed.ProbeWrite(ctx); err != nil {
			t.Fatal(err)
		}
		after := dump(t, sealed)
		if found := shown(after); len(found) > 0 {
			t.Errorf("the database has %q", found)
		}
		// A command that was started before does not write a plain secret.
		err = plain.Tx(ctx, func(tx *models.Tx) error { return tx.CreateApp(appRow("c", "kc")) })
		if !errors.Is(err, models.ErrRewritten) {
			t.Errorf("a plain secret in an encrypted database: %v", err)
		}

		if err := testdb.Open(t, url).Rewrite(ctx, sealKeys(t, two), false, noMore, ignore); !errors.Is(err, models.ErrMissingKey) {
			t.Errorf("rewriting without the old key: %v", err)
		}
		broken := func(context.Context, *sql.Tx, bool, *seal.Keys, *seal.Keys, func(string, int)) error {
			return sql.ErrConnDone
		}
		if err := testdb.Open(t, url).Rewrite(ctx, sealKeys(t, two, one), false, broken, ignore); !errors.Is(err, sql.ErrConnDone) {
			t.Errorf("rewriting that fails at the end: %v", err)
		}
		if now := dump(t, sealed); now != after {
			t.Error("what failed has changed something")
		}
		if err := testdb.Open(t, url).Rewrite(ctx, sealKeys(t, two, one), false, noMore, ignore); err != nil {
			t.Fatal(err)
		}
		if sealed, err = openWith(t, url, sealKeys(t, two)); err != nil {
			t.Fatal(err)
		}
		checkSecrets(t, sealed)

		if err := testdb.Open(t, url).Rewrite(ctx, sealKeys(t, two), true, noMore, ignore); err != nil {
			t.Fatal(err)
		}
		checkSecrets(t, plain)
		if now := dump(t, plain); now != before {
			t.Errorf("the database was\n%s\nand is\n%s", before, now)
		}
	})
}
