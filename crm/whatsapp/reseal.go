package whatsapp

import (
	"context"
	"database/sql"
	"fmt"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/util/keys"

	"chatcast/models/seal"
)

// Reseal rewrites the secrets of all devices: values that from opens are sealed by to.
// Either may be nil. It calls done for each table. Nothing else may use the tables.
func Reseal(ctx context.Context, tx *sql.Tx, postgres bool, from, to *seal.Keys, done func(table string, rows int)) error {
	r := resealing{ctx, tx, postgres, from, to}
	steps := []struct {
		table string
		run   func() (int, error)
	}{{deviceSecrets.Table, r.devices}, {"whatsmeow_pre_keys", r.plainPreKeys}, {preKey.Table, r.sealedPreKeys}}
	for _, c := range sealedColumns {
		steps = append(steps, struct {
			table string
			run   func() (int, error)
		}{c.Table, func() (int, error) { return seal.Rewrite(ctx, tx, postgres, c, from, to) }})
	}
	for _, step := range steps {
		n, err := step.run()
		if err != nil {
			return fmt.Errorf("%s: %w", step.table, err)
		}
		done(step.table, n)
	}
	return nil
}

type resealing struct {
	ctx      context.Context
	tx       *sql.Tx
	postgres bool
	from, to *seal.Keys
}

func (r resealing) exec(statement string, args ...any) error {
	marks := make([]any, len(args))
	for i := range args {
		marks[i] = seal.Placeholder(r.postgres, i+1)
	}
	_, err := r.tx.ExecContext(r.ctx, fmt.Sprintf(statement, marks...), args...)
	return err
}

// devices rewrites the secrets of the devices. Their columns differ by whether they are
// sealed: see container.
func (r resealing) devices() (int, error) {
	devices, err := r.readDevices()
	for id, dev := range devices {
		if err != nil {
			break
		}
		err = r.writeDevice(id, dev)
	}
	return len(devices), err
}

func (r resealing) readDevices() (map[string]*store.Device, error) {
	rows, err := r.tx.QueryContext(r.ctx, "SELECT jid, noise_key, identity_key, signed_pre_key, adv_key, companion_meta_nonce FROM whatsmeow_device")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[string]*store.Device{}
	for rows.Next() {
		var id string
		var private [3][]byte
		dev := &store.Device{SignedPreKey: &keys.PreKey{}}
		if err := rows.Scan(&id, &private[0], &private[1], &private[2], &dev.AdvSecretKey, &dev.CompanionMetaNonce); err != nil {
			return nil, err
		}
		joined := dev.AdvSecretKey
		if r.from == nil {
			joined = append(append(append(private[0], private[1]...), private[2]...), joined...)
		} else if joined, err = r.from.Open(deviceSecrets, joined, id); err != nil {
			return nil, err
		}
		if err := splitSecrets(dev, joined); err != nil {
			return nil, err
		}
		if dev.CompanionMetaNonce, err = openText(r.from, historySecret, dev.CompanionMetaNonce, id); err != nil {
			return nil, err
		}
		found[id] = dev
	}
	return found, rows.Err()
}

func (r resealing) writeDevice(id string, dev *store.Device) error {
	noise, identity, signed := dev.NoiseKey.Priv[:], dev.IdentityKey.Priv[:], dev.SignedPreKey.Priv[:]
	adv := dev.AdvSecretKey
	if r.to != nil {
		adv = r.to.Seal(deviceSecrets, joinSecrets(dev), id)
		noise, identity, signed = make([]byte, 32), make([]byte, 32), make([]byte, 32)
	}
	nonce := sealText(r.to, historySecret, dev.CompanionMetaNonce, id)
	return r.exec("UPDATE whatsmeow_device SET noise_key = %s, identity_key = %s, signed_pre_key = %s, adv_key = %s, companion_meta_nonce = %s WHERE jid = %s",
		noise, identity, signed, adv, nonce, id)
}

// plainPreKeys moves one-time keys that are not sealed to the table of sealed ones.
func (r resealing) plainPreKeys() (int, error) {
	if r.from != nil || r.to == nil {
		return 0, nil
	}
	return r.movePreKeys("SELECT jid, key_id, key, uploaded FROM whatsmeow_pre_keys", "DELETE FROM whatsmeow_pre_keys",
		"INSERT INTO whatsapp_pre_keys (device, key_id, key, uploaded) VALUES (%s, %s, %s, %s)")
}

// sealedPreKeys rewrites the sealed one-time keys, or moves them back.
func (r resealing) sealedPreKeys() (int, error) {
	switch {
	case r.from == nil:
		return 0, nil
	case r.to != nil:
		return seal.Rewrite(r.ctx, r.tx, r.postgres, preKey, r.from, r.to)
	}
	return r.movePreKeys("SELECT device, key_id, key, uploaded FROM whatsapp_pre_keys", "DELETE FROM whatsapp_pre_keys",
		"INSERT INTO whatsmeow_pre_keys (jid, key_id, key, uploaded) VALUES (%s, %s, %s, %s)")
}

// movePreKeys reads all one-time keys, deletes them, and inserts them where they belong.
// A device has about a thousand.
func (r resealing) movePreKeys(read, remove, insert string) (int, error) {
	rows, err := r.tx.QueryContext(r.ctx, read)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	type row struct {
		device   string
		id       uint32
		key      []byte
		uploaded bool
	}
	var list []row
	for rows.Next() {
		var one row
		if err := rows.Scan(&one.device, &one.id, &one.key, &one.uploaded); err != nil {
			return 0, err
		}
		plain, err := r.from.Open(preKey, one.key, one.device, keyID(one.id))
		if err != nil {
			return 0, err
		}
		one.key = r.to.Seal(preKey, plain, one.device, keyID(one.id))
		list = append(list, one)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if err := r.exec(remove); err != nil {
		return 0, err
	}
	for _, one := range list {
		if err := r.exec(insert, one.device, int64(one.id), one.key, one.uploaded); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}
