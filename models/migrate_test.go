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

func TestMigrateRefusesNewerDatabase(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		if err := models.PretendVersion(t.Context(), store, 999); err != nil {
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
