package crm

import (
	"context"

	"chatcast/models"
)

// InstanceTokens is InstanceToken for these instances, by their ids. One for which that returns
// nil has none.
func (s *Service) InstanceTokens(ctx context.Context, a Actor, list []Instance) (map[string]string, error) {
	if !s.ExposeTokens || len(list) == 0 {
		return nil, nil
	}
	tx, companies := s.Store.Read(ctx), companiesOf(list)
	may, err := tx.LinesAccess(a.UserID, companies)
	if err != nil {
		return nil, err
	}
	rows, err := tx.InstancesOf(companies)
	if err != nil {
		return nil, err
	}
	asked := make(map[string]bool, len(list))
	for k := range list {
		asked[list[k].ID] = true
	}
	kept := map[string]*models.Instance{} // by the hash of the token
	var hashes []string
	for k := range rows {
		row := &rows[k]
		acc := may[models.Line{LicenseID: row.LicenseID, Type: row.MessengerType}]
		if asked[row.ID] && row.Token != "" && acc != nil && manage.allowed(acc) == nil {
			hash := hashToken(row.Token)
			kept[hash], hashes = row, append(hashes, hash)
		}
	}
	if len(hashes) == 0 {
		return nil, nil
	}
	keys, err := tx.KeysByHash(hashes)
	if err != nil {
		return nil, err
	}
	rights, err := givable(tx, a)
	if err != nil {
		return nil, err
	}
	tokens := map[string]string{}
	for k := range keys {
		row := kept[keys[k].Hash]
		if keys[k].LicenseID != nil && *keys[k].LicenseID == row.LicenseID && givesAll(rights, &keys[k]) {
			tokens[row.ID] = row.Token
		}
	}
	return tokens, nil
}
