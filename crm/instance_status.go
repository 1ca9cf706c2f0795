package crm

import (
	"context"

	"chatcast/models"
)

// InstanceStatus returns the status of an instance's line.
func (s *Service) InstanceStatus(ctx context.Context, a Actor, name string) (LineStatus, error) {
	tx := s.Store.Read(ctx)
	row, err := instanceNamed(tx, a, name)
	if err != nil {
		return LineStatus{}, err
	}
	on := Line{LicenseID: row.LicenseID, Messenger: row.MessengerType}
	access, err := tx.LineAccess(a.UserID, on.LicenseID, on.Messenger)
	if err != nil {
		return LineStatus{}, orNotFound(err, "instance")
	}
	connector, err := s.messenger(on.Messenger)
	if err != nil {
		return LineStatus{}, err
	}
	return s.lineStatus(ctx, &line{companyID: access.CompanyID, licenseID: on.LicenseID, messenger: on.Messenger, access: *access}, connector, on)
}

// OfSession is a Messenger that knows the status of a line by its session alone, so that those of
// many lines are read together.
type OfSession interface {
	Messenger
	// StatusOf is Status for a line with this session; nil: it has none.
	StatusOf(ctx context.Context, on Line, x *LineSession) (LineStatus, error)
}

// InstanceStates returns the status of these instances' lines, by the id of the instance. One
// whose line the actor may not use, or that is gone, has none.
func (s *Service) InstanceStates(ctx context.Context, a Actor, list []Instance) (map[string]LineStatus, error) {
	if len(list) == 0 {
		return nil, nil
	}
	tx, companies := s.Store.Read(ctx), companiesOf(list)
	may, err := tx.LinesAccess(a.UserID, companies)
	if err != nil {
		return nil, err
	}
	rows, err := tx.SessionsOf(companies)
	if err != nil {
		return nil, err
	}
	sessions := make(map[Line]*LineSession, len(rows))
	for k := range rows {
		x := lineSession(&rows[k], s.Now()) // nothing here asks whether somebody serves it
		x.RestrictedUntil = restrictionAt(x.RestrictedUntil, s.Now())
		sessions[x.Line] = x
	}
	states := make(map[string]LineStatus, len(list))
	for k := range list {
		on := list[k].Line
		acc := may[models.Line{LicenseID: on.LicenseID, Type: on.Messenger}]
		if !mayUseAny(acc) {
			continue
		}
		connector, err := s.messenger(on.Messenger)
		if err != nil {
			return nil, err
		}
		l := &line{companyID: acc.CompanyID, licenseID: on.LicenseID, messenger: on.Messenger, access: *acc}
		var status LineStatus
		if of, ok := connector.(OfSession); ok {
			status, err = of.StatusOf(ctx, on, sessions[on])
		} else {
			status, err = connector.Status(ctx, on)
		}
		if states[list[k].ID], err = l.statusOf(connector, status, err, func() (*LineSession, error) { return sessions[on], nil }); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// CountLines counts what lines have, at once. Its callers have asked for permission.
func (s *Service) CountLines(ctx context.Context, lines []Line) (map[Line]models.LineFigures, error) {
	keys := make([]models.Line, len(lines))
	for i, l := range lines {
		keys[i] = models.Line{LicenseID: l.LicenseID, Type: l.Messenger}
	}
	counted, err := s.Store.Read(ctx).CountLines(keys)
	if err != nil {
		return nil, err
	}
	figures := make(map[Line]models.LineFigures, len(lines))
	for i, l := range lines {
		figures[l] = counted[keys[i]]
	}
	return figures, nil
}

// Restarter is a Messenger whose connections can be renewed.
type Restarter interface {
	Messenger
	// Restart ends the connection of a line that is connected, and makes a new one.
	Restart(ctx context.Context, l Line) error
}

// RestartLine renews the connection of a line. Only who may manage the line may do so.
func (s *Service) RestartLine(ctx context.Context, a Actor, on Line) error {
	_, connector, err := s.connectorFor(ctx, a, on, manage)
	if err != nil {
		return err
	}
	to, ok := connector.(Restarter)
	if !ok {
		return conflict("lines of this type have no connection that could be renewed")
	}
	return to.Restart(asking(ctx, a), on)
}
