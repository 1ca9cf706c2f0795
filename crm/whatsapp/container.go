package whatsapp

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"log/slog"

	"go.mau.fi/util/dbutil"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/store/sqlstore/upgrades"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"

	"chatcast/models/seal"
)

// container holds the devices of all lines, in whatsmeow's tables. With keys, the secrets
// of a device are sealed before they are written:
//
//	whatsmeow_device.adv_key   the four secrets of the device, in one value
//	  .companion_meta_nonce    by itself, in base64
//	whatsapp_pre_keys          the one-time keys, in a table of ours
//	other columns              each value by itself: see sealedColumns
//
// whatsmeow's tables check that a private key is 32 bytes long, and a sealed one is
// longer. So the columns of a device's private keys hold zeros, and whatsmeow_pre_keys is
// empty. Without keys, whatsmeow's own stores are used as they are.
type container struct {
	db    *dbutil.Database // the one of inner, to take part in its transactions
	inner *sqlstore.Container
	keys  *seal.Keys // nil: nothing is sealed
	log   *slog.Logger
}

var _ store.DeviceContainer = (*container)(nil)

func newContainer(db *sql.DB, dialect string, sealed *seal.Keys, log *slog.Logger) (*container, error) {
	wrapped, err := dbutil.NewWithDB(db, dialect)
	if err != nil {
		return nil, err
	}
	wrapped.UpgradeTable, wrapped.VersionTable = upgrades.Table, "whatsmeow_version" // as sqlstore.NewWithDB
	return &container{wrapped, sqlstore.NewWithWrappedDB(wrapped, library{log: log}), sealed, log}, nil
}

// upgrade creates or upgrades the tables of keys.
func (c *container) upgrade(ctx context.Context) error {
	if err := c.inner.Upgrade(ctx); err != nil {
		return fmt.Errorf("whatsapp: tables of keys: %w", err)
	}
	return nil
}

// newDevice returns a device with new keys, which are not stored yet.
func (c *container) newDevice() *store.Device {
	dev := c.inner.NewDevice()
	dev.Container = c
	return dev
}

// device returns the device, or nil if it is not stored.
func (c *container) device(ctx context.Context, id types.JID) (*store.Device, error) {
	dev, err := c.inner.GetDevice(ctx, id)
	if dev == nil || err != nil {
		return nil, err
	}
	dev.Container = c
	if c.keys == nil {
		return dev, nil
	}
	secrets, err := c.keys.Open(deviceSecrets, dev.AdvSecretKey, dev.ID.String())
	if err != nil {
		return nil, fmt.Errorf("whatsapp: the keys of the device: %w", err)
	}
	if err := splitSecrets(dev, secrets); err != nil {
		return nil, err
	}
	if dev.CompanionMetaNonce, err = openText(c.keys, historySecret, dev.CompanionMetaNonce, dev.ID.String()); err != nil {
		return nil, fmt.Errorf("whatsapp: the keys of the device: %w", err)
	}
	c.sealStores(dev)
	return dev, nil
}

// sealText seals a value for a column of text. An empty value stays empty.
func sealText(k *seal.Keys, c seal.Column, value string, row ...string) string {
	if k == nil || value == "" {
		return value
	}
	return base64.StdEncoding.EncodeToString(k.Seal(c, []byte(value), row...))
}

// openText opens what sealText returned.
func openText(k *seal.Keys, c seal.Column, value string, row ...string) (string, error) {
	if k == nil || value == "" {
		return value, nil
	}
	sealed, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return "", fmt.Errorf("%w: %s.%s", seal.ErrDamaged, c.Table, c.Name)
	}
	plain, err := k.Open(c, sealed, row...)
	return string(plain), err
}

// PutDevice implements store.DeviceContainer. whatsmeow writes the keys of a device once,
// and later only its names. A new device gets what earlier ones of its account left.
func (c *container) PutDevice(ctx context.Context, dev *store.Device) error {
	if dev.ID == nil || dev.Initialized {
		return c.putDevice(ctx, dev) // without an id, it is refused
	}
	return c.db.DoTxn(ctx, nil, func(ctx context.Context) error {
		if err := c.putDevice(ctx, dev); err != nil {
			return err
		}
		return c.inherit(ctx, dev)
	})
}

func (c *container) putDevice(ctx context.Context, dev *store.Device) error {
	if dev.ID == nil || c.keys == nil {
		err := c.inner.PutDevice(ctx, dev)
		dev.Container = c
		return err
	}
	row := *dev
	row.AdvSecretKey = c.keys.Seal(deviceSecrets, joinSecrets(dev), dev.ID.String())
	row.CompanionMetaNonce = sealText(c.keys, historySecret, dev.CompanionMetaNonce, dev.ID.String())
	none := keys.NewKeyPairFromPrivateKey([32]byte{})
	row.NoiseKey, row.IdentityKey = none, none
	row.SignedPreKey = &keys.PreKey{KeyPair: *none, KeyID: dev.SignedPreKey.KeyID, Signature: dev.SignedPreKey.Signature}
	err := c.inner.PutDevice(ctx, &row)
	if !dev.Initialized { // by the first one, also when it fails, as in sqlstore
		dev.Identities, dev.Sessions, dev.PreKeys, dev.SenderKeys = row.Identities, row.Sessions, row.PreKeys, row.SenderKeys
		dev.AppStateKeys, dev.AppState, dev.Contacts, dev.ChatSettings = row.AppStateKeys, row.AppState, row.Contacts, row.ChatSettings
		dev.MsgSecrets, dev.PrivacyTokens, dev.NCTSalt, dev.EventBuffer, dev.LIDs = row.MsgSecrets, row.PrivacyTokens, row.NCTSalt, row.EventBuffer, row.LIDs
		dev.Initialized = true
		c.sealStores(dev)
	}
	return err
}

// DeleteDevice implements store.DeviceContainer.
func (c *container) DeleteDevice(ctx context.Context, dev *store.Device) error {
	return c.db.DoTxn(ctx, nil, func(ctx context.Context) error {
		if dev.ID != nil {
			if err := c.keepSalt(ctx, dev); err != nil {
				return err
			}
			for _, table := range []string{"whatsapp_pre_keys", historyPart.Table} {
				if _, err := c.db.Exec(ctx, "DELETE FROM "+table+" WHERE device = $1", dev.ID.String()); err != nil {
					return err
				}
			}
		}
		return c.inner.DeleteDevice(ctx, dev)
	})
}

// joinSecrets returns the secrets of a device as one value: three private keys and the
// secret of its pairing.
func joinSecrets(dev *store.Device) []byte {
	joined := make([]byte, 0, 128)
	for _, private := range []*[32]byte{dev.NoiseKey.Priv, dev.IdentityKey.Priv, dev.SignedPreKey.Priv} {
		joined = append(joined, private[:]...)
	}
	return append(joined, dev.AdvSecretKey...)
}

// splitSecrets sets the secrets of a device from what joinSecrets returned.
func splitSecrets(dev *store.Device, joined []byte) error {
	if len(joined) < 96 {
		return fmt.Errorf("whatsapp: the keys of the device have %d bytes", len(joined))
	}
	dev.NoiseKey = keys.NewKeyPairFromPrivateKey([32]byte(joined[:32]))
	dev.IdentityKey = keys.NewKeyPairFromPrivateKey([32]byte(joined[32:64]))
	dev.SignedPreKey.KeyPair = *keys.NewKeyPairFromPrivateKey([32]byte(joined[64:96]))
	dev.AdvSecretKey = joined[96:]
	return nil
}

// UpgradeTables creates or upgrades the tables of keys, for a command that reads them.
func UpgradeTables(ctx context.Context, db *sql.DB, dialect string) error {
	c, err := newContainer(db, dialect, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return c.upgrade(ctx)
}
