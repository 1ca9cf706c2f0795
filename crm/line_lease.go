package crm

import (
	"context"
	"time"
)

// Lease gives the line to owner for ttl unless another owner holds it by the database's
// clock, and reports whether owner holds it now. The holder must call Lease again
// before the time is over; otherwise another owner may take the line.
func (s *Service) Lease(ctx context.Context, on Line, owner string, ttl time.Duration) (has bool, err error) {
	err = s.change(ctx, func(c *change) error {
		if _, _, err := c.session(on); err != nil {
			return err
		}
		has, err = c.tx.TakeLease(on.LicenseID, on.Messenger, owner, ttl)
		return err
	})
	return has && err == nil, err
}

// Release ends owner's lease of the line, if it holds one.
func (s *Service) Release(ctx context.Context, on Line, owner string) error {
	return s.change(ctx, func(c *change) error { return c.tx.DropLease(on.LicenseID, on.Messenger, owner) })
}
