package whatsapp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"go.mau.fi/util/dbutil"
	"go.mau.fi/whatsmeow/util/keys"
)

// GetOrGenPreKeys implements store.PreKeyStore. It returns keys that WhatsApp does not
// have yet, and makes those that are missing.
func (s *sealedStore) GetOrGenPreKeys(ctx context.Context, count uint32) (list []*keys.PreKey, err error) {
	err = s.drawPreKeys(ctx, func(ctx context.Context, next uint32) error {
		rows, err := s.c.db.Query(ctx, "SELECT key_id, key FROM whatsapp_pre_keys WHERE device=$1 AND uploaded=false ORDER BY key_id LIMIT $2", s.device, count)
		if list, err = dbutil.NewRowIterWithError(rows, s.scanPreKey, err).AsList(); err != nil {
			return err
		}
		for ; uint32(len(list)) < count; next++ {
			made, err := s.makePreKey(ctx, next, false)
			if err != nil {
				return err
			}
			list = append(list, made)
		}
		return nil
	})
	return list, err
}

// GenOnePreKey implements store.PreKeyStore.
func (s *sealedStore) GenOnePreKey(ctx context.Context) (made *keys.PreKey, err error) {
	err = s.drawPreKeys(ctx, func(ctx context.Context, next uint32) error {
		made, err = s.makePreKey(ctx, next, true)
		return err
	})
	return made, err
}

// drawPreKeys calls f with the id of the next key, in a transaction.
func (s *sealedStore) drawPreKeys(ctx context.Context, f func(ctx context.Context, next uint32) error) error {
	s.preKeys.Lock()
	defer s.preKeys.Unlock()
	return s.c.db.DoTxn(ctx, nil, func(ctx context.Context) error {
		var last uint32
		if err := s.c.db.QueryRow(ctx, "SELECT COALESCE(MAX(key_id), 0) FROM whatsapp_pre_keys WHERE device=$1", s.device).Scan(&last); err != nil {
			return fmt.Errorf("the last one-time key: %w", err)
		}
		return f(ctx, last+1)
	})
}

func (s *sealedStore) makePreKey(ctx context.Context, id uint32, uploaded bool) (*keys.PreKey, error) {
	made := keys.NewPreKey(id)
	_, err := s.c.db.Exec(ctx, "INSERT INTO whatsapp_pre_keys (device, key_id, key, uploaded) VALUES ($1, $2, $3, $4)",
		s.device, id, s.seal(preKey, made.Priv[:], keyID(id)), uploaded)
	return made, err
}

func (s *sealedStore) scanPreKey(row dbutil.Scannable) (*keys.PreKey, error) {
	var id uint32
	var sealed []byte
	if err := row.Scan(&id, &sealed); err != nil {
		return nil, err
	}
	private, err := s.open(preKey, sealed, keyID(id))
	if err != nil {
		return nil, err
	}
	if len(private) != 32 {
		return nil, fmt.Errorf("whatsapp: the one-time key %d has %d bytes", id, len(private))
	}
	return &keys.PreKey{KeyPair: *keys.NewKeyPairFromPrivateKey([32]byte(private)), KeyID: id}, nil
}

func keyID(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

// GetPreKey implements store.PreKeyStore. It returns nil for a key that is not there.
func (s *sealedStore) GetPreKey(ctx context.Context, id uint32) (*keys.PreKey, error) {
	found, err := s.scanPreKey(s.c.db.QueryRow(ctx, "SELECT key_id, key FROM whatsapp_pre_keys WHERE device=$1 AND key_id=$2", s.device, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return found, err
}

// RemovePreKey implements store.PreKeyStore.
func (s *sealedStore) RemovePreKey(ctx context.Context, id uint32) error {
	_, err := s.c.db.Exec(ctx, "DELETE FROM whatsapp_pre_keys WHERE device=$1 AND key_id=$2", s.device, id)
	return err
}

// MarkPreKeysAsUploaded implements store.PreKeyStore.
func (s *sealedStore) MarkPreKeysAsUploaded(ctx context.Context, upToID uint32) error {
	_, err := s.c.db.Exec(ctx, "UPDATE whatsapp_pre_keys SET uploaded=true WHERE device=$1 AND key_id<=$2", s.device, upToID)
	return err
}

// UploadedPreKeyCount implements store.PreKeyStore.
func (s *sealedStore) UploadedPreKeyCount(ctx context.Context) (count int, err error) {
	err = s.c.db.QueryRow(ctx, "SELECT COUNT(*) FROM whatsapp_pre_keys WHERE device=$1 AND uploaded=true", s.device).Scan(&count)
	return count, err
}
