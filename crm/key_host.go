package crm

import "context"

// HostKeys makes, lists and revokes keys on behalf of the command line. It checks no
// permission, as HostUsers. Servers that run on the database close the sockets of a revoked
// key within a second or two, see RunCutOffs.
type HostKeys struct{ s *Service }

// HostKeys returns the rules of the keys for the command line.
func (s *Service) HostKeys() HostKeys { return HostKeys{s} }

// Create makes a key for a company, or for one of its lines.
func (h HostKeys) Create(ctx context.Context, in KeyInput) (made *CreatedKey, err error) {
	err = h.s.change(ctx, func(c *change) error {
		made, err = c.addKey(byHost, in.CompanyID, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// List lists the keys of a company, or of all companies when companyID is 0, by company and id.
func (h HostKeys) List(ctx context.Context, companyID int64) ([]KeyData, error) {
	tx := h.s.Store.Read(ctx)
	if companyID != 0 {
		if _, err := tx.CompanyByID(companyID); err != nil {
			return nil, orNotFound(err, "company")
		}
	}
	rows, err := tx.AllKeys()
	if err != nil {
		return nil, err
	}
	list := []KeyData{}
	for _, k := range rows {
		if companyID == 0 || k.CompanyID == companyID {
			list = append(list, keyData(k))
		}
	}
	return list, nil
}

// Revoke ends a key at once.
func (h HostKeys) Revoke(ctx context.Context, id int64) error {
	return h.s.change(ctx, func(c *change) error {
		k, err := c.lockKey(id)
		if err != nil {
			return err
		}
		if err := c.revokeKey(byHost, k); err != nil {
			return err
		}
		return c.tx.CutOff(k.UserID)
	})
}
