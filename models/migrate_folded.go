package models

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

// goMigrations are the migrations that SQL cannot do.
func goMigrations(postgres bool) []*goose.Migration {
	foldNames := func(ctx context.Context, tx *sql.Tx) error {
		for _, table := range []string{"chats", "contacts"} {
			if err := foldTable(ctx, tx, postgres, table); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		return nil
	}
	return []*goose.Migration{goose.NewGoMigration(18, &goose.GoFunc{RunTx: foldNames}, nil)}
}

// foldTable fills the column folded of the rows that were there before it.
func foldTable(ctx context.Context, tx *sql.Tx, postgres bool, table string) error {
	list := "SELECT id, name, phone, username, external_id FROM " + table + " WHERE id > ? ORDER BY id LIMIT 500"
	set := "UPDATE " + table + " SET folded = ? WHERE id = ?"
	if postgres {
		list = "SELECT id, name, phone, username, external_id FROM " + table + " WHERE id > $1 ORDER BY id LIMIT 500"
		set = "UPDATE " + table + " SET folded = $1 WHERE id = $2"
	}
	for last := int64(0); ; {
		folded, ids, err := foldRows(ctx, tx, list, last)
		if err != nil || len(ids) == 0 {
			return err
		}
		for i, id := range ids {
			if _, err := tx.ExecContext(ctx, set, folded[i], id); err != nil {
				return err
			}
		}
		last = ids[len(ids)-1]
	}
}

func foldRows(ctx context.Context, tx *sql.Tx, list string, after int64) (folded []string, ids []int64, err error) {
	rows, err := tx.QueryContext(ctx, list, after)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var name, external string
		var phone, username *string
		if err := rows.Scan(&id, &name, &phone, &username, &external); err != nil {
			return nil, nil, err
		}
		folded, ids = append(folded, foldedNames(name, phone, username, external)), append(ids, id)
	}
	return folded, ids, rows.Err()
}
