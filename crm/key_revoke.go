package crm

import (
	"context"

	"chatcast/models"
)

// RevokeKey ends a key at once, with its sockets and streams on all nodes, and the signed
// links of files that it could read. Owners and admins of its company may.
func (s *Service) RevokeKey(ctx context.Context, a Actor, id int64) error {
	return s.change(ctx, func(c *change) error {
		k, err := c.lockKey(id)
		if err != nil {
			return err
		}
		if err := member(c.tx, a, k.CompanyID, "key"); err != nil {
			return err
		}
		if _, err := ownerOrAdmin(c.tx, a, k.CompanyID, "revoke keys"); err != nil {
			return err
		}
		return c.revokeKey(a.auditor(), k)
	})
}

// lockKey locks a key and, before it, its company.
func (c *change) lockKey(id int64) (*models.APIKey, error) {
	k, err := c.tx.KeyByID(id)
	if err == nil {
		_, err = c.tx.LockCompany(k.CompanyID)
	}
	if err == nil {
		k, err = c.tx.LockKey(id)
	}
	if err != nil {
		return nil, orNotFound(err, "key")
	}
	return k, nil
}

// revokeKey ends a key that is locked.
func (c *change) revokeKey(by auditor, k *models.APIKey) error {
	if err := c.endKey(k); err != nil {
		return err
	}
	if k.CanRead {
		if err := c.tx.EndLinks(k.CompanyID); err != nil {
			return err
		}
	}
	return c.auditKey(by, k, AuditKeyRevoked)
}

// endKey removes a key and, after the commit, closes its sockets. Its user stays, because
// messages and the audit log name it, and may do nothing.
func (c *change) endKey(k *models.APIKey) error {
	if _, err := c.tx.LockUser(k.UserID); err != nil {
		return err
	}
	if err := c.tx.DeleteKey(k.ID); err != nil {
		return err
	}
	if err := c.tx.SetDisabled(k.UserID, c.now.Unix()); err != nil {
		return err
	}
	return c.endSockets(k.UserID)
}

// endKeysOf ends the keys of a licence's lines, or of one of its lines, before they go. The
// company is locked, so that no other key comes meanwhile.
func (c *change) endKeysOf(licenseID int64, messenger string) error {
	list, err := c.tx.KeysOfLicense(licenseID, messenger)
	if err != nil {
		return err
	}
	for i := range list {
		if err := c.endKey(&list[i]); err != nil {
			return err
		}
	}
	return nil
}
