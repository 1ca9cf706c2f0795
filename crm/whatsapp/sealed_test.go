package whatsapp

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	"chatcast/models"
	"chatcast/models/seal"
	"chatcast/models/testdb"
)

// publicColumns are the binary columns of whatsmeow's tables that are not sealed.
var publicColumns = map[string]string{
	"whatsmeow_device.noise_key":                  "zeros when sealed: see deviceSecrets",
	"whatsmeow_device.identity_key":               "zeros when sealed: see deviceSecrets",
	"whatsmeow_device.signed_pre_key":             "zeros when sealed: see deviceSecrets",
	"whatsmeow_device.signed_pre_key_sig":         "a signature, which WhatsApp publishes",
	"whatsmeow_device.adv_details":                "the signed identity, which is sent to everybody",
	"whatsmeow_device.adv_account_sig":            "a signature of it",
	"whatsmeow_device.adv_account_sig_key":        "a public key",
	"whatsmeow_device.adv_device_sig":             "a signature of it",
	"whatsmeow_identity_keys.identity":            "public keys of others",
	"whatsmeow_pre_keys.key":                      "empty when sealed: see preKey",
	"whatsmeow_app_state_sync_keys.key_id":        "a name",
	"whatsmeow_app_state_sync_keys.fingerprint":   "names devices",
	"whatsmeow_app_state_version.hash":            "a checksum of what the phone has",
	"whatsmeow_app_state_mutation_macs.index_mac": "a checksum",
	"whatsmeow_app_state_mutation_macs.value_mac": "a checksum",
	"whatsmeow_event_buffer.ciphertext_hash":      "a checksum of what was sent",
}

// TestEveryColumnOfKeysIsSealed compares the lists with the tables, so that a column which
// a later whatsmeow adds is not forgotten.
func TestEveryColumnOfKeysIsSealed(t *testing.T) {
	db := keysDB(t, testdb.Open(t, testdb.SQLiteURL(t)))
	rows, err := db.QueryContext(t.Context(), `SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name LIKE 'whats%' AND lower(c.type) NOT IN ('text', 'bigint', 'integer', 'boolean', 'uuid')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var sealed []string
	for _, c := range append(slices.Clone(sealedColumns), deviceSecrets, preKey) {
		sealed = append(sealed, c.Table+"."+c.Name)
	}
	found := 0
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			t.Fatal(err)
		}
		found++
		if slices.Contains(sealed, column) == (publicColumns[column] != "") {
			t.Errorf("%s must be either sealed or in publicColumns with the reason", column)
		}
	}
	if err := rows.Err(); err != nil || found != len(sealed)+len(publicColumns) {
		t.Errorf("the tables have %d binary columns, the lists %d; %v", found, len(sealed)+len(publicColumns), err)
	}
}

// keysDB returns a pool to the database with the tables of keys.
func keysDB(t *testing.T, s *models.Store) *sql.DB {
	t.Helper()
	db, dialect, err := s.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := UpgradeTables(t.Context(), db, dialect); err != nil {
		t.Fatal(err)
	}
	return db
}

// TestSealedStores checks what the stand-in does not show: values that whatsmeow moves or
// finds under another id, and values that somebody else moved.
func TestSealedStores(t *testing.T) {
	testdb.Each(t, func(t *testing.T, s *models.Store) {
		ctx := t.Context()
		db := keysDB(t, s)
		dialect := "sqlite"
		if strings.Contains(t.Name(), "postgres") {
			dialect = "postgres"
		}
		open := func(keys *seal.Keys) *container {
			c, err := newContainer(db, dialect, keys, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		c := open(testKeys)
		dev := storedDevice(t, c, "79990001122")
		number, hidden := types.NewJID("79995554433", types.DefaultUserServer), types.NewJID("100200301", types.HiddenUserServer)
		group, moved := "120363041234567890@g.us", hidden.SignalAddressUser()+":3"
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(dev.LIDs.PutLIDMapping(ctx, hidden, number))

		// by number, then by hidden id
		must(dev.Sessions.PutSession(ctx, "79995554433:3", []byte("session")))
		must(dev.SenderKeys.PutSenderKey(ctx, group, "79995554433:3", []byte("sender key")))
		must(dev.Sessions.MigratePNToLID(ctx, number, hidden))
		must(dev.Sessions.MigratePNToLID(ctx, number, hidden))
		for address, want := range map[string]string{moved: "session", "79995554433:3": ""} {
			if got, err := dev.Sessions.GetSession(ctx, address); err != nil || string(got) != want {
				t.Errorf("the session of %s is %q, %v", address, got, err)
			}
		}
		if got, err := dev.SenderKeys.GetSenderKey(ctx, group, moved); err != nil || string(got) != "sender key" {
			t.Errorf("the sender key is %q, %v", got, err)
		}

		must(dev.MsgSecrets.PutMessageSecret(ctx, number, hidden, "M1", []byte("message secret")))
		must(dev.MsgSecrets.PutMessageSecrets(ctx, []store.MessageSecretInsert{{Chat: hidden, Sender: number, ID: "M2", Secret: []byte("message secret")}}))
		must(dev.PrivacyTokens.PutPrivacyTokens(ctx, store.PrivacyToken{User: number, Token: []byte("token"), Timestamp: time.Unix(5, 0)}))
		for _, id := range []types.JID{number, hidden} {
			for _, m := range []string{"M1", "M2"} {
				if got, _, err := dev.MsgSecrets.GetMessageSecret(ctx, id, number, m); err != nil || string(got) != "message secret" {
					t.Errorf("the secret of %s in %s is %q, %v", m, id, got, err)
				}
			}
			if got, err := dev.PrivacyTokens.GetPrivacyToken(ctx, id); err != nil || string(got.Token) != "token" {
				t.Errorf("the token of %s is %+v, %v", id, got, err)
			}
		}
		must(dev.NCTSalt.PutNCTSalt(ctx, []byte("salt")))
		if got, err := dev.NCTSalt.GetNCTSalt(ctx); err != nil || string(got) != "salt" {
			t.Errorf("the salt is %q, %v", got, err)
		}
		must(dev.NCTSalt.DeleteNCTSalt(ctx))
		if got, err := dev.NCTSalt.GetNCTSalt(ctx); err != nil || got != nil {
			t.Errorf("a salt that is not there is %q, %v", got, err)
		}
		if n, err := dev.PrivacyTokens.DeleteExpiredPrivacyTokens(ctx, time.Unix(6, 0)); err != nil || n != 1 {
			t.Errorf("%d expired tokens, %v", n, err)
		}
		must(dev.EventBuffer.AddOutgoingEvent(ctx, number, "M3", "wa", []byte("a message")))
		for _, ids := range [][2]types.JID{{number, hidden}, {hidden, number}, {number, types.EmptyJID}} {
			if format, got, err := dev.EventBuffer.GetOutgoingEvent(ctx, ids[0], ids[1], "M3"); err != nil || format != "wa" || string(got) != "a message" {
				t.Errorf("what was sent is %s %q, %v", format, got, err)
			}
		}
		for i := range 2 {
			id := []byte{0xff, byte(i)}
			must(dev.AppStateKeys.PutAppStateSyncKey(ctx, id, store.AppStateSyncKey{Data: []byte{'k', byte(i)}, Timestamp: int64(i), Fingerprint: []byte("f")}))
		}
		if all, err := dev.AppStateKeys.GetAllAppStateSyncKeys(ctx); err != nil || len(all) != 2 || string(all[0].Data) != "k\x01" || all[1].Timestamp != 0 {
			t.Errorf("the keys of the app state are %+v, %v", all, err)
		}
		dev.CompanionMetaNonce = "a secret of the history"
		must(dev.Save(ctx))
		if again, err := c.device(ctx, *dev.ID); err != nil || again.CompanionMetaNonce != dev.CompanionMetaNonce {
			t.Errorf("the secret of the history: %+v, %v", again, err)
		}
		var stored string
		if err := db.QueryRowContext(ctx, "SELECT companion_meta_nonce FROM whatsmeow_device").Scan(&stored); err != nil || strings.Contains(stored, "secret") || stored == "" {
			t.Errorf("the database has %q, %v", stored, err)
		}
		if got, _, err := dev.MsgSecrets.GetMessageSecret(ctx, number, number, "none"); err != nil || got != nil {
			t.Errorf("a secret that is not there is %q, %v", got, err)
		}

		checkBuffer(t, dev)
		checkPreKeys(t, c, dev)

		// somebody else moves a value
		other := storedDevice(t, c, "79990001133")
		must(exec(ctx, db, "INSERT INTO whatsmeow_sessions (our_jid, their_id, session) SELECT '"+other.ID.String()+"', their_id, session FROM whatsmeow_sessions"))
		must(exec(ctx, db, "INSERT INTO whatsmeow_sessions (our_jid, their_id, session) SELECT our_jid, 'x:1', session FROM whatsmeow_sessions WHERE our_jid = '"+dev.ID.String()+"'"))
		if got, err := other.Sessions.GetSession(ctx, moved); !errors.Is(err, seal.ErrDamaged) {
			t.Errorf("a session of another device is %q, %v", got, err)
		}
		if got, err := dev.Sessions.GetManySessions(ctx, []string{"x:1"}); !errors.Is(err, seal.ErrDamaged) {
			t.Errorf("a session of another address is %q, %v", got, err)
		}
		must(exec(ctx, db, "UPDATE whatsmeow_device SET adv_key = (SELECT d.adv_key FROM whatsmeow_device d WHERE d.jid = '"+dev.ID.String()+"')"))
		if got, err := c.device(ctx, *other.ID); !errors.Is(err, seal.ErrDamaged) {
			t.Errorf("a device with the keys of another is %v, %v", got, err)
		}
		if got, err := open(parseKeys(seal.New())).device(ctx, *dev.ID); !errors.Is(err, seal.ErrUnknownKey) {
			t.Errorf("a device opens with another key: %v, %v", got, err)
		}

		must(dev.NCTSalt.PutNCTSalt(ctx, []byte("salt")))
		must(dev.PrivacyTokens.PutPrivacyTokens(ctx, store.PrivacyToken{User: hidden, Token: []byte("token"), Timestamp: time.Now(), SenderTimestamp: time.Unix(7, 0)}))
		must(dev.Delete(ctx))
		heir := storedDevice(t, c, "79990001122")
		if got, err := heir.NCTSalt.GetNCTSalt(ctx); err != nil || string(got) != "salt" {
			t.Errorf("the next device of the account has the salt %q, %v", got, err)
		}
		if got, err := heir.PrivacyTokens.GetPrivacyToken(ctx, number); err != nil || got == nil || string(got.Token) != "token" || got.SenderTimestamp.Unix() != 7 {
			t.Errorf("the next device of the account has the token %+v, %v", got, err)
		}
		if got, err := storedDevice(t, c, "79990001144").PrivacyTokens.GetPrivacyToken(ctx, number); err != nil || got != nil {
			t.Errorf("another account has the token %+v, %v", got, err)
		}
		must(heir.Delete(ctx))
		var left int
		if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM whatsapp_pre_keys").Scan(&left); err != nil || left > 0 {
			t.Errorf("%d one-time keys of a deleted device, %v", left, err)
		}
	})
}

func exec(ctx context.Context, db *sql.DB, statement string) error {
	_, err := db.ExecContext(ctx, statement)
	return err
}

// storedDevice returns a device of the account that was stored, as pairing stores it.
func storedDevice(t *testing.T, c *container, phone string) *store.Device {
	t.Helper()
	dev := c.newDevice()
	id := types.NewADJID(phone, 0, 7)
	dev.ID = &id
	dev.Account = &waAdv.ADVSignedDeviceIdentity{
		Details: []byte("details"), AccountSignature: make([]byte, 64), AccountSignatureKey: make([]byte, 32), DeviceSignature: make([]byte, 64),
	}
	if err := dev.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := c.device(t.Context(), id)
	if err != nil || *again.NoiseKey.Priv != *dev.NoiseKey.Priv || *again.IdentityKey.Pub != *dev.IdentityKey.Pub ||
		*again.SignedPreKey.Priv != *dev.SignedPreKey.Priv || !bytes.Equal(again.AdvSecretKey, dev.AdvSecretKey) {
		t.Fatalf("the device is not what was stored: %v", err)
	}
	return dev
}

func checkBuffer(t *testing.T, dev *store.Device) {
	t.Helper()
	ctx, sum := t.Context(), [32]byte{0, 0xff, 3}
	if err := dev.EventBuffer.PutBufferedEvent(ctx, sum, []byte("plaintext"), time.Unix(9, 0)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"plaintext", ""} {
		e, err := dev.EventBuffer.GetBufferedEvent(ctx, sum)
		if err != nil || string(e.Plaintext) != want || (e.Plaintext == nil) != (want == "") || e.ServerTime.Unix() != 9 {
			t.Errorf("the event is %+v, %v; want %q", e, err, want)
		}
		if err := dev.EventBuffer.ClearBufferedEventPlaintext(ctx, sum); err != nil {
			t.Fatal(err)
		}
	}
	if e, err := dev.EventBuffer.GetBufferedEvent(ctx, [32]byte{}); e != nil || err != nil {
		t.Errorf("an event that is not there is %+v, %v", e, err)
	}
}

func checkPreKeys(t *testing.T, c *container, dev *store.Device) {
	t.Helper()
	ctx := t.Context()
	list, err := dev.PreKeys.GetOrGenPreKeys(ctx, 3)
	if err != nil || len(list) != 3 || list[0].KeyID != 1 || list[2].KeyID != 3 {
		t.Fatalf("%v, %v", list, err)
	}
	one, err := dev.PreKeys.GenOnePreKey(ctx)
	if err != nil || one.KeyID != 4 {
		t.Errorf("%v, %v", one, err)
	}
	again, err := c.device(ctx, *dev.ID)
	if err != nil {
		t.Fatal(err)
	}
	same, err := again.PreKeys.GetOrGenPreKeys(ctx, 4)
	if err != nil || len(same) != 4 || *same[0].Priv != *list[0].Priv || same[3].KeyID != 5 {
		t.Errorf("%v, %v", same, err)
	}
	if k, err := again.PreKeys.GetPreKey(ctx, 4); err != nil || *k.Priv != *one.Priv {
		t.Errorf("%v, %v", k, err)
	}
	if err := errors.Join(dev.PreKeys.MarkPreKeysAsUploaded(ctx, 2), dev.PreKeys.RemovePreKey(ctx, 2)); err != nil {
		t.Fatal(err)
	}
	if n, err := dev.PreKeys.UploadedPreKeyCount(ctx); err != nil || n != 2 { // 1 and 4
		t.Errorf("%d, %v", n, err)
	}
	if k, err := dev.PreKeys.GetPreKey(ctx, 2); k != nil || err != nil {
		t.Errorf("a removed key is %v, %v", k, err)
	}
}
