package crm

import "context"

// DeleteLineCallback removes the callback URL of a line. Nothing more is sent to it.
func (s *Service) DeleteLineCallback(ctx context.Context, a Actor, on Line) error {
	return s.deleteCallback(ctx, a, on, 0, "")
}

// DeleteCompanyCallback removes the callback URL of a company in a format.
func (s *Service) DeleteCompanyCallback(ctx context.Context, a Actor, companyID int64, format string) error {
	return s.deleteCallback(ctx, a, Line{}, companyID, format)
}

func (s *Service) deleteCallback(ctx context.Context, a Actor, on Line, companyID int64, format string) error {
	return s.change(ctx, func(c *change) error {
		owner, err := s.mayCall(c.tx, a, on, companyID)
		if err != nil {
			return err
		}
		owner.format = CallbackInput{Format: format}.format()
		row, err := c.lockCallback(owner)
		if err != nil {
			return orNotFound(err, "callback URL")
		}
		if err := c.tx.DeleteCallbackURL(row.ID); err != nil {
			return err
		}
		c.after = append(c.after, s.Callbacks.Changed)
		return c.audit(row.CompanyID, audited{action: AuditCallbackRemoved, by: a.auditor(), on: callbackTarget(row), details: callbackFacts(row)})
	})
}
