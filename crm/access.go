package crm

import (
	"context"
	"errors"

	"chatcast/channels"
	"chatcast/models"
)

var _ channels.Access = (*Service)(nil)

// line is one messenger of one licence, as an actor sees it.
type line struct {
	companyID int64
	licenseID int64
	messenger string
	access    models.Access
}

// need is what an action asks of the actor's access to a line.
type need bool

const (
	read  need = false
	write need = true
)

// line authorises the actor on a line. What the actor's company does not have
// is not found; what they may not do is denied. An employee without read on the
// licence does not learn what it holds: denied too.
func (s *Service) line(tx *models.Tx, a Actor, licenseID int64, messenger string, n need) (*line, error) {
	if !channels.ValidMessenger(messenger) { // a path can hold what no database takes
		return nil, notFound("license or messenger")
	}
	acc, err := tx.LineAccess(a.UserID, licenseID, messenger)
	if err != nil {
		return nil, orNotFound(err, "license or messenger")
	}
	if !acc.Read {
		return nil, denied("no access to this license")
	}
	if n == write && !acc.Write {
		return nil, denied("no write access to this license")
	}
	return &line{companyID: acc.CompanyID, licenseID: licenseID, messenger: messenger, access: *acc}, nil
}

// sees says whether the actor may see a chat with this responsible.
func (l *line) sees(a Actor, responsible *int64) bool {
	return !l.access.OnlyMine || responsible == nil || *responsible == a.UserID
}

// lineChannels are the channels of an event about a chat: the line's own, and
// that of every employee who may see the chat. responsibles are the chat's
// before and after the change, so that who loses a chat hears of it.
func (c *change) lineChannels(companyID, licenseID int64, messenger string, responsibles ...*int64) ([]string, error) {
	viewers, err := c.tx.Viewers(licenseID)
	if err != nil {
		return nil, err
	}
	names := []string{channels.LineName(licenseID, messenger)}
	for _, v := range viewers {
		sees := !v.OnlyMine
		for _, r := range responsibles {
			sees = sees || r == nil || *r == v.UserID
		}
		if sees {
			names = append(names, channels.CompanyUserName(companyID, v.UserID))
		}
	}
	return names, nil
}

// MayReadLine implements channels.Access. An operator who may see only their own
// chats may not enter the line's channel, which carries everybody's: theirs is
// private-v1.companies.{id}.users.{id}.
func (s *Service) MayReadLine(ctx context.Context, userID, licenseID int64, messenger string) (bool, error) {
	acc, err := s.Store.Read(ctx).LineAccess(userID, licenseID, messenger)
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return acc.Read && !acc.OnlyMine, nil
}

// Employed implements channels.Access.
func (s *Service) Employed(ctx context.Context, userID, companyID int64) (bool, error) {
	_, err := s.Store.Read(ctx).EmployeeOf(companyID, userID)
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
