package crm

import (
	"context"
	"slices"

	"chatcast/models"
)

// Instances lists the instances of the lines that the actor may use, by company and name.
func (s *Service) Instances(ctx context.Context, a Actor) ([]Instance, error) {
	tx := s.Store.Read(ctx)
	companies, err := tx.CompaniesOf(a.UserID)
	if err != nil || len(companies) == 0 {
		return nil, err
	}
	rows, err := tx.InstancesOf(companies)
	if err != nil {
		return nil, err
	}
	may, err := tx.LinesAccess(a.UserID, companies)
	if err != nil {
		return nil, err
	}
	calls, err := tx.CallSettings(companies)
	if err != nil {
		return nil, err
	}
	set := make(map[models.Line]*models.LineSettings, len(calls))
	for k := range calls {
		set[models.Line{LicenseID: calls[k].LicenseID, Type: calls[k].MessengerType}] = &calls[k]
	}
	var list []Instance
	for k := range rows {
		row, on := &rows[k], models.Line{LicenseID: rows[k].LicenseID, Type: rows[k].MessengerType}
		if !mayUseAny(may[on]) {
			continue
		}
		i, err := shownTo(may[on], row, set[on])
		if err != nil {
			return nil, err
		}
		list = append(list, *i)
	}
	return list, nil
}

// companiesOf lists the companies of instances.
func companiesOf(list []Instance) (ids []int64) {
	for k := range list {
		ids = append(ids, list[k].CompanyID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
