package testdb

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"chatcast/models"
)

// Contents returns the rows of each table as text, to compare two states of a database.
func Contents(t testing.TB, store *models.Store) map[string]string {
	t.Helper()
	db, dialect, err := store.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	query := func(text string) (found [][]any) {
		t.Helper()
		rows, err := db.QueryContext(t.Context(), text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row, to := make([]any, len(columns)), make([]any, len(columns))
			for i := range row {
				to[i] = &row[i]
			}
			if err := rows.Scan(to...); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			found = append(found, row)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return found
	}
	names := "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'"
	if dialect == "postgres" {
		names = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"
	}
	contents := map[string]string{}
	for _, name := range query(names) {
		var lines []string
		for _, row := range query(fmt.Sprintf("SELECT * FROM %s", name[0])) {
			lines = append(lines, fmt.Sprintf("%q", row))
		}
		slices.Sort(lines)
		contents[fmt.Sprint(name[0])] = strings.Join(lines, "\n")
	}
	return contents
}

// Changed lists the tables in which two Contents differ.
func Changed(before, after map[string]string) (tables []string) {
	all := maps.Clone(before)
	maps.Copy(all, after)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if before[name] != after[name] {
			tables = append(tables, name)
		}
	}
	return tables
}
