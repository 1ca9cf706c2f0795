package seal

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// rewriteRows is how many rows Rewrite reads at a time.
const rewriteRows = 500

// Rewrite replaces every value of the column, which from can open, by one that to seals.
// It reports how many there were. A value that does not open ends it with an error.
func Rewrite(ctx context.Context, tx *sql.Tx, postgres bool, c Column, from, to *Keys) (n int, err error) {
	key := strings.Join(c.Key, ", ")
	var set []string
	for i, name := range c.Key {
		set = append(set, name+" = "+Placeholder(postgres, i+2))
	}
	update := fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s", c.Table, c.Name, Placeholder(postgres, 1), strings.Join(set, " AND "))
	after, last := "", []any(nil)
	for {
		query := fmt.Sprintf("SELECT %s, %s FROM %s %s ORDER BY %s LIMIT %d", key, c.Name, c.Table, after, key, rewriteRows)
		rows, err := readRows(ctx, tx, query, len(c.Key)+1, last...)
		if err != nil {
			return n, fmt.Errorf("%s: %w", c.Table, err)
		}
		for _, row := range rows {
			changed, err := rewriteRow(ctx, tx, update, c, row, from, to)
			if err != nil {
				return n, err
			}
			n += changed
		}
		if len(rows) < rewriteRows {
			return n, nil
		}
		last = rows[len(rows)-1][:len(c.Key)]
		var places []string
		for i := range c.Key {
			places = append(places, Placeholder(postgres, i+1))
		}
		after = fmt.Sprintf("WHERE (%s) > (%s)", key, strings.Join(places, ", "))
	}
}

func rewriteRow(ctx context.Context, tx *sql.Tx, update string, c Column, row []any, from, to *Keys) (int, error) {
	last := len(row) - 1
	held := Bytes(row[last])
	if len(held) == 0 {
		return 0, nil
	}
	names := make([]string, last)
	for i, part := range row[:last] {
		names[i] = string(Bytes(part))
	}
	value, err := from.Open(c, held, names...)
	if err != nil {
		return 0, fmt.Errorf("%w, row %q", err, names)
	}
	sealed := any(to.Seal(c, value, names...))
	if c.Text {
		sealed = string(sealed.([]byte))
	}
	if _, err := tx.ExecContext(ctx, update, append([]any{sealed}, row[:last]...)...); err != nil {
		return 0, fmt.Errorf("%s: %w", c.Table, err)
	}
	return 1, nil
}

// readRows returns the rows of a query, each with this number of columns.
func readRows(ctx context.Context, tx *sql.Tx, query string, columns int, args ...any) (list [][]any, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		row, into := make([]any, columns), make([]any, columns)
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

// Placeholder returns the placeholder of the nth argument of a statement.
func Placeholder(postgres bool, n int) string {
	if postgres {
		return "$" + strconv.Itoa(n)
	}
	return "?" + strconv.Itoa(n)
}

// Bytes returns a value that was read from the database as bytes; a number in decimal.
func Bytes(v any) []byte {
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return v
	case string:
		return []byte(v)
	case int64:
		return strconv.AppendInt(nil, v, 10)
	}
	return fmt.Append(nil, v)
}
