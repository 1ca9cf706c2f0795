package crm

import (
	"context"
	"errors"
	"time"

	"chatcast/models"
)

// LineNode is a process that serves lines of one messenger type.
type LineNode struct {
	Name    string
	Beat    int64 // changes as long as the process lives
	Leaving bool  // it gives its lines away
}

// Lease gives the line to owner unless another owner holds it, and reports whether owner
// holds it now. It holds the line for ttl by the database's clock, and beyond that while it
// calls BeatLines.
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

// BeatLines shows that a process lives, and lists those that serve lines of the messenger
// type. As long as it is listed, the lines that it leases are its own. kept is false when it
// was not: others may have its lines.
//
// Whether a process lives is for the others to say: they call RemoveLines when its beat has
// not changed for long. They measure that by clocks of their own, so no clock that is set
// ends a lease or prolongs one.
func (s *Service) BeatLines(ctx context.Context, name, messengerType string, leaving bool) (list []LineNode, kept bool, err error) {
	err = s.Store.Tx(ctx, func(tx *models.Tx) (err error) {
		if kept, err = tx.BeatLineNode(name, messengerType, leaving); err != nil {
			return err
		}
		list, err = lineNodes(tx, messengerType)
		return err
	})
	return list, kept, err
}

// LineNodes lists the processes that serve lines of the messenger type.
func (s *Service) LineNodes(ctx context.Context, messengerType string) ([]LineNode, error) {
	return lineNodes(s.Store.Read(ctx), messengerType)
}

func lineNodes(tx *models.Tx, messengerType string) (list []LineNode, err error) {
	rows, err := tx.LineNodes(messengerType)
	for _, row := range rows {
		list = append(list, LineNode{row.Name, row.Beat, row.Leaving})
	}
	return list, err
}

// RemoveLines frees the lines of a process that has died. It does nothing when the
// process's beat is another one now.
func (s *Service) RemoveLines(ctx context.Context, n LineNode) (removed bool, err error) {
	err = s.Store.Tx(ctx, func(tx *models.Tx) (err error) {
		removed, err = tx.RemoveLineNode(n.Name, n.Beat)
		return err
	})
	return removed, err
}

// LeaveLines frees the lines of a process that has stopped serving them.
func (s *Service) LeaveLines(ctx context.Context, name string) error {
	return s.Store.Tx(ctx, func(tx *models.Tx) error { return tx.DropLineNode(name) })
}

// leased reports whether the owner of a line lives, or its lease has not run out.
func leased(tx *models.Tx, row *models.MessengerSession) (bool, error) {
	if row.LeaseOwner == "" {
		return false, nil
	}
	now, err := tx.NowMS()
	if err != nil || leasedAt(row, now) {
		return err == nil, err
	}
	if _, err = tx.LineNode(row.LeaseOwner); errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func leasedAt(row *models.MessengerSession, nowMS int64) bool {
	return row.LeaseOwner != "" && row.LeaseUntilMS > nowMS
}
