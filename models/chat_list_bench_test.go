package models_test

import (
	"strings"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// fillWithChats gives a line so many chats. Of each thousand one has the tag 1, is closed,
// or is of user 2; all but one in a hundred are of user 3. User 4 is an accomplice in one of
// a thousand, and sees only their own. Half of the chats have the tag 2.
func fillWithChats(t testing.TB, store *models.Store, chats int) {
	t.Helper()
	series := "generate_series(1, @chats) AS s (i)"
	if !store.Postgres() {
		series = "(WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < @chats) SELECT i FROM s) AS s"
	}
	for _, sql := range []string{
		`INSERT INTO companies (id, name, created_at) VALUES (1, 'c', 0)`,
		`INSERT INTO users (id, email, name, password_hash, created_at) VALUES (1, 'u1', 'U', '', 0), (2, 'u2', 'U', '', 0), (3, 'u3', 'U', '', 0), (4, 'u4', 'U', '', 0)`,
		`INSERT INTO employees (company_id, user_id, role, only_mine, created_at) VALUES (1, 1, 'owner', FALSE, 0), (1, 2, 'operator', FALSE, 0), (1, 3, 'operator', FALSE, 0), (1, 4, 'operator', TRUE, 0)`,
		`INSERT INTO licenses (id, company_id, name, created_at) VALUES (1, 1, 'l', 0)`,
		`INSERT INTO messengers (license_id, type, name, created_at) VALUES (1, 'telegram', 'm', 0)`,
		`INSERT INTO employee_licenses (user_id, license_id) VALUES (2, 1), (3, 1), (4, 1)`,
		`INSERT INTO tags (id, company_id, name, color) VALUES (1, 1, 'rare', '#fff'), (2, 1, 'common', '#fff')`,
		`INSERT INTO chats (company_id, license_id, messenger_type, external_id, hash, type, name, folded, status, responsible_id, unread, last_time, created_at)
			SELECT 1, 1, 'telegram', s.i, 'h', 'private', 'Customer ' || s.i, 'customer ' || s.i || CHR10 || (79990000000 + s.i),
			CASE WHEN s.i % 1000 = 1 THEN 'close' ELSE 'open' END,
			CASE WHEN s.i % 1000 = 2 THEN 2 WHEN s.i % 100 = 3 THEN NULL ELSE 3 END,
			CASE WHEN s.i % 1000 = 4 THEN 1 ELSE 0 END, s.i, 0 FROM ` + series,
		`INSERT INTO chat_tags (chat_id, tag_id) SELECT id, 1 FROM chats WHERE last_time % 1000 = 5`,
		`INSERT INTO chat_tags (chat_id, tag_id) SELECT id, 2 FROM chats WHERE last_time % 2 = 0`,
		`INSERT INTO chat_members (chat_id, user_id, part) SELECT id, 4, 'accomplice' FROM chats WHERE last_time % 1000 = 6`,
	} {
		newline := "CHAR(10)"
		if store.Postgres() {
			newline = "CHR(10)"
		}
		var args []any
		if strings.Contains(sql, "@chats") {
			args = []any{map[string]any{"chats": chats}}
		}
		if err := store.Exec(t.Context(), strings.ReplaceAll(sql, "CHR10", newline), args...); err != nil {
			t.Fatal(err)
		}
	}
	analyze(t, store)
}

// analyze makes statistics for the planner. SQLite's other connections read them when the
// schema changes.
func analyze(t testing.TB, store *models.Store) {
	t.Helper()
	for _, sql := range []string{"ANALYZE", "CREATE TABLE analyzed (id BIGINT)", "DROP TABLE analyzed"} {
		if err := store.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

// chatLists are the lists that people ask for.
func chatLists() map[string]models.ChatFilter {
	of := func(edit func(*models.ChatFilter)) models.ChatFilter {
		f := models.ChatFilter{ViewerID: 1, LicenseID: 1, MessengerType: "telegram", Limit: 21}
		edit(&f)
		return f
	}
	user, yes := int64(2), true
	return map[string]models.ChatFilter{
		"newest":       of(func(*models.ChatFilter) {}),
		"next page":    of(func(f *models.ChatFilter) { f.After = &models.TimeKey{Time: 500, ID: 1 << 40} }),
		"rare tag":     of(func(f *models.ChatFilter) { f.TagID = 1 }),
		"common tag":   of(func(f *models.ChatFilter) { f.TagID = 2 }),
		"closed":       of(func(f *models.ChatFilter) { f.Status = models.ChatClose }),
		"own chats":    of(func(f *models.ChatFilter) { f.ResponsibleID = &user }),
		"nobody's":     of(func(f *models.ChatFilter) { f.NoResponsible = true }),
		"unread":       of(func(f *models.ChatFilter) { f.Unread = &yes }),
		"search":       of(func(f *models.ChatFilter) { f.Search = "customer" }),
		"no hit":       of(func(f *models.ChatFilter) { f.Search = "nobody is called so" }),
		"only mine":    of(func(f *models.ChatFilter) { f.ViewerID, f.OnlyMine = 4, true }),
		"mine, no hit": of(func(f *models.ChatFilter) { f.ViewerID, f.OnlyMine, f.Search = 4, true, "nobody" }),
	}
}

// BenchmarkChats measures the first page of each list of a line with 50,000 chats.
func BenchmarkChats(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": testdb.SQLiteURL, "postgres": testdb.PostgresURL} {
		store := testdb.Open(b, url(b))
		fillWithChats(b, store, 50_000)
		for what, f := range chatLists() {
			b.Run(name+"/"+what, func(b *testing.B) {
				for b.Loop() {
					if _, err := store.Read(b.Context()).Chats(f); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
