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

// CountLine counts what a line has. Its callers have asked for permission.
func (s *Service) CountLine(ctx context.Context, on Line) (models.LineFigures, error) {
	return s.Store.Read(ctx).CountLine(on.LicenseID, on.Messenger)
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
