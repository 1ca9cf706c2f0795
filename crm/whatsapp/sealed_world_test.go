package whatsapp

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.mau.fi/whatsmeow/proto/waHistorySync"
	"google.golang.org/protobuf/proto"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models/seal"
)

// plain turns the encryption of a world off.
func plain(o *Options) { o.Keys = nil }

// privateKeys returns the secrets of the line's device that do not change.
func (w *world) privateKeys(t *testing.T) map[string][]byte {
	t.Helper()
	dev := w.m.serving(testLine).client().Store
	found := map[string][]byte{
		"noise": dev.NoiseKey.Priv[:], "identity": dev.IdentityKey.Priv[:], "signed one-time key": dev.SignedPreKey.Priv[:], "pairing": dev.AdvSecretKey,
		"history": []byte(dev.CompanionMetaNonce),
	}
	for id := uint32(100); id < 103; id++ {
		k, err := dev.PreKeys.GetPreKey(t.Context(), id)
		if err != nil || k == nil {
			t.Fatalf("the one-time key %d: %v, %v", id, k, err)
		}
		found[fmt.Sprintf("one-time key %d", id)] = k.Priv[:]
	}
	return found
}

// inFiles lists which of the values are in the files of the database.
func (w *world) inFiles(t *testing.T, values map[string][]byte) (found []string) {
	t.Helper()
	var all []byte
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(w.db + suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	for name, value := range values {
		if bytes.Contains(all, value) {
			found = append(found, name)
		}
	}
	return found
}

// talk sends a message each way, and one to a group.
func (w *world) talk(t *testing.T, g *whatsapptest.Group, about string) {
	t.Helper()
	w.anna.SendText(w.shop, "in "+about)
	w.awaitText(t, "in "+about)
	w.anna.SendGroup(g, whatsapptest.Text("group "+about))
	w.awaitText(t, "group "+about)
	w.say("3EB0"+strings.ToUpper(fmt.Sprintf("%x", about)), "out "+about)
	if _, err := w.anna.AwaitText(testwait.Context(t), "out "+about); err != nil {
		t.Fatal(err)
	}
}

// A line keeps working when its keys are sealed from the start, sealed later, sealed with
// another key and unsealed. No private key is in the files while they are sealed.
func TestKeysAreSealed(t *testing.T) {
	for _, sealedFirst := range []bool{true, false} {
		t.Run(fmt.Sprint("from the start ", sealedFirst), func(t *testing.T) {
			w := newWorld(t, func(o *Options) {
				if !sealedFirst {
					plain(o)
				}
			})
			w.pair(t)
			g := w.NewGroup("Neighbours", true, w.anna, w.shop)
			w.talk(t, g, "first")
			w.shop.SendHistory(&waHistorySync.HistorySync{
				SyncType: waHistorySync.HistorySync_PUSH_NAME.Enum(), CompanionMetaNonce: proto.String("a secret of the history"),
			}, true)
			eventually(t, "the history is not imported", func() bool { return historyReceipts(w) == 1 })
			private := w.privateKeys(t)
			first, second := parseKeys(seal.New()), parseKeys(seal.New())
			check := func(what string, sealed bool) {
				t.Helper()
				if found := w.inFiles(t, private); sealed && len(found) > 0 || !sealed && len(found) != len(private) {
					t.Errorf("%s: the files have %q", what, found)
				}
			}
			check("at first", sealedFirst)
			for _, step := range []struct {
				what     string
				from, to *seal.Keys
			}{{"a key", start(sealedFirst), first}, {"another key", first, second}, {"no key", second, nil}, {"a key again", nil, first}} {
				w.stop()
				w.reseal(t, step.from, step.to)
				check(step.what, step.to != nil)
				w.start(t, func(o *Options) { o.Keys = step.to })
				w.awaitState(t, crm.StateConnected)
				w.talk(t, g, step.what)
				if now := w.privateKeys(t); fmt.Sprint(now) != fmt.Sprint(private) {
					t.Errorf("%s: the keys are others", step.what)
				}
			}
			w.sound(t)
		})
	}
}

// start returns the keys with which a world starts.
func start(sealed bool) *seal.Keys {
	if sealed {
		return testKeys
	}
	return nil
}

// forgetSalt removes the salt of the account from a world that is stopped.
func (w *world) forgetSalt(t *testing.T) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.db)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(exec(t.Context(), db, "DELETE FROM whatsmeow_nct_salt"), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// reseal rewrites the keys of a world that is stopped, as models.Store.Rewrite does.
func (w *world) reseal(t *testing.T, from, to *seal.Keys) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.db)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]int{}
	err = Reseal(t.Context(), tx, false, from, to, func(table string, rows int) { tables[table] += rows })
	if err := errors.Join(err, tx.Commit()); err != nil {
		t.Fatal(err)
	}
	if tables["whatsmeow_device"] != 1 || tables["whatsmeow_sessions"] == 0 || tables["whatsmeow_sender_keys"] == 0 || tables["whatsmeow_pre_keys"]+tables["whatsapp_pre_keys"] == 0 {
		t.Errorf("rewritten: %v", tables)
	}
	for _, statement := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}
