package models_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/models"
	"chatcast/models/testdb"
)

func TestMigrateTwiceChangesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		for range 2 {
			if err := store.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := store.Read(t.Context()).JournalBounds(); err != nil {
			t.Errorf("the journal after migrating again: %v", err)
		}
	})
}

func TestMigrateTogether(t *testing.T) {
	const nodes = 4
	url := testdb.EmptyPostgresURL(t)
	var g errgroup.Group
	for range nodes {
		store := testdb.Open(t, url)
		g.Go(func() error { return store.Migrate(t.Context()) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

// A database of version 5 has a table that no code uses. The migration drops it,
// whatever it contains, and keeps the rest.
func TestMigrateFromVersion5(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "old.db") },
		"postgres": func(t *testing.T) string { return testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, store := t.Context(), testdb.Open(t, url(t))
			if err := store.MigrateTo(ctx, 5); err != nil {
				t.Fatal(err)
			}
			for _, sql := range []string{
				`INSERT INTO companies (id, name, created_at) VALUES (1, 'old', 0)`,
				`INSERT INTO licenses (id, company_id, name, created_at) VALUES (2, 1, 'old', 0)`,
				`INSERT INTO messengers (license_id, type, name, created_at) VALUES (2, 'telegram', 'old', 0)`,
				`INSERT INTO webhook_endpoints (company_id, license_id, messenger_type, url, events, secret, created_at) VALUES (1, 2, 'telegram', 'https://x.example', '[]', 's', 0)`,
			} {
				if err := store.Exec(ctx, sql); err != nil {
					t.Fatal(err)
				}
			}
			if err := store.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			if err := store.Exec(ctx, "DELETE FROM webhook_endpoints"); err == nil {
				t.Error("webhook_endpoints is still there")
			}
			if _, err := store.Read(ctx).License(2); err != nil {
				t.Errorf("the licence: %v", err)
			}
		})
	}
}

// Before version 10 owners and admins chose the passwords of everybody but the first
// user. The migration marks them.
func TestMigrateMarksKnownPasswords(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "old.db") },
		"postgres": func(t *testing.T) string { return testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, store := t.Context(), testdb.Open(t, url(t))
			if err := store.MigrateTo(ctx, 9); err != nil {
				t.Fatal(err)
			}
			for _, sql := range []string{
				`INSERT INTO companies (id, name, created_at) VALUES (1, 'old', 0)`,
				`INSERT INTO users (id, email, name, password_hash, company_id, created_at) VALUES (685, 'a', 'A', '', 1, 0), (686, 'b', 'B', '', 1, 0)`,
			} {
				if err := store.Exec(ctx, sql); err != nil {
					t.Fatal(err)
				}
			}
			if err := store.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			for id, want := range map[int64]bool{685: false, 686: true} {
				if u, err := store.Read(ctx).UserByID(id); err != nil || u.PasswordKnown != want {
					t.Errorf("user %d: %+v, %v, want %v", id, u, err, want)
				}
			}
		})
	}
}

// Before version 16 every line that was not paired was a bridge. Those with messages
// stay bridges.
func TestMigrateKeepsBridges(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "old.db") },
		"postgres": func(t *testing.T) string { return testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, store := t.Context(), testdb.Open(t, url(t))
			if err := store.MigrateTo(ctx, 12); err != nil {
				t.Fatal(err)
			}
			for _, sql := range []string{
				`INSERT INTO companies (id, name, created_at) VALUES (1, 'old', 0)`,
				`INSERT INTO licenses (id, company_id, name, created_at) VALUES (2, 1, 'old', 0)`,
				`INSERT INTO messengers (license_id, type, name, created_at) VALUES (2, 'telegram', 'old', 0), (2, 'viber', 'old', 0), (2, 'grWhatsApp', 'old', 0)`,
				`INSERT INTO chats (id, company_id, license_id, messenger_type, external_id, hash, type, name, status, last_time, created_at)
					VALUES (3, 1, 2, 'telegram', '7', 'h1', 'private', 'Ann', 'open', 0, 0), (4, 1, 2, 'viber', '7', 'h2', 'private', 'Ann', 'open', 0, 0)`,
				`INSERT INTO messages (chat_id, external_id, from_me, from_api, time, type, content, author, created_at) VALUES (3, 'A1', FALSE, FALSE, 0, 'text', '{}', '{}', 0)`,
			} {
				if err := store.Exec(ctx, sql); err != nil {
					t.Fatal(err)
				}
			}
			if err := store.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			lines, err := store.Read(ctx).MessengersOf([]int64{2})
			if err != nil || len(lines) != 3 {
				t.Fatalf("%+v, %v", lines, err)
			}
			for _, l := range lines {
				if l.Bridge != (l.Type == "telegram") {
					t.Errorf("%s is a bridge: %v", l.Type, l.Bridge)
				}
			}
		})
	}
}

func TestMigrateRefusesNewerDatabase(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		if err := store.PretendVersion(t.Context(), 999); err != nil {
			t.Fatal(err)
		}
		err := store.Migrate(t.Context())
		if !errors.Is(err, models.ErrNewerDatabase) {
			t.Fatalf("err = %v, want ErrNewerDatabase", err)
		}
		if !strings.Contains(err.Error(), "999") {
			t.Errorf("the error does not name the version: %v", err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	for name, url := range map[string]string{
		"no scheme":         "chatcast.db",
		"another scheme":    "mysql://localhost/chatcast",
		"no file":           "sqlite:",
		"a folder":          "sqlite:" + t.TempDir(),
		"no database there": "postgres:///none?host=" + filepath.Join(t.TempDir(), "nowhere"),
	} {
		t.Run(name, func(t *testing.T) {
			store, err := models.Open(t.Context(), url)
			if err == nil {
				store.Close()
				t.Fatal("opened")
			}
			if strings.Contains(err.Error(), "panic") {
				t.Error(err)
			}
		})
	}
}

func TestSQLitePathIsTakenAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=memory#c%41.db")
	store := testdb.Open(t, "sqlite:"+path)
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := filepath.Glob(filepath.Join(filepath.Dir(path), "a b*c%41.db")); err != nil || len(found) != 1 {
		t.Errorf("files = %q, %v: the database is elsewhere", found, err)
	}
}

func TestCreateNamesTheConstraint(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		create := func(row any) error {
			return store.Tx(t.Context(), func(tx *models.Tx) error { return tx.Insert(row) })
		}
		for name, c := range map[string]struct {
			row  any
			want error
		}{
			"sound":             {&models.Company{ID: 1, Name: "a"}, nil},
			"the key exists":    {&models.Setting{Name: "twice", Value: "2"}, models.ErrDuplicate},
			"unique column":     {&models.User{Email: "a@example.com"}, models.ErrDuplicate},
			"missing reference": {&models.License{CompanyID: 77, Name: "a"}, models.ErrReference},
		} {
			t.Run(name, func(t *testing.T) {
				switch c.want {
				case models.ErrDuplicate:
					first := map[string]any{"the key exists": &models.Setting{Name: "twice", Value: "1"}, "unique column": &models.User{Email: "a@example.com"}}
					if err := create(first[name]); err != nil {
						t.Fatal(err)
					}
				}
				if err := create(c.row); !errors.Is(err, c.want) {
					t.Errorf("err = %v, want %v", err, c.want)
				}
			})
		}
	})
}

func TestBumpIdentity(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		err := store.Tx(t.Context(), func(tx *models.Tx) error {
			if err := tx.Insert(&models.Company{ID: 1, Name: "chosen"}); err != nil {
				return err
			}
			return tx.BumpIdentity("companies")
		})
		if err != nil {
			t.Fatal(err)
		}
		drawn := &models.Company{Name: "drawn"}
		if err := store.Tx(t.Context(), func(tx *models.Tx) error { return tx.Insert(drawn) }); err != nil {
			t.Fatal(err)
		}
		if drawn.ID <= 1 {
			t.Errorf("drawn id %d collides with the chosen 1", drawn.ID)
		}
	})
}

// A process that does not serve migrates no database under a server of another version,
// and waits for none of its own version.
func TestMigrateUnlessServed(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "old.db") },
		"postgres": func(t *testing.T) string { return testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, url := t.Context(), url(t)
			server, command := testdb.Open(t, url), testdb.Open(t, url)
			if err := errors.Join(server.MigrateTo(ctx, 12), server.Lock(ctx)); err != nil {
				t.Fatal(err)
			}
			before := testdb.Contents(t, server)
			err := command.MigrateUnlessServed(ctx)
			if !errors.Is(err, models.ErrServedOlder) || !strings.Contains(err.Error(), "version 12") {
				t.Errorf("under an older server: %v", err)
			}
			if changed := testdb.Changed(before, testdb.Contents(t, server)); len(changed) > 0 {
				t.Errorf("a refused migration has changed %v", changed)
			}
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
			if err := command.MigrateUnlessServed(ctx); err != nil {
				t.Errorf("without a server: %v", err)
			}
			server = testdb.Open(t, url)
			if err := server.Lock(ctx); err != nil {
				t.Errorf("a server after the command: %v", err)
			}
			if err := command.MigrateUnlessServed(ctx); err != nil {
				t.Errorf("beside a server of the same version: %v", err)
			}
			if err := server.PretendVersion(ctx, 999); err != nil {
				t.Fatal(err)
			}
			if err := command.MigrateUnlessServed(ctx); !errors.Is(err, models.ErrNewerDatabase) {
				t.Errorf("of a newer version: %v", err)
			}
		})
	}
}
