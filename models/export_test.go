package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// SetLeaderSilence changes how long a leader may be silent. It returns the function that
// restores it.
func SetLeaderSilence(d time.Duration) (restore func()) {
	before := leaderSilence
	leaderSilence = d
	return func() { leaderSilence = before }
}

// Exec runs one statement.
func (s *Store) Exec(ctx context.Context, sql string, args ...any) error {
	return s.db.WithContext(ctx).Exec(sql, args...).Error
}

// Postgres reports whether s is a PostgreSQL database.
func (s *Store) Postgres() bool { return s.postgres }

// Scan reads the rows of one query.
func (s *Store) Scan(ctx context.Context, dest any, sql string) error {
	return s.db.WithContext(ctx).Raw(sql).Scan(dest).Error
}

// WritersInTurn returns how many writers to an SQLite file wait for their turn.
func (s *Store) WritersInTurn() int { return int(s.turn.waiting.Load()) }

// Scan reads the rows of one query in the transaction.
func (tx *Tx) Scan(dest any, sql string) error { return tx.db.Raw(sql).Scan(dest).Error }

// ExplainChats returns how the database executes Chats.
func (s *Store) ExplainChats(ctx context.Context, f ChatFilter) (plan string, err error) {
	return s.explain(ctx, s.Read(ctx).chatList(f).Session(&gorm.Session{DryRun: true}).Find(&[]Chat{}).Statement)
}

// ExplainOutbox returns how the database executes OutboxDue, OutboxDueAnswers and OutboxNext.
func (s *Store) ExplainOutbox(ctx context.Context, licenseID int64, messengerType string, at int64) (due, answers, next string, err error) {
	tx := s.Read(ctx)
	if due, err = s.explain(ctx, tx.outboxDue(licenseID, messengerType, at, 0, 100).Session(&gorm.Session{DryRun: true}).Find(&[]OutboxItem{}).Statement); err != nil {
		return "", "", "", err
	}
	if answers, err = s.explain(ctx, tx.outboxDueAnswers(licenseID, messengerType, at, 0, 100).Session(&gorm.Session{DryRun: true}).Find(&[]OutboxItem{}).Statement); err != nil {
		return "", "", "", err
	}
	next, err = s.explain(ctx, tx.outboxNext(licenseID, messengerType, at).Session(&gorm.Session{DryRun: true}).Select("not_before").Find(&[]int64{}).Statement)
	return due, answers, next, err
}

// ExplainJournalOfChannel returns how the database executes LockJournalOfChannel.
func (s *Store) ExplainJournalOfChannel(ctx context.Context, channel string, names []string) (plan string, err error) {
	tx, find := s.Read(ctx), "instr"
	if s.postgres {
		find = "strpos"
	}
	return s.explain(ctx, inChannel(tx.forUpdate(), find, channel, names).Session(&gorm.Session{DryRun: true}).Find(&[]JournalEntry{}).Statement)
}

// ExplainJournalMerges returns how the database executes JournalMerges.
func (s *Store) ExplainJournalMerges(ctx context.Context, companyID int64, channel string) (plan string, err error) {
	return s.explain(ctx, s.Read(ctx).journalMerges(companyID, channel).Session(&gorm.Session{DryRun: true}).Find(&[]JournalEntry{}).Statement)
}

// ExplainOldLog returns how the database finds what is old in the log of that table.
func (s *Store) ExplainOldLog(ctx context.Context, table string) (plan string, err error) {
	return s.explain(ctx, s.Read(ctx).oldLog(table, 5, 500).Session(&gorm.Session{DryRun: true}).Find(&[]int64{}).Statement)
}

func (s *Store) explain(ctx context.Context, stmt *gorm.Statement) (plan string, err error) {
	explain := "EXPLAIN QUERY PLAN "
	if s.postgres {
		explain = "EXPLAIN "
	}
	query := s.reader.Dialector.Explain(stmt.SQL.String(), stmt.Vars...)
	err = s.reader.WithContext(ctx).Connection(func(conn *gorm.DB) error {
		if !s.postgres { // an EXPLAIN does not notice that there are new statistics; a query does
			if err := conn.Exec("SELECT 1 FROM sqlite_schema LIMIT 1").Error; err != nil {
				return err
			}
		}
		plan, err = s.planned(conn.Raw(explain + query))
		return err
	})
	return plan, err
}

// planned returns the lines of an EXPLAIN.
func (s *Store) planned(explain *gorm.DB) (plan string, err error) {
	rows, err := explain.Rows()
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		line, skip := "", new(any)
		columns := []any{&line}
		if !s.postgres {
			columns = []any{skip, skip, skip, &line}
		}
		if err := rows.Scan(columns...); err != nil {
			return "", err
		}
		plan += line + "\n"
	}
	return plan, rows.Err()
}

// LineCall returns a call, with what it holds.
func (tx *Tx) LineCall(id string) (*LineCall, error) {
	c, err := first[LineCall](tx.db.Where("id = ?", id))
	if err != nil {
		return nil, err
	}
	return c, errors.Join(tx.open(callRequest, &c.Request, id), tx.open(callAnswer, &c.Answer, id))
}

// WaitingToShare returns how many transactions wait for the open one of SQLite.
func (s *Store) WaitingToShare() int {
	s.shared.mu.Lock()
	defer s.shared.mu.Unlock()
	return len(s.shared.waiting)
}

// Exec runs one statement in the transaction.
func (tx *Tx) Exec(sql string) error { return tx.db.Exec(sql).Error }

// EachSetting calls f while the rows are being read.
func (tx *Tx) EachSetting(f func(name string) error) error {
	rows, err := tx.db.Raw("SELECT name FROM settings").Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := errors.Join(rows.Scan(&name), f(name)); err != nil {
			return err
		}
	}
	return rows.Err()
}
