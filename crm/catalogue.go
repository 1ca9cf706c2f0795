package crm

import (
	"context"

	"chatcast/models"
)

// Limits of what a catalogue holds.
const (
	maxSort     = 1_000_000_000 // of sort, either way
	defaultSort = 100
)

// deleteBatch is how many chats one transaction takes a tag, a level or a leaving
// employee from.
const deleteBatch = 100

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

// requireCatalogueAdmin is employment for somebody who may change the company's catalogues:
// operators may only read them.
func requireCatalogueAdmin(tx *models.Tx, a Actor, companyID int64) (*models.Employee, error) {
	return ownerOrAdmin(tx, a, companyID, "change tags and levels")
}

// ownerOrAdmin is employment for owners and admins; who is neither may not do it.
func ownerOrAdmin(tx *models.Tx, a Actor, companyID int64, it string) (*models.Employee, error) {
	e, err := employment(tx, a, companyID)
	if err != nil {
		return nil, err
	}
	if e.Role != models.RoleOwner && e.Role != models.RoleAdmin {
		return nil, denied("only owners and admins may " + it)
	}
	return e, nil
}

// member hides an object of a company that the actor does not work for.
func member(tx *models.Tx, a Actor, companyID int64, what string) error {
	_, err := tx.EmployeeOf(companyID, a.UserID)
	return orNotFound(err, what)
}

// mayKeep is requireCatalogueAdmin for an object of the company, which is hidden from who does
// not work there.
func mayKeep(tx *models.Tx, a Actor, companyID int64, what string) error {
	if err := member(tx, a, companyID, what); err != nil {
		return err
	}
	_, err := requireCatalogueAdmin(tx, a, companyID)
	return err
}

// untilDone is change, in as many transactions as f needs until it is done: what
// was told is true after each of them.
func (s *Service) untilDone(ctx context.Context, f func(c *change) (done bool, err error)) error {
	for {
		var done bool
		err := s.change(ctx, func(c *change) (err error) {
			done, err = f(c)
			return err
		})
		if err != nil || done {
			return err
		}
	}
}

// NamedInput is a tag category or a level to make, or what to change of one:
// fields that are not given stay as they are.
type NamedInput struct {
	CompanyID int64         `json:"companyId"` // 0: the actor's only company; of a new object alone
	Name      Field[string] `json:"name"`
	Sort      Field[int64]  `json:"sort"` // 100 when absent
}

// apply sets what was given and says whether that changed anything.
func (in NamedInput) apply(name *string, sort *int64, creating bool) (changed bool, err error) {
	if err := checkNamed(in.Name, in.Sort, creating); err != nil {
		return false, err
	}
	renamed, moved := into(name, in.Name), into(sort, in.Sort)
	return renamed || moved, nil
}

// checkNamed checks the fields that every catalogue object has. creating wants a
// name.
func checkNamed(name Field[string], sort Field[int64], creating bool) error {
	var nameViolation error
	if creating || name.Set {
		nameViolation = name.required("name")
		if nameViolation == nil {
			nameViolation = checkRequired("name", name.Value, maxName)
		}
	}
	sortViolation := sort.notNull("sort")
	if sort.Value < -maxSort || sort.Value > maxSort {
		sortViolation = Invalid("sort", "must be from %d to %d", -maxSort, maxSort)
	}
	return allViolations(nameViolation, sortViolation)
}

// sortKey is the place after which a page of a list by sort begins.
func sortKey(after []int64) *models.SortKey {
	if after == nil {
		return nil
	}
	return &models.SortKey{Sort: after[0], ID: after[1]}
}
