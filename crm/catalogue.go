package crm

import "chatcast/models"

// Limits of what a catalogue holds.
const (
	maxSort     = 1_000_000_000 // of sort, either way
	defaultSort = 100
)

// employment is the actor's employment in the company, or in their only one when
// companyID is 0.
func employment(tx *models.Tx, a Actor, companyID int64) (*models.Employee, error) {
	if companyID != 0 {
		e, err := tx.EmployeeOf(companyID, a.UserID)
		return e, orNotFound(err, "company")
	}
	all, err := tx.Employments(a.UserID)
	if err != nil {
		return nil, err
	}
	switch len(all) {
	case 0:
		return nil, notFound("company")
	case 1:
		return &all[0], nil
	}
	return nil, Invalid("companyId", "is required: you work for several companies")
}

// keeper is employment for somebody who may change the company's catalogues:
// operators may only read them.
func keeper(tx *models.Tx, a Actor, companyID int64) (*models.Employee, error) {
	e, err := employment(tx, a, companyID)
	if err != nil {
		return nil, err
	}
	if e.Role != models.RoleOwner && e.Role != models.RoleAdmin {
		return nil, denied("only owners and admins may change tags and levels")
	}
	return e, nil
}

// member hides an object of a company that the actor does not work for.
func member(tx *models.Tx, a Actor, companyID int64, what string) error {
	_, err := tx.EmployeeOf(companyID, a.UserID)
	return orNotFound(err, what)
}

// checkNamed checks the fields that every catalogue object has. creating wants a
// name.
func checkNamed(name Field[string], sort Field[int64], creating bool) error {
	var nameFault error
	if creating || name.Set {
		nameFault = name.required("name")
		if nameFault == nil {
			nameFault = checkRequired("name", name.Value, maxName)
		}
	}
	sortFault := sort.notNull("sort")
	if sort.Value < -maxSort || sort.Value > maxSort {
		sortFault = Invalid("sort", "must be from %d to %d", -maxSort, maxSort)
	}
	return allFaults(nameFault, sortFault)
}

// sortKey is the place after which a page of a list by sort begins.
func sortKey(after []int64) *models.SortKey {
	if after == nil {
		return nil
	}
	return &models.SortKey{Sort: after[0], ID: after[1]}
}
