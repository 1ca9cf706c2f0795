package kill

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"chatcast/cmd/chatcast/e2e"
)

// vault is a box whose database may be encrypted.
type vault struct {
	*box
	db      *sql.DB
	file    string            // of SQLite
	plain   []string          // settings without keys
	app     string            // the secret of an app
	secrets map[string]string // what the database must not contain, as it would contain it
	said    int
}

func (b *vault) open() {
	b.t.Helper()
	b.plain, b.secrets = b.settings, map[string]string{}
	driver, source := "sqlite", ""
	for _, line := range b.settings {
		if url, ok := strings.CutPrefix(line, "CHATCAST_DATABASE_URL="); ok {
			driver, source = "pgx", url
		}
	}
	if source == "" {
		b.file = filepath.Join(b.dir, "data", "chatcast.db")
		source = "file:" + b.file + "?_pragma=busy_timeout(10000)"
	}
	var err error
	if b.db, err = sql.Open(driver, source); err != nil {
		b.t.Fatal(err)
	}
	b.db.SetMaxIdleConns(0) // it must not keep the database open
	b.t.Cleanup(func() { b.db.Close() })
}

// makeSecrets makes one of each kind of secret by the program's own means.
func (b *vault) makeSecrets() {
	b.t.Helper()
	b.app = strings.Fields(b.run("app", "create", "--id", "shop"))[5]
	b.secrets["app"] = b.app
	b.secrets["first app"] = strings.TrimSpace(b.run("secret"))
	var totp struct{ Secret string }
	b.owner.Must("POST", "/v1/me/totp", map[string]string{"currentPassword": e2e.OwnerPassword}, &totp)
	b.secrets["TOTP"] = totp.Secret
	hook := map[string]any{"url": "https://hook.example/", "headers": map[string]string{"Authorization": "header-of-the-webhook"}}
	b.owner.Must("PATCH", "/v1/apps/shop", map[string]any{"webhooks": []any{hook}}, nil)
	b.secrets["webhook"] = "header-of-the-webhook"
}

// keepWhatsAppKeys reads the keys of WhatsApp from a database that is not encrypted.
func (b *vault) keepWhatsAppKeys() {
	b.t.Helper()
	for what, query := range map[string]string{
		"noise key": "SELECT noise_key FROM whatsmeow_device", "identity key": "SELECT identity_key FROM whatsmeow_device",
		"signed key": "SELECT signed_pre_key FROM whatsmeow_device", "pairing": "SELECT adv_key FROM whatsmeow_device",
		"one-time key": "SELECT key FROM whatsmeow_pre_keys WHERE key_id = 500",
	} {
		var key []byte
		if err := b.db.QueryRow(query).Scan(&key); err != nil || len(key) != 32 {
			b.t.Fatalf("%s: %d bytes, %v", what, len(key), err)
		}
		b.secrets[what] = string(key)
		if b.file == "" {
			b.secrets[what] = hex.EncodeToString(key)
		}
	}
}

// bulk adds so many keys that rewriting them takes a while.
func (b *vault) bulk() {
	b.t.Helper()
	numbers := "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 20000) SELECT n FROM c"
	random := "randomblob(32)"
	if b.file == "" {
		random = "decode(md5(n::text) || md5(n::text), 'hex')"
	}
	_, err := b.db.Exec(`INSERT INTO whatsmeow_message_secrets (our_jid, chat_jid, sender_jid, message_id, key)
		SELECT d.jid, 'c@s.whatsapp.net', 's@s.whatsapp.net', 'bulk' || CAST(n AS TEXT), ` + random + ` FROM whatsmeow_device d, (` + numbers + `) numbers`)
	if err != nil {
		b.t.Fatal(err)
	}
}

// found lists the secrets that are in the database: in SQLite's files, in every row of
// PostgreSQL's tables.
func (b *vault) found() (names []string) {
	b.t.Helper()
	all := b.dump()
	if len(all) < 100_000 {
		b.t.Fatalf("the database has only %d bytes", len(all))
	}
	for name, secret := range b.secrets {
		if bytes.Contains(all, []byte(secret)) {
			names = append(names, name)
		}
	}
	return names
}

func (b *vault) dump() []byte {
	b.t.Helper()
	var all bytes.Buffer
	if b.file != "" {
		for _, suffix := range []string{"", "-wal"} {
			text, err := os.ReadFile(b.file + suffix)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				b.t.Fatal(err)
			}
			all.Write(text)
		}
		return all.Bytes()
	}
	for _, table := range b.strings("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") {
		for _, row := range b.strings(fmt.Sprintf(`SELECT t::text FROM %q t`, table)) {
			fmt.Fprintln(&all, row)
		}
	}
	return all.Bytes()
}

func (b *vault) strings(query string) (list []string) {
	b.t.Helper()
	rows, err := b.db.Query(query)
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			b.t.Fatal(err)
		}
		list = append(list, text)
	}
	if err := rows.Err(); err != nil {
		b.t.Fatal(err)
	}
	return list
}

func (b *vault) hidden(when string) {
	b.t.Helper()
	if found := b.found(); len(found) > 0 {
		b.t.Errorf("%s: the database has %q", when, found)
	}
}

// works checks that the line is connected and messages go both ways, and that the
// secrets are what they were.
func (b *vault) works(when string) {
	b.t.Helper()
	b.owner.AwaitLine("connected")
	b.said++
	in, out := fmt.Sprintf("in %d", b.said), fmt.Sprintf("out %d", b.said)
	b.Anna.SendText(b.Shop, in)
	b.owner.AwaitEvent("message", in)
	if _, err := b.say(b.Anna.Number().User, out); err != nil {
		b.t.Fatalf("%s: %v", when, err)
	}
	if _, err := b.Anna.AwaitText(b.t.Context(), out); err != nil {
		b.t.Fatalf("%s: %v", when, err)
	}
	if secret := strings.TrimSpace(b.run("secret", "--app", "shop")); secret != b.app {
		b.t.Errorf("%s: the app's secret is another", when)
	}
}
