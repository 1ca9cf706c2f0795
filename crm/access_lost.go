package crm

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"chatcast/channels"
	"chatcast/models"
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
	if err != nil {
		return nil, err
	}
	if employed > 0 {
		company := channels.CompanyName(companyID)
		names[company], names[channels.PresenceOf(company)] = true, true
		names[channels.CompanyUserName(companyID, userID)] = true
	}
	lines, err := c.tx.OpenLines(companyID, userID)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		name := channels.LineName(l.LicenseID, l.Type)
		names[name] = true
		if employed > 0 { // a key is in no list of people
			names[channels.PresenceOf(name)] = true
		}
	}
	pairs, err := c.tx.PairableLines(companyID, userID)
	if err != nil {
		return nil, err
	}
	for _, l := range pairs {
		names[channels.PairingName(l.LicenseID, l.Type)] = true
	}
	all, err := mayReadLines(c.tx, userID, companyID)
	if all {
		names[channels.CompanyLinesName(companyID)] = true
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
	if err := c.endLinks(companyID, userIDs, f); err != nil {
		return err
	}
	for i, user := range userIDs {
		now, err := c.entered(companyID, user)
		if err != nil {
			return err
		}
		lost := slices.DeleteFunc(slices.Sorted(maps.Keys(before[i])), func(name string) bool { return now[name] })
		if len(lost) > 0 {
			c.endAccess(models.AccessEnd{UserID: user, Kind: models.EndOfChannels, Channels: lost})
		}
	}
	return nil
}

// unsubscribeViewers is unsubscribeLost for all users who may read the licence, and for keys
// of the company. It ends the keys of the licence's line, or of all its lines when messenger
// is empty, which f removes.
func (s *Service) unsubscribeViewers(c *change, l *models.License, messenger string, f func() error) error {
	if _, err := c.tx.LockCompany(l.CompanyID); err != nil { // before the employees' rights, as changes of employees do
		return orNotFound(err, "license")
	}
	viewers, err := c.tx.Viewers(l.ID)
	if err != nil {
		return err
	}
	ids, err := c.tx.CompanyKeyUsers(l.CompanyID)
	if err != nil {
		return err
	}
	for _, v := range viewers {
		ids = append(ids, v.UserID)
	}
	if err := c.endKeysOf(l.ID, messenger); err != nil {
		return err
	}
	return s.unsubscribeLost(c, l.CompanyID, ids, f)
}

// endLinks runs f, and ends the signed links of the company's files when one of the users
// could read more before f than after it. An event has one link for all who receive it,
// so the links of their colleagues end too; those get new ones with the next list.
func (c *change) endLinks(companyID int64, userIDs []int64, f func() error) error {
	before := make([]map[string]bool, len(userIDs))
	var err error
	for i, user := range userIDs {
		if before[i], err = c.readable(companyID, user); err != nil {
			return err
		}
	}
	if err := f(); err != nil {
		return err
	}
	for i, user := range userIDs {
		now, err := c.readable(companyID, user)
		if err != nil {
			return err
		}
		for what := range before[i] {
			if !now[what] && !now[everything] {
				return c.tx.EndLinks(companyID)
			}
		}
	}
	return nil
}

// everything is what owners and admins may read.
const everything = "everything"

// readable returns what a user may read of a company, in words that are only compared
// with each other.
func (c *change) readable(companyID, userID int64) (map[string]bool, error) {
	employee, err := c.tx.EmployeeOf(companyID, userID)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if employee.Role != models.RoleOperator {
		return map[string]bool{everything: true}, nil
	}
	what := map[string]bool{}
	licenses, err := c.tx.EmployeeLicenses(companyID, []int64{userID})
	for _, l := range licenses {
		what[fmt.Sprintf("own chats of %d", l.LicenseID)] = true
		if !employee.OnlyMine {
			what[fmt.Sprintf("all chats of %d", l.LicenseID)] = true
		}
	}
	return what, err
}
