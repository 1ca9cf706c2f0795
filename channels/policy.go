package channels

import (
	"context"
	"errors"
	"fmt"
)

// ErrDenied is the answer for every channel that is not the user's, whether it
// exists or not: a stranger must not learn which.
var ErrDenied = errors.New("channels: access denied")

// Access is what Policy asks of the CRM. An unknown id is simply "no".
type Access interface {
	// MayReadLine says whether the user may see every chat of the licence's
	// messenger, and the licence has that messenger.
	MayReadLine(ctx context.Context, userID, licenseID int64, messenger string) (bool, error)
	// Employed says whether the user works for the company.
	Employed(ctx context.Context, userID, companyID int64) (bool, error)
}

// Policy decides who may enter the CRM's channels. It denies what it does not
// know.
type Policy struct{ Access Access }

// Authorize returns nil when the user may enter n, ErrDenied when not, and any
// other error when that could not be found out.
func (p Policy) Authorize(ctx context.Context, userID int64, n Name) error {
	ok, err := p.allowed(ctx, userID, n.Room())
	if err != nil {
		return fmt.Errorf("channels: authorize %s: %w", n.Full, err)
	}
	if !ok {
		return ErrDenied
	}
	return nil
}

func (p Policy) allowed(ctx context.Context, userID int64, r Room) (bool, error) {
	switch r.Family {
	case Line:
		return p.Access.MayReadLine(ctx, userID, r.LicenseID, r.Messenger)
	case Company:
		return p.Access.Employed(ctx, userID, r.CompanyID)
	case Person:
		return userID == r.UserID, nil
	case CompanyUser:
		if userID != r.UserID {
			return false, nil
		}
		return p.Access.Employed(ctx, userID, r.CompanyID)
	}
	return false, nil
}
