package channels

import (
	"context"
	"errors"
	"fmt"
)

// ErrDenied is the error for every channel that the user may not enter, whether it
// exists or not: a stranger must not learn which.
var ErrDenied = errors.New("channels: access denied")

// Access answers the questions of Policy to the CRM. For an unknown id the answer is no.
type Access interface {
	// MayReadLine reports whether the licence has the messenger and the user may see
	// every chat of it.
	MayReadLine(ctx context.Context, userID, licenseID int64, messenger string) (bool, error)
	// Employed reports whether the user works for the company.
	Employed(ctx context.Context, userID, companyID int64) (bool, error)
	// MayPairLine reports whether the user is a program that may pair the line. People have
	// channels of their own for that.
	MayPairLine(ctx context.Context, userID, licenseID int64, messenger string) (bool, error)
	// MayReadLines reports whether the user is a program that may read all lines of the
	// company. People have CompanyUser for that.
	MayReadLines(ctx context.Context, userID, companyID int64) (bool, error)
	// IsPerson reports whether the user is a person, and does not stand for the key of a
	// program.
	IsPerson(ctx context.Context, userID int64) (bool, error)
}

// Policy decides who may enter the CRM's channels. It denies channels that it does not
// know.
type Policy struct{ Access Access }

// Authorize returns nil if the user may enter n, ErrDenied if not, and any other error
// if Access could not tell.
func (p Policy) Authorize(ctx context.Context, userID int64, n Name) error {
	ok, err := p.allowed(ctx, userID, n.Room())
	if ok && err == nil && (n.Kind == Presence || n.Room().Family == Person) { // lists and channels of people
		ok, err = p.Access.IsPerson(ctx, userID)
	}
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
	case Pairing:
		return p.Access.MayPairLine(ctx, userID, r.LicenseID, r.Messenger)
	case CompanyLines:
		return p.Access.MayReadLines(ctx, userID, r.CompanyID)
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
