package models

import (
	"database/sql"
	"strconv"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"
)

// sqliteDialect is a gorm dialect for SQLite over the pure-Go driver. It is ours
// because gorm.io/driver/sqlite always builds the C library of another driver in, and
// glebarez/sqlite still uses a driver of 2023: see docs/decisions, "SQLite in pure Go".
// The migrations create the tables, so the dialect creates none.
type sqliteDialect struct{ pool *sql.DB }

var _ gorm.Dialector = sqliteDialect{}

// Name implements gorm.Dialector.
func (sqliteDialect) Name() string { return "sqlite" }

// Initialize implements gorm.Dialector.
func (d sqliteDialect) Initialize(db *gorm.DB) error {
	db.ConnPool = d.pool
	callbacks.RegisterDefaultCallbacks(db, &callbacks.Config{
		CreateClauses:        []string{"INSERT", "VALUES", "ON CONFLICT", "RETURNING"},
		UpdateClauses:        []string{"UPDATE", "SET", "FROM", "WHERE", "RETURNING"},
		DeleteClauses:        []string{"DELETE", "FROM", "WHERE", "RETURNING"},
		LastInsertIDReversed: true,
	})
	db.ClauseBuilders["FOR"] = func(clause.Clause, clause.Builder) {} // SQLite has one writer and needs no row locks
	db.ClauseBuilders["LIMIT"] = buildLimit
	return nil
}

// buildLimit writes the LIMIT that SQLite requires before every OFFSET.
func buildLimit(c clause.Clause, b clause.Builder) {
	limit, ok := c.Expression.(clause.Limit)
	if !ok {
		return
	}
	most := -1
	if limit.Limit != nil && *limit.Limit >= 0 {
		most = *limit.Limit
	}
	if most >= 0 || limit.Offset > 0 {
		b.WriteString("LIMIT " + strconv.Itoa(most))
	}
	if limit.Offset > 0 {
		b.WriteString(" OFFSET " + strconv.Itoa(limit.Offset))
	}
}

// DefaultValueOf implements gorm.Dialector. It returns the expression for a column
// without a value; NULL makes SQLite draw an id.
func (sqliteDialect) DefaultValueOf(*schema.Field) clause.Expression {
	return clause.Expr{SQL: "NULL"}
}

// BindVarTo implements gorm.Dialector.
func (sqliteDialect) BindVarTo(w clause.Writer, _ *gorm.Statement, _ any) { w.WriteByte('?') }

// QuoteTo implements gorm.Dialector. name is a name or table.column.
func (sqliteDialect) QuoteTo(w clause.Writer, name string) {
	for i, part := range strings.Split(name, ".") {
		if i > 0 {
			w.WriteByte('.')
		}
		w.WriteString(`"` + strings.ReplaceAll(part, `"`, `""`) + `"`)
	}
}

// Explain implements gorm.Dialector.
func (sqliteDialect) Explain(sql string, vars ...any) string {
	return logger.ExplainSQL(sql, nil, `'`, vars...)
}

// DataTypeOf implements gorm.Dialector.
func (sqliteDialect) DataTypeOf(f *schema.Field) string { return string(f.DataType) }

// Migrator implements gorm.Dialector.
func (d sqliteDialect) Migrator(db *gorm.DB) gorm.Migrator {
	return migrator.Migrator{Config: migrator.Config{DB: db, Dialector: d}}
}

// SavePoint implements gorm.SavePointerDialectorInterface.
func (sqliteDialect) SavePoint(tx *gorm.DB, name string) error {
	return tx.Exec("SAVEPOINT " + name).Error
}

// RollbackTo implements gorm.SavePointerDialectorInterface.
func (sqliteDialect) RollbackTo(tx *gorm.DB, name string) error {
	return tx.Exec("ROLLBACK TO SAVEPOINT " + name).Error
}
