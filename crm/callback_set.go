package crm

import (
	"context"
	"errors"

	"chatcast/models"
)

// callbackOwner is whose events a URL gets.
type callbackOwner struct {
	companyID int64
	line      *Line  // nil: of the company
	format    string // as rows have it
}

// mayCall authorises the actor to manage the callback URL of a line, or of a company.
func (s *Service) mayCall(tx *models.Tx, a Actor, on Line, companyID int64) (callbackOwner, error) {
	if on == (Line{}) {
		k, err := callbackKey(tx, a, companyID)
		if err == nil && k != nil && k.LicenseID != nil {
			err = denied("this key is for one line, and not for the lines of the company")
		}
		if err != nil {
			return callbackOwner{}, err
		}
		if k != nil {
			return callbackOwner{companyID: k.CompanyID}, nil
		}
		e, err := ownerOrAdmin(tx, a, companyID, "manage callback URLs")
		if err != nil {
			return callbackOwner{}, err
		}
		return callbackOwner{companyID: e.CompanyID}, nil
	}
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, hooks)
	if err != nil {
		return callbackOwner{}, err
	}
	return callbackOwner{companyID: l.companyID, line: &on}, nil
}

// SetLineCallback sets the URL that gets the events of a line. Only owners and admins may.
// The URL must answer 200 to an empty POST. Events of before are not sent to a new one;
// with another URL, what waits goes there. A suspended one goes on.
func (s *Service) SetLineCallback(ctx context.Context, a Actor, on Line, in CallbackInput) (CallbackData, error) {
	return s.setCallback(ctx, a, on, 0, in)
}

// SetCompanyCallback is SetLineCallback for all lines of a company, and its own events.
func (s *Service) SetCompanyCallback(ctx context.Context, a Actor, companyID int64, in CallbackInput) (CallbackData, error) {
	return s.setCallback(ctx, a, Line{}, companyID, in)
}

func (s *Service) setCallback(ctx context.Context, a Actor, on Line, companyID int64, in CallbackInput) (data CallbackData, err error) {
	owner, err := s.mayCall(s.Store.Read(ctx), a, on, companyID)
	if err != nil {
		return data, err
	}
	if err := in.check(owner); err != nil {
		return data, err
	}
	if in.format() != "" {
		if err := s.Callbacks.CheckEvents(in.Format, "events", in.Events); err != nil {
			return data, err
		}
	}
	if err := s.Callbacks.CheckURL(ctx, owner.companyID, in.URL); err != nil {
		return data, err
	}
	err = s.changeWithRetry(ctx, func(c *change) error {
		owner, err := s.mayCall(c.tx, a, on, companyID)
		if err != nil {
			return err
		}
		owner.format = in.format()
		f, err := in.filter(c.tx, owner)
		if err != nil {
			return err
		}
		row, err := c.lockCallback(owner)
		if errors.Is(err, models.ErrNotFound) {
			row, err = c.newCallback(owner)
		}
		if err != nil {
			return err
		}
		made, before := row.ID == 0, callbackFacts(row)
		was, err := filterOf(row)
		if err != nil {
			return err
		}
		f.keepFormer(was)
		row.URL = in.URL
		row.Generation++
		row.CallbackProgress = restarted(row.CallbackProgress)
		if err := f.put(row); err != nil {
			return err
		}
		if row.Format != "" {
			if err := putEndpoint(row, unique(in.Events), in.EndpointOptions); err != nil {
				return err
			}
		}
		if err := c.tx.PutCallbackURL(row); err != nil {
			return err
		}
		if data, err = oneCallback(c.tx, row); err != nil {
			return err
		}
		action, details := AuditCallbackChanged, differences(before, callbackFacts(row))
		if made {
			action, details, data.Secret = AuditCallbackMade, callbackFacts(row), row.Secret
		}
		c.after = append(c.after, s.Callbacks.Changed)
		return c.audit(row.CompanyID, audited{action: action, by: a.auditor(), on: callbackTarget(row), details: details})
	})
	return data, err
}

// restarted returns p without what failed: the next attempt is made at once.
func restarted(p models.CallbackProgress) models.CallbackProgress {
	return models.CallbackProgress{CursorSeq: p.CursorSeq, CursorPart: p.CursorPart, CursorList: p.CursorList, LostFrom: p.LostFrom, LostTo: p.LostTo, LostAt: p.LostAt, GivenUp: p.GivenUp}
}

func (c *change) lockCallback(o callbackOwner) (*models.CallbackURL, error) {
	if o.line == nil {
		return c.tx.LockCompanyCallback(o.companyID, o.format)
	}
	return c.tx.LockLineCallback(o.line.LicenseID, o.line.Messenger)
}

// newCallback returns a row that gets the events from now on.
func (c *change) newCallback(o callbackOwner) (*models.CallbackURL, error) {
	bounds, err := c.tx.JournalBounds()
	if err != nil {
		return nil, err
	}
	row := &models.CallbackURL{CompanyID: o.companyID, Format: o.format, Enabled: true, Secret: callbackSecret(), CreatedAt: c.now.Unix(), Events: "[]", Lines: "[]", Chats: "[]", FormerChats: "[]"}
	row.CursorSeq = bounds.LastSeq
	if o.line != nil {
		row.LicenseID, row.MessengerType = &o.line.LicenseID, &o.line.Messenger
	}
	return row, nil
}

// callbackFacts returns a URL for the audit log: of the URL the host, because the rest may
// be secret.
func callbackFacts(row *models.CallbackURL) map[string]string {
	facts := map[string]string{"host": callbackHost(row.URL), "events": row.Events}
	if row.LicenseID == nil {
		facts["lines"] = row.Lines
	} else {
		facts["line"], facts["chats"] = lineTarget(*row.LicenseID, *row.MessengerType).id, row.Chats
	}
	return facts
}
