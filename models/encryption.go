package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chatcast/models/seal"
)

// Errors of UseKeys and Rewrite.
var (
	// ErrNoKeys means that the database is encrypted and no keys were given.
	ErrNoKeys = errors.New("the database is encrypted, and no key is set")
	// ErrMissingKey means that values are sealed with a key that was not given.
	ErrMissingKey = errors.New("the database is encrypted with a key that is not set")
	// ErrNotEncrypted means that keys were given and the database has secrets that are
	// not encrypted.
	ErrNotEncrypted = errors.New("the database is not encrypted")
	// ErrRewritten means that the database was encrypted, decrypted or given another key
	// since it was opened.
	ErrRewritten = errors.New("models: the keys of the database were changed: start again")
)

// The columns of secrets. Hashes are not among them.
var (
	appSecret    = seal.Column{Table: "apps", Name: "secret", Key: []string{"id"}, Text: true}
	appOldSecret = seal.Column{Table: "apps", Name: "old_secret", Key: []string{"id"}, Text: true}
	appWebhooks  = seal.Column{Table: "apps", Name: "webhooks", Key: []string{"id"}, Text: true} // URLs and headers may be secret
	settingValue = seal.Column{Table: "settings", Name: "value", Key: []string{"name"}, Text: true}
	lineProxy    = seal.Column{Table: "line_settings", Name: "proxy", Key: []string{"license_id", "messenger_type"}, Text: true} // with its password
	totpSecret   = seal.Column{Table: "user_totp", Name: "secret", Key: []string{"user_id"}, Text: true}

	callbackURL       = seal.Column{Table: "callback_urls", Name: "url", Key: []string{"id"}, Text: true} // may hold a secret
	callbackSecret    = seal.Column{Table: "callback_urls", Name: "secret", Key: []string{"id"}, Text: true}
	callbackOldSecret = seal.Column{Table: "callback_urls", Name: "old_secret", Key: []string{"id"}, Text: true}
	callbackOptions   = seal.Column{Table: "callback_urls", Name: "options", Key: []string{"id"}, Text: true} // headers may be secret

	instanceWebhook = seal.Column{Table: "instances", Name: "webhook", Key: []string{"id"}, Text: true} // URL and headers may be secret
	instanceToken   = seal.Column{Table: "instances", Name: "token", Key: []string{"id"}, Text: true}

	sealedColumns = []seal.Column{appSecret, appOldSecret, appWebhooks, settingValue, totpSecret, lineProxy, callbackURL, callbackSecret, callbackOldSecret, callbackOptions,
		callRequest, callAnswer, instanceWebhook, instanceToken}
)

// UseKeys sets the keys of the database's secrets; nil if there are none. It must be
// called after Migrate and before any query. It returns an error unless the keys fit what
// is in the database. A new database fits all keys, and is encrypted from its first secret on.
func (s *Store) UseKeys(ctx context.Context, keys *seal.Keys) error {
	tx := s.Read(ctx)
	used, err := tx.Encryption()
	if err != nil {
		return err
	}
	if err := tx.fits(used, keys); err != nil {
		return err
	}
	s.keys = keys
	return nil
}

// ClaimKeys notes that secrets are sealed with the first key from now on. It is for
// servers, because secrets of others' tables are sealed without a query of this package.
func (s *Store) ClaimKeys(ctx context.Context) error {
	return s.Tx(ctx, (*Tx).claimKeys)
}

// fits returns an error unless keys open what was sealed with the used ones, and nothing
// is unsealed that they would have sealed.
func (tx *Tx) fits(used []string, keys *seal.Keys) error {
	switch {
	case len(used) > 0 && keys == nil:
		return fmt.Errorf("%w; it needs %s", ErrNoKeys, strings.Join(used, ", "))
	case len(used) == 0 && keys != nil:
		if filled, err := tx.hasSecrets(); filled || err != nil {
			return errors.Join(err, ErrNotEncrypted)
		}
	}
	return opens(used, keys)
}

// opens returns an error unless the used keys are among keys.
func opens(used []string, keys *seal.Keys) error {
	for _, id := range used {
		if !slices.Contains(keys.IDs(), id) {
			return fmt.Errorf("%w: %s; the set ones are %s", ErrMissingKey, id, strings.Join(keys.IDs(), ", "))
		}
	}
	return nil
}

// Encryption returns the ids of the keys that secrets are encrypted with; none when they
// are not encrypted.
func (tx *Tx) Encryption() ([]string, error) {
	var used string
	err := tx.db.Raw("SELECT keys FROM encryption WHERE id = 1").Scan(&used).Error
	return strings.Fields(used), err
}

// lockEncryption is Encryption, and keeps others from changing it until the transaction
// ends.
func (tx *Tx) lockEncryption() ([]string, error) {
	if err := tx.db.Exec("UPDATE encryption SET keys = keys WHERE id = 1").Error; err != nil {
		return nil, err
	}
	return tx.Encryption()
}

func (tx *Tx) saveEncryption(ids []string) error {
	return tx.db.Exec("UPDATE encryption SET keys = ? WHERE id = 1", strings.Join(ids, " ")).Error
}

// hasSecrets reports whether there is anything that encryption would have to rewrite.
func (tx *Tx) hasSecrets() (has bool, err error) {
	err = tx.db.Raw(`SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM apps) OR EXISTS (SELECT 1 FROM settings)`).Scan(&has).Error
	return has, err
}

// claimKeys returns ErrRewritten unless secrets are still written as this Store does: a
// command may run beside the one that rewrites them. The first secret that a key seals
// adds the key to those that are needed from then on.
func (tx *Tx) claimKeys() error {
	used, err := tx.Encryption()
	if err != nil {
		return err
	}
	if tx.keys != nil && !slices.Contains(used, tx.keys.IDs()[0]) {
		if used, err = tx.lockEncryption(); err != nil {
			return err
		}
		if tx.fits(used, tx.keys) != nil {
			return ErrRewritten
		}
		return tx.saveEncryption(append(used, tx.keys.IDs()[0]))
	}
	if tx.postgres { // on SQLite this is the only transaction that writes
		var ids string
		if err := tx.db.Raw("SELECT keys FROM encryption WHERE id = 1 FOR SHARE").Scan(&ids).Error; err != nil {
			return err
		}
		used = strings.Fields(ids)
	}
	if tx.keys == nil && len(used) > 0 || tx.keys != nil && !slices.Contains(used, tx.keys.IDs()[0]) {
		return ErrRewritten
	}
	return nil
}

// seal returns a text as its column holds it.
func (tx *Tx) seal(c seal.Column, text string, row ...string) string {
	return string(tx.keys.Seal(c, []byte(text), row...))
}

// open replaces the text of a column by what was sealed.
func (tx *Tx) open(c seal.Column, text *string, row ...string) error {
	value, err := tx.keys.Open(c, []byte(*text), row...)
	*text = string(value)
	return err
}

// Reseal rewrites the secrets of tables that are not of this package, in the transaction
// that rewrites ours: values that from opens are sealed by to. Either may be nil. It
// calls done for each table.
type Reseal func(ctx context.Context, tx *sql.Tx, postgres bool, from, to *seal.Keys, done func(table string, rows int)) error

// Rewrite seals every secret with the first of the keys, or with decrypt leaves them
// unsealed; more does so with tables of its own. It is one transaction: a process that is
// killed before the end has changed nothing. The caller holds the lock of the database,
// and has not called UseKeys. Rewrite calls done for each table as soon as its values are
// rewritten, before the commit. What was there before is removed from the files of the
// database.
func (s *Store) Rewrite(ctx context.Context, keys *seal.Keys, decrypt bool, more Reseal, done func(table string, rows int)) error {
	to := keys.First()
	if decrypt {
		to = nil
	}
	var tables []string
	var values int // of the last table, whose columns follow one another
	note := func(table string, n int) {
		if last := len(tables) - 1; last < 0 || tables[last] != table {
			if last >= 0 {
				done(tables[last], values)
			}
			tables, values = append(tables, table), 0
		}
		values += n
	}
	err := s.Tx(ctx, func(tx *Tx) error {
		tables = nil
		used, err := tx.lockEncryption()
		if err != nil {
			return err
		}
		if err := opens(used, keys); err != nil {
			return err
		}
		from := keys
		if len(used) == 0 {
			from = nil
		}
		pool, ok := tx.db.Statement.ConnPool.(*sql.Tx)
		if !ok {
			return fmt.Errorf("models: a transaction is a %T", tx.db.Statement.ConnPool)
		}
		for _, c := range sealedColumns {
			n, err := seal.Rewrite(ctx, pool, s.postgres, c, from, to)
			if err != nil {
				return err
			}
			note(c.Table, n)
		}
		if err := more(ctx, pool, s.postgres, from, to, note); err != nil {
			return err
		}
		done(tables[len(tables)-1], values)
		return tx.saveEncryption(to.IDs())
	})
	if err != nil {
		return err
	}
	if err := s.scrub(ctx, tables); err != nil {
		return fmt.Errorf("the secrets are rewritten, but what was there before may still be in the files of the database; run the command again: %w", err)
	}
	return nil
}

// scrub writes the tables anew, because a database keeps replaced rows in its files for a
// while.
func (s *Store) scrub(ctx context.Context, tables []string) error {
	if !s.postgres {
		if err := s.db.WithContext(ctx).Exec("VACUUM").Error; err != nil {
			return err
		}
		var checkpoint struct{ Busy int }
		err := s.db.WithContext(ctx).Raw("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&checkpoint).Error
		if err == nil && checkpoint.Busy != 0 {
			err = errors.New("another program reads the database")
		}
		return err
	}
	var errs []error
	for _, table := range tables {
		errs = append(errs, s.db.WithContext(ctx).Exec("VACUUM FULL "+table).Error)
	}
	return errors.Join(errs...)
}
