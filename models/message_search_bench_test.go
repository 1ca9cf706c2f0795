package models_test

import (
	"strings"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// fillForSearch gives each of the companies 1, 2, … a licence of the same number with 50
// chats and an equal part of the messages. All say "заказ", and the k-th of a company
// "n" and k modulo 1000.
func fillForSearch(t testing.TB, store *models.Store, companies, messages int) {
	t.Helper()
	series := func(from string) string { return "generate_series(1, " + from + ") AS s (i)" }
	text := `'{"text":"заказ номер n' || (((s.i-1) / (@companies * 50) * 50 + (s.i-1) % 50) % 1000) || ' готов, можно забрать сегодня вечером"}'`
	if !store.Postgres() {
		series = func(to string) string {
			return "(WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < " + to + ") SELECT i FROM s) AS s"
		}
	}
	for _, sql := range []string{
		`INSERT INTO companies (id, name, created_at) SELECT s.i, 'c', 0 FROM ` + series("@companies"),
		`INSERT INTO users (id, email, name, password_hash, company_id, created_at) SELECT s.i, 'u' || s.i, 'U', '', s.i, 0 FROM ` + series("@companies"),
		`INSERT INTO employees (company_id, user_id, role, created_at) SELECT s.i, s.i, 'owner', 0 FROM ` + series("@companies"),
		`INSERT INTO licenses (id, company_id, name, created_at) SELECT s.i, s.i, 'l', 0 FROM ` + series("@companies"),
		`INSERT INTO messengers (license_id, type, name, created_at) SELECT s.i, 'telegram', 'm', 0 FROM ` + series("@companies"),
		`INSERT INTO chats (id, company_id, license_id, messenger_type, external_id, hash, type, name, last_time, created_at)
			SELECT s.i, 1 + (s.i-1) / 50, 1 + (s.i-1) / 50, 'telegram', s.i, 'h', 'private', 'n', 0, 0 FROM ` + series("@companies * 50"),
		`INSERT INTO messages (chat_id, external_id, from_me, from_api, time, type, content, author, created_at)
			SELECT 1 + (s.i-1) % (@companies * 50), s.i, FALSE, FALSE, s.i, 'text', ` + text + `, '{}', 0 FROM ` + series("@messages"),
	} {
		if err := store.Exec(t.Context(), sql, map[string]any{"companies": companies, "messages": messages}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Tx(t.Context(), (*models.Tx).Reindex); err != nil {
		t.Fatal(err)
	}
	indexAll(t, store)
}

// indexAll indexes the messages that wait for it.
func indexAll(t testing.TB, store *models.Store) {
	t.Helper()
	for more := true; more; {
		err := store.Tx(t.Context(), func(tx *models.Tx) (err error) {
			more, err = tx.IndexOld(1000, func(m *models.Message) string { return strings.Trim(m.Content, `{}"`) })
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkSearchAmongCompanies measures the first page of a search by one of a hundred
// companies, each with 2,000 messages: for a word that is in all of them, and for one that
// is in two of each company.
func BenchmarkSearchAmongCompanies(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": testdb.SQLiteURL, "postgres": testdb.PostgresURL} {
		store := testdb.Open(b, url(b))
		fillForSearch(b, store, 100, 200_000)
		search := func(b *testing.B) {
			for _, word := range []string{"заказ", "n777"} {
				b.Run(word, func(b *testing.B) {
					for b.Loop() {
						f := models.MessageFilter{ViewerID: 7, LicenseID: 7, MessengerType: "telegram", Words: models.SearchWords(word), Limit: 51}
						if rows, err := store.Read(b.Context()).SearchMessages(f); err != nil || len(rows) < 2 {
							b.Fatal(len(rows), err)
						}
					}
				})
			}
		}
		b.Run(name, search)
		analyze(b, store)
		b.Run(name+"/analysed", search)
	}
}
