package crm

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"
)

// CallbackOverlap is for how long the replaced secret of a callback URL signs too.
const CallbackOverlap = 24 * time.Hour

// callbackSecret returns a new secret as Standard Webhooks writes them.
func callbackSecret() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(key)
}

// RotateCallback gives a callback URL a new secret, which only the answer shows. The one
// before signs too for CallbackOverlap, so that the receiver can change in between.
func (s *Service) RotateCallback(ctx context.Context, a Actor, id int64) (data CallbackData, err error) {
	err = s.change(ctx, func(c *change) error {
		row, err := c.managedCallback(a, id)
		if err != nil {
			return err
		}
		row.OldSecret, row.OldSecretUntil = row.Secret, c.now.Add(CallbackOverlap).Unix()
		row.Secret = callbackSecret()
		if err := c.tx.PutCallbackURL(row); err != nil {
			return err
		}
		if data, err = oneCallback(c.tx, row); err != nil {
			return err
		}
		data.Secret = row.Secret
		return c.audit(row.CompanyID, audited{action: AuditCallbackRotated, by: a.auditor(), on: callbackTarget(row)})
	})
	return data, err
}
