package crm

import (
	"context"
	"errors"

	"chatcast/models"
)

// JournalState is the position of the journal.
type JournalState struct {
	First   int64 // the lowest number still kept; above Last when none is
	Last    int64 // the last number that was published, 0 before the first
	Pending int64 // entries that are committed and not yet published
}

// WatchServer checks that the actor may see the state of the server itself, and returns
// the position of the journal. Only owners and admins of the company that runs the
// server, the first that was created, may see it: the server's figures name the
// channels of every company. All others are refused, whatever their role elsewhere.
func (s *Service) WatchServer(ctx context.Context, a Actor) (*JournalState, error) {
	tx := s.Store.Read(ctx)
	if err := mayWatch(tx, a); err != nil {
		return nil, err
	}
	bounds, err := tx.JournalBounds()
	if err != nil {
		return nil, err
	}
	unnumbered, err := tx.JournalUnnumbered()
	if err != nil {
		return nil, err
	}
	return &JournalState{First: bounds.First, Last: bounds.Published, Pending: bounds.LastSeq - bounds.Published + unnumbered}, nil
}

func mayWatch(tx *models.Tx, a Actor) error {
	runs, err := runsServer(tx, a)
	if err == nil && !runs {
		err = denied("only owners and admins of the company that runs the server may see it")
	}
	return err
}

// runsServer reports whether the actor is an owner or admin of the company that runs
// the server, the first that was created.
func runsServer(tx *models.Tx, a Actor) (bool, error) {
	company, err := tx.FirstCompanyID()
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	e, err := tx.EmployeeOf(company, a.UserID)
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return e.Role == models.RoleOwner || e.Role == models.RoleAdmin, nil
}
