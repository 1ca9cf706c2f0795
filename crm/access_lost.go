package crm

import (
	"maps"
	"slices"

	"chatcast/channels"
)

// When access is taken away, the user's subscriptions to the lost channels end
// right after the commit. Code that lets a socket in must therefore register it with
// the engine first and ask the database last. Then either the query sees the commit
// and the answer is no, or the engine knows the socket when Unsubscribe is called.

// entered returns the channels of a company that a user may enter: exactly those
// that channels.Policy allows. The difference between two results is the access that
// a change took away.
func (c *change) entered(companyID, userID int64) (map[string]bool, error) {
	names := map[string]bool{}
	employed, err := c.tx.EmployeeCount(companyID, userID)
	if err != nil || employed == 0 {
		return names, err
	}
	company := channels.CompanyName(companyID)
	names[company], names[channels.PresenceOf(company)] = true, true
	names[channels.CompanyUserName(companyID, userID)] = true
	lines, err := c.tx.OpenLines(companyID, userID)
	for _, l := range lines {
		name := channels.LineName(l.LicenseID, l.Type)
		names[name], names[channels.PresenceOf(name)] = true, true
	}
	return names, err
}

// unsubscribeLost runs f. After the commit it ends the users' subscriptions to the
// channels that they could enter before f and cannot enter after it.
func (s *Service) unsubscribeLost(c *change, companyID int64, userIDs []int64, f func() error) error {
	before := make([]map[string]bool, len(userIDs))
	var err error
	for i, user := range userIDs {
		if before[i], err = c.entered(companyID, user); err != nil {
			return err
		}
	}
	if err := f(); err != nil {
		return err
	}
	for i, user := range userIDs {
		now, err := c.entered(companyID, user)
		if err != nil {
			return err
		}
		lost := slices.DeleteFunc(slices.Sorted(maps.Keys(before[i])), func(name string) bool { return now[name] })
		if len(lost) > 0 {
			c.after = append(c.after, func() { s.Live.Unsubscribe(user, lost...) })
		}
	}
	return nil
}
