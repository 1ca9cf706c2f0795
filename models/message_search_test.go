package models_test

import (
	"path/filepath"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// TestIndexKeepsCompaniesApart indexes the same texts in three companies. Each entry of the
// index, which a search reads as a whole, names messages of one of them.
func TestIndexKeepsCompaniesApart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		const each = 50 // messages of a company
		fillForSearch(t, store, 3, 3*each)
		entries := "SELECT word, ndoc FROM ts_stat('SELECT words FROM message_search') ORDER BY word"
		if !store.Postgres() {
			if err := store.Exec(t.Context(), "CREATE VIRTUAL TABLE entries USING fts5vocab (message_search, 'row')"); err != nil {
				t.Fatal(err)
			}
			entries = "SELECT term AS word, doc AS ndoc FROM entries ORDER BY term"
		}
		var list []struct {
			Word string
			Ndoc int
		}
		if err := store.Scan(t.Context(), &list, entries); err != nil || len(list) < 3*each {
			t.Fatal(list, err)
		}
		for _, entry := range list {
			if entry.Ndoc > each {
				t.Errorf("the entry %q names %d messages; a company has %d", entry.Word, entry.Ndoc, each)
			}
		}
		if n := len(searchIn(t, store, 2, "заказ")); n != each {
			t.Errorf("%d messages are found, want %d", n, each)
		}
	})
}

// searchIn searches as the owner of a company of fillForSearch.
func searchIn(t testing.TB, store *models.Store, company int64, search string) []*models.Message {
	t.Helper()
	rows, err := store.Read(t.Context()).SearchMessages(models.MessageFilter{
		ViewerID: company, LicenseID: company, MessengerType: "telegram", Words: models.SearchWords(search), Limit: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Version 20 changed the words of the index. All messages are indexed again, and are not
// found by their old words.
func TestMigrateIndexesAgain(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "old.db") },
		"postgres": func(t *testing.T) string { return testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			url := url(t)
			ctx, store := t.Context(), testdb.Open(t, url)
			if err := store.MigrateTo(ctx, 19); err != nil {
				t.Fatal(err)
			}
			fillForSearch(t, store, 1, 10)
			old := "INSERT INTO message_search (rowid, words) SELECT id, 'altwort' FROM messages"
			if store.Postgres() {
				old = "UPDATE message_search SET words = array_to_tsvector('{altwort}')"
			} else if err := store.Exec(ctx, "DELETE FROM message_search"); err != nil {
				t.Fatal(err)
			}
			if err := store.Exec(ctx, old); err != nil {
				t.Fatal(err)
			}
			if err := store.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			store = testdb.Open(t, url) // as the next start of the server does: queries of before are prepared
			if waiting, err := store.Read(ctx).UnindexedMessages(); err != nil || waiting != 10 {
				t.Errorf("messages up to %d wait for the index, %v, want 10", waiting, err)
			}
			if n, err := store.Read(ctx).Indexed(); err != nil || n != 0 {
				t.Errorf("%d messages have old words, %v", n, err)
			}
			indexAll(t, store)
			if n := len(searchIn(t, store, 1, "заказ")); n != 10 {
				t.Errorf("%d messages are found, want 10", n)
			}
		})
	}
}
