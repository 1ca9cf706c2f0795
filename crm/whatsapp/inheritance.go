package whatsapp

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"go.mau.fi/util/dbutil"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	"chatcast/models/seal"
)

// An account that is logged out and paired again is another device, to which WhatsApp
// gives nothing of what the earlier one knew. Without the tokens of people and the salt,
// it would be a stranger to all of them. So they are kept by phone number, for a while.

// heritageLife is how long tokens and salts of accounts that are not paired are kept:
// WhatsApp takes no older tokens.
const heritageLife = 28 * 24 * time.Hour

// keptSalt is the salt of an account that was logged out.
var keptSalt = seal.Column{Table: "whatsapp_contact_salts", Name: "salt", Key: []string{"phone"}}

// keepSalt keeps the salt of a device that is being deleted. The tokens of people stay
// where they are: whatsmeow does not delete them with the device.
func (c *container) keepSalt(ctx context.Context, dev *store.Device) error {
	if !dev.Initialized {
		return nil
	}
	salt, err := dev.NCTSalt.GetNCTSalt(ctx)
	if unopened(err) {
		c.log.WarnContext(ctx, "the salt of an account that is logged out cannot be opened, and is not kept", "error", err)
		return nil
	}
	if err != nil || len(salt) == 0 {
		return err
	}
	if c.keys != nil {
		salt = c.keys.Seal(keptSalt, salt, dev.ID.User)
	}
	_, err = c.db.Exec(ctx, `INSERT INTO whatsapp_contact_salts (phone, salt, kept_at) VALUES ($1, $2, $3)
		ON CONFLICT (phone) DO UPDATE SET salt=excluded.salt, kept_at=excluded.kept_at`, dev.ID.User, salt, time.Now().Unix())
	return err
}

// unopened reports whether the error is that a sealed value is damaged, or that its key is
// not known. A line does without such a salt or token.
func unopened(err error) bool {
	return errors.Is(err, seal.ErrDamaged) || errors.Is(err, seal.ErrUnknownKey)
}

// inherit gives a new device what earlier devices of its account left, and deletes what
// is too old.
func (c *container) inherit(ctx context.Context, dev *store.Device) error {
	over := time.Now().Add(-heritageLife).Unix()
	for _, statement := range []string{
		"DELETE FROM whatsapp_contact_salts WHERE kept_at < $1",
		"DELETE FROM whatsmeow_privacy_tokens WHERE timestamp < $1 AND our_jid NOT IN (SELECT jid FROM whatsmeow_device)",
	} {
		if _, err := c.db.Exec(ctx, statement, over); err != nil {
			return err
		}
	}
	var salt []byte
	err := c.db.QueryRow(ctx, "SELECT salt FROM whatsapp_contact_salts WHERE phone=$1", dev.ID.User).Scan(&salt)
	if err == nil && c.keys != nil {
		salt, err = c.keys.Open(keptSalt, salt, dev.ID.User)
	}
	if err == nil {
		err = dev.NCTSalt.PutNCTSalt(ctx, salt)
	}
	if unopened(err) {
		c.log.WarnContext(ctx, "the salt that an earlier device of the account left cannot be opened", "error", err)
	} else if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return c.inheritTokens(ctx, dev)
}

// leftToken is a token of a person in the row of a device that is gone.
type leftToken struct {
	device, user string
	token        []byte
	at           int64
	ours         sql.NullInt64
}

// inheritTokens moves the tokens of the account's earlier devices to the new one.
func (c *container) inheritTokens(ctx context.Context, dev *store.Device) error {
	rows, err := c.db.Query(ctx, `SELECT our_jid, their_jid, token, timestamp, sender_timestamp FROM whatsmeow_privacy_tokens
		WHERE our_jid LIKE $1 AND our_jid NOT IN (SELECT jid FROM whatsmeow_device) ORDER BY timestamp`, dev.ID.User+":%@"+types.DefaultUserServer)
	left, err := dbutil.NewRowIterWithError(rows, func(row dbutil.Scannable) (l leftToken, err error) {
		err = row.Scan(&l.device, &l.user, &l.token, &l.at, &l.ours)
		return l, err
	}, err).AsList()
	if err != nil {
		return err
	}
	for _, l := range left {
		token, err := c.open(l)
		if err != nil { // the account is a stranger to this person, as without the token
			c.log.WarnContext(ctx, "a token that an earlier device of the account left cannot be opened", "error", err)
			continue
		}
		if err := dev.PrivacyTokens.PutPrivacyTokens(ctx, token); err != nil {
			return err
		}
		if _, err := c.db.Exec(ctx, "DELETE FROM whatsmeow_privacy_tokens WHERE our_jid=$1 AND their_jid=$2", l.device, l.user); err != nil {
			return err
		}
	}
	return nil
}

// open returns the token as whatsmeow has it.
func (c *container) open(l leftToken) (token store.PrivacyToken, err error) {
	token = store.PrivacyToken{Token: l.token, Timestamp: time.Unix(l.at, 0)}
	if l.ours.Valid {
		token.SenderTimestamp = time.Unix(l.ours.Int64, 0)
	}
	if c.keys != nil {
		if token.Token, err = c.keys.Open(privacyToken, l.token, l.device, l.user); err != nil {
			return token, err
		}
	}
	token.User, err = types.ParseJID(l.user)
	return token, err
}
