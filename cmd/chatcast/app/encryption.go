package app

import (
	"context"
	"errors"
	"fmt"

	"chatcast/cmd/chatcast/config"
	"chatcast/crm/whatsapp"
	"chatcast/models"
)

// wrongKeys tells what to do about keys that do not fit the database.
func wrongKeys(cfg config.EncryptionConfig, err error) error {
	switch {
	case errors.Is(err, models.ErrNoKeys):
		return cfg.Wrong("%v; set it in the environment variable CHATCAST_ENCRYPTION_KEYS, or name the file of keys with encryption.key_file", err)
	case errors.Is(err, models.ErrMissingKey):
		return cfg.Wrong("%v; add that key after the others", err)
	case errors.Is(err, models.ErrNotEncrypted):
		return cfg.Wrong("%v; with the server stopped, run `chatcast encryption rotate` once, or unset the keys", err)
	}
	return err
}

// EncryptionKeys returns the ids of the keys that the database's secrets are encrypted
// with; none when they are not encrypted. It needs no keys.
func EncryptionKeys(ctx context.Context, cfg config.Config) ([]string, error) {
	if err := databaseExists(cfg); err != nil {
		return nil, err
	}
	store, err := openStore(ctx, cfg, besideServer)
	if err != nil {
		return nil, err
	}
	ids, err := store.Read(ctx).Encryption()
	return ids, errors.Join(err, store.Close())
}

// Reencrypt encrypts all secrets of the database with the first key, or decrypts them. It
// calls done for each table as soon as its values are rewritten, before all is committed.
// It refuses while a server runs, which holds keys of WhatsApp in memory and would write
// old ones back.
func Reencrypt(ctx context.Context, cfg config.Config, decrypt bool, done func(table string, rows int)) (err error) {
	if err := databaseExists(cfg); err != nil {
		return err
	}
	keys, err := cfg.Encryption.Load()
	if err != nil {
		return err
	}
	if keys == nil {
		return cfg.Encryption.Wrong("is needed: set it in the environment variable CHATCAST_ENCRYPTION_KEYS, or name the file of keys with encryption.key_file")
	}
	store, err := openStore(ctx, cfg, alone)
	if errors.Is(err, models.ErrLocked) {
		return fmt.Errorf("stop the server first: %w", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := upgradeWhatsApp(ctx, store); err != nil {
		return err
	}
	return wrongKeys(cfg.Encryption, store.Rewrite(ctx, keys, decrypt, whatsapp.Reseal, done))
}

// upgradeWhatsApp brings the tables of WhatsApp's keys to this version.
func upgradeWhatsApp(ctx context.Context, store *models.Store) error {
	db, dialect, err := store.SideDB(ctx)
	if err != nil {
		return err
	}
	return errors.Join(whatsapp.UpgradeTables(ctx, db, dialect), db.Close())
}
