package crm

import (
	"chatcast/models"
)

// employment returns the actor's employment in the company, or in their only company
// when companyID is 0. A key of the company is CodeDenied.
func employment(tx *models.Tx, a Actor, companyID int64) (*models.Employee, error) {
	if companyID != 0 {
		e, err := tx.EmployeeOf(companyID, a.UserID)
		return e, notKey(tx, a, companyID, orNotFound(err, "company"))
	}
	all, err := tx.Employments(a.UserID)
	if err != nil {
		return nil, err
	}
	switch len(all) {
	case 0:
		return nil, notKey(tx, a, 0, notFound("company"))
	case 1:
		return &all[0], nil
	}
	return nil, Invalid("companyId", "is required: you work for several companies")
}

// requireCatalogueAdmin is employment for an actor who may change the company's
// catalogues. Operators may only read them.
func requireCatalogueAdmin(tx *models.Tx, a Actor, companyID int64) (*models.Employee, error) {
	return ownerOrAdmin(tx, a, companyID, "change tags and levels")
}

// ownerOrAdmin is employment for owners and admins. Other actors are denied.
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

// member returns a not-found error for an object of a company that the actor does not
// work for. A key of the company is CodeDenied.
func member(tx *models.Tx, a Actor, companyID int64, what string) error {
	_, err := tx.EmployeeOf(companyID, a.UserID)
	return notKey(tx, a, companyID, orNotFound(err, what))
}

// memberOrKey is member for what keys of the company may use too. It returns the key, or
// nil for a person.
func memberOrKey(tx *models.Tx, a Actor, companyID int64, what string) (*models.APIKey, error) {
	err := member(tx, a, companyID, what)
	if err != ErrForPeople {
		return nil, err
	}
	k, err := keyIn(tx, a, companyID)
	if err == nil && k == nil { // it was revoked since
		err = notFound(what)
	}
	return k, err
}

// mayKeep is requireCatalogueAdmin for an object of the company. Actors who do not work
// there get a not-found error.
func mayKeep(tx *models.Tx, a Actor, companyID int64, what string) error {
	if err := member(tx, a, companyID, what); err != nil {
		return err
	}
	_, err := requireCatalogueAdmin(tx, a, companyID)
	return err
}
