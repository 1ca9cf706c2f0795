package models_test

import (
	"path/filepath"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// A database of before the index of searches is not indexed by the migration, which would
// take minutes with a million chats: names and messages wait. Names are found as they are
// written until FoldOld has folded them.
func TestMigrateLeavesIndexing(t *testing.T) {
	eachEmpty(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		oldNames(t, store, 16, 1100)
		err := store.Exec(ctx, `INSERT INTO messages (id, chat_id, external_id, from_me, from_api, time, type, content, author, created_at)
			SELECT 77, MAX(id), 'A', FALSE, FALSE, 0, 'text', '{}', '{}', 0 FROM chats`)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		tx := store.Read(ctx)
		if waiting, err := tx.UnindexedMessages(); err != nil || waiting != 77 {
			t.Errorf("messages up to %d wait for the index, %v, want 77", waiting, err)
		}
		if some, err := tx.UnfoldedNames(); err != nil || !some {
			t.Errorf("names wait: %v, %v", some, err)
		}
		found(t, store, "before", map[string]int{"Ёж": 1100, "7999": 1100, "+7 (999) 12": 1100, "79-99": 0, "hedgehog ёж": 0, "HEDGEHOG Ёж": 1100, "еж": 0, "%": 0}, "tomás", 1)

		err = store.Tx(ctx, func(tx *models.Tx) error { // somebody renames a chat meanwhile
			chats, err := tx.Chats(models.ChatFilter{ViewerID: 685, Limit: 1})
			if err != nil {
				return err
			}
			chats[0].Name = "Tomás"
			return tx.SaveChat(&chats[0])
		})
		if err != nil {
			t.Fatal(err)
		}
		rounds := foldOld(t, store)
		if rounds != 4 { // 500 chats, 500, 100, and the contact
			t.Errorf("%d rounds", rounds)
		}
		found(t, store, "after", map[string]int{"еж": 1099, "tomas": 1, "7 999 12": 1100, "hedgehog ёж": 1099}, "tomas", 1)
	})
}

// Version 18 was a migration that folded names itself. What it has done stays, and what is
// not done is done later.
func TestMigrateFromVersion18(t *testing.T) {
	eachEmpty(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		oldNames(t, store, 17, 3)
		if err := store.Exec(ctx, "UPDATE chats SET folded = 'as it was' WHERE external_id <> '1'"); err != nil {
			t.Fatal(err)
		}
		if err := store.PretendVersion(ctx, 18); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := store.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
		}
		foldOld(t, store)
		found(t, store, "after", map[string]int{"as it was": 2, "еж": 1}, "tomas", 1)
	})
}

// oldNames fills a database of this version with a contact, Tomás, and with chats.
func oldNames(t *testing.T, store *models.Store, version int64, chats int) {
	t.Helper()
	ctx := t.Context()
	if err := store.MigrateTo(ctx, version); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`INSERT INTO companies (id, name, created_at) VALUES (1, 'old', 0)`,
		`INSERT INTO users (id, email, name, password_hash, company_id, created_at) VALUES (685, 'a', 'A', '', 1, 0)`,
		`INSERT INTO employees (company_id, user_id, role, created_at) VALUES (1, 685, 'owner', 0)`,
		`INSERT INTO licenses (id, company_id, name, created_at) VALUES (2, 1, 'old', 0)`,
		`INSERT INTO messengers (license_id, type, name, created_at) VALUES (2, 'telegram', 'old', 0)`,
		`INSERT INTO contacts (license_id, messenger_type, external_id, name, created_at) VALUES (2, 'telegram', '5', 'Tomás', 0)`,
	} {
		if err := store.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	err := store.Exec(ctx, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST(? AS INTEGER))
		INSERT INTO chats (company_id, license_id, messenger_type, external_id, hash, type, phone, name, last_time, created_at)
		SELECT 1, 2, 'telegram', CAST(i AS TEXT), 'h', 'private', '79991234', 'Hedgehog Ёж', 0, 0 FROM n`, chats)
	if err != nil {
		t.Fatal(err)
	}
}

// found compares how many chats and contacts searches find.
func found(t *testing.T, store *models.Store, when string, chats map[string]int, contact string, contacts int) {
	t.Helper()
	tx := store.Read(t.Context())
	for search, want := range chats {
		list, err := tx.Chats(models.ChatFilter{ViewerID: 685, Search: search, Limit: 2000})
		if err != nil || len(list) != want {
			t.Errorf("%s: %q finds %d chats, %v, want %d", when, search, len(list), err, want)
		}
	}
	list, err := tx.Contacts(models.ContactFilter{LicenseID: 2, MessengerType: "telegram", Search: contact, Limit: 9})
	if err != nil || len(list) != contacts {
		t.Errorf("%s: %q finds %d contacts, %v, want %d", when, contact, len(list), err, contacts)
	}
}

// foldOld calls FoldOld until nothing is left, and returns how often.
func foldOld(t *testing.T, store *models.Store) (rounds int) {
	t.Helper()
	for more := true; more; rounds++ {
		err := store.Tx(t.Context(), func(tx *models.Tx) (err error) {
			more, err = tx.FoldOld(500)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if some, err := store.Read(t.Context()).UnfoldedNames(); err != nil || some {
		t.Errorf("names wait: %v, %v", some, err)
	}
	return rounds
}

// eachEmpty runs the test on both databases, without tables.
func eachEmpty(t *testing.T, test func(t *testing.T, store *models.Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, testdb.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "old.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, testdb.Open(t, testdb.EmptyPostgresURL(t))) })
}
