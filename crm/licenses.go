package crm

import (
	"context"
	"errors"
	"slices"
	"strings"

	"chatcast/channels"
	"chatcast/models"
)

// LicenseData is a licence in ChatApp's format. There is no billing here: every licence
// is "paid" and has no end, so licenseTo is null.
type LicenseData struct {
	LicenseID   int64           `json:"licenseId"`
	LicenseTo   *int64          `json:"licenseTo"`
	LicenseName string          `json:"licenseName"`
	MeOwner     bool            `json:"meOwner"` // the actor owns the company
	Active      bool            `json:"active"`
	Status      LicenseStatus   `json:"status"`
	Messenger   []MessengerData `json:"messenger"`
	App         []any           `json:"app"`    // integrations; always empty
	Access      []any           `json:"access"` // access of outsiders; always empty
	CompanyID   int64           `json:"companyId"`
	Write       bool            `json:"write"` // the actor may write
}

// LicenseStatus is ChatApp's status of a licence.
type LicenseStatus struct {
	ID   int64  `json:"id"`
	Code string `json:"code"`
}

// MessengerData is a messenger of a licence.
type MessengerData struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

// maxMessengers is how many messengers a licence may have.
const maxMessengers = 50

// Licenses lists the licences that the actor may read, in one company or in all of
// theirs (companyID 0). A key for one line sees that line alone.
func (s *Service) Licenses(ctx context.Context, a Actor, companyID int64) ([]LicenseData, error) {
	tx := s.Store.Read(ctx)
	if companyID != 0 {
		if _, err := memberOrKey(tx, a, companyID, "company"); err != nil {
			return nil, err
		}
	}
	k, err := keyOf(tx, a)
	if err == nil && k != nil && !k.CanRead && !k.CanManage {
		err = lacks(KeyRead)
	}
	if err != nil {
		return nil, err
	}
	list, err := licenses(tx, a)
	return slices.DeleteFunc(list, func(l LicenseData) bool { return companyID != 0 && l.CompanyID != companyID }), err
}

func licenses(tx *models.Tx, a Actor) ([]LicenseData, error) {
	views, err := tx.LicensesOf(a.UserID)
	if err != nil {
		return nil, err
	}
	list, place, ids := make([]LicenseData, 0, len(views)), map[int64]int{}, []int64{}
	for i, v := range views {
		list = append(list, LicenseData{
			LicenseID: v.ID, LicenseName: v.Name, CompanyID: v.CompanyID,
			MeOwner: v.Role == models.RoleOwner, Active: true, Write: v.CanWrite,
			Status:    LicenseStatus{ID: 4, Code: "paid"},
			Messenger: []MessengerData{}, App: []any{}, Access: []any{},
		})
		place[v.ID], ids = i, append(ids, v.ID)
	}
	k, err := keyOf(tx, a)
	if err != nil {
		return nil, err
	}
	messengers, err := tx.MessengersOf(ids)
	for _, m := range messengers {
		if k != nil && !k.Of(m.LicenseID, m.Type) {
			continue
		}
		l := &list[place[m.LicenseID]]
		l.Messenger = append(l.Messenger, MessengerData{Type: m.Type, Name: m.Name})
	}
	return list, err
}

// oneLicense returns one of the licences that the actor may read.
func oneLicense(tx *models.Tx, a Actor, id int64) (*LicenseData, error) {
	list, err := licenses(tx, a)
	for i := range list {
		if list[i].LicenseID == id {
			return &list[i], err
		}
	}
	if err != nil {
		return nil, err
	}
	return nil, notFound("license")
}

// CreateLicense adds a licence to the company, or to the actor's only company when
// companyID is 0.
func (s *Service) CreateLicense(ctx context.Context, a Actor, companyID int64, name string) (*LicenseData, error) {
	if err := checkRequired("name", name, maxName); err != nil {
		return nil, err
	}
	var data *LicenseData
	err := s.change(ctx, func(c *change) error {
		of, err := lineManager(c.tx, a, companyID)
		if err != nil {
			return err
		}
		l := &models.License{CompanyID: of, Name: strings.TrimSpace(name), CreatedAt: c.now.Unix()}
		if err := c.tx.CreateLicense(l); err != nil {
			return err
		}
		if err := c.auditLicense(a, l, AuditLicenseMade, nil); err != nil {
			return err
		}
		data, err = oneLicense(c.tx, a, l.ID)
		return err
	})
	return data, err
}

// managed locks and returns the licence for an owner or admin of its company, or for a key of
// the company that may manage its lines. A licence of another company is not found. Other
// employees and keys are denied, whether or not they may read the licence.
func (c *change) managed(a Actor, licenseID int64) (*models.License, error) {
	l, err := c.tx.LockLicense(licenseID)
	if err != nil {
		return nil, orNotFound(err, "license")
	}
	if _, err := memberOrKey(c.tx, a, l.CompanyID, "license"); err != nil {
		return nil, err
	}
	_, err = lineManager(c.tx, a, l.CompanyID)
	return l, err
}

// RenameLicense changes the licence's name.
func (s *Service) RenameLicense(ctx context.Context, a Actor, licenseID int64, name string) (*LicenseData, error) {
	if err := checkRequired("name", name, maxName); err != nil {
		return nil, err
	}
	var data *LicenseData
	err := s.change(ctx, func(c *change) error {
		l, err := c.managed(a, licenseID)
		if err != nil {
			return err
		}
		name := strings.TrimSpace(name)
		if _, err := c.tx.RenameLicense(licenseID, name); err != nil {
			return err
		}
		if name != l.Name {
			if err := c.auditLicense(a, l, AuditLicenseRenamed, map[string]string{"name": name, "nameBefore": l.Name}); err != nil {
				return err
			}
		}
		data, err = oneLicense(c.tx, a, licenseID)
		return err
	})
	return data, err
}

// DeleteLicense removes the licence with its messengers, chats and messages, and what the
// journal says of them. The subscribers of its channels are unsubscribed at once.
func (s *Service) DeleteLicense(ctx context.Context, a Actor, licenseID int64) error {
	return s.changeWithRetry(ctx, func(c *change) error {
		l, err := c.managed(a, licenseID)
		if err != nil {
			return err
		}
		return s.deleteLicense(c, a, l)
	})
}

// deleteLicense is DeleteLicense for a locked licence that the actor may delete.
func (s *Service) deleteLicense(c *change, a Actor, l *models.License) error {
	lines, err := c.tx.MessengersOf([]int64{l.ID})
	if err == nil {
		err = c.emitDeleted(a, l, "")
	}
	if err != nil {
		return err
	}
	err = s.unsubscribeViewers(c, l, "", func() error { return c.tx.DeleteLicense(l.ID) })
	for _, m := range lines {
		if err == nil {
			err = c.tx.ForgetJournalOf(channels.LineName(l.ID, m.Type))
		}
	}
	if err != nil {
		return err
	}
	if err := errors.Join(s.callbacksRemoved(c), c.instancesChanged()); err != nil {
		return err
	}
	return c.auditLicense(a, l, AuditLicenseRemoved, nil)
}

func (c *change) auditLicense(a Actor, l *models.License, action string, details map[string]string) error {
	return c.audit(l.CompanyID, audited{action: action, by: a.auditor(), on: ofID(targetLicense, l.ID, l.Name), details: details})
}

func (c *change) auditMessenger(a Actor, l *models.License, action, messenger string) error {
	return c.audit(l.CompanyID, audited{action: action, by: a.auditor(), on: lineTarget(l.ID, messenger)})
}

// AddMessenger adds a messenger to the licence. An unknown type is allowed, as a
// bridge. An empty name means the name of the type.
func (s *Service) AddMessenger(ctx context.Context, a Actor, licenseID int64, typ, name string) (*LicenseData, error) {
	var typeViolation error
	if !channels.ValidMessenger(typ) {
		typeViolation = Invalid("type", "must be 1 to 32 letters and digits, a letter first")
	}
	if err := allViolations(typeViolation, checkText("name", name, maxName)); err != nil {
		return nil, err
	}
	if name = strings.TrimSpace(name); name == "" {
		name = LookupMessenger(typ).Name
	}
	var data *LicenseData
	err := s.change(ctx, func(c *change) error {
		l, err := c.managed(a, licenseID)
		if err != nil {
			return err
		}
		has, err := c.tx.MessengersOf([]int64{licenseID})
		if err != nil {
			return err
		}
		if len(has) >= maxMessengers {
			return conflict("the license has reached its number of messengers")
		}
		m := &models.Messenger{LicenseID: licenseID, Type: typ, Name: name, CreatedAt: c.now.Unix()}
		if err := s.addLine(c, a, l.CompanyID, m, &Instance{Websocket: allEvents}); errors.Is(err, models.ErrDuplicate) {
			return conflict("the license has this messenger already")
		} else if err != nil {
			return err
		}
		if err := c.auditMessenger(a, l, AuditMessengerAdded, typ); err != nil {
			return err
		}
		data, err = oneLicense(c.tx, a, licenseID)
		return err
	})
	return data, err
}

// RemoveMessenger removes a messenger from the licence, with its chats and messages, and
// what the journal says of them. The subscribers of its channel are unsubscribed at once.
func (s *Service) RemoveMessenger(ctx context.Context, a Actor, licenseID int64, typ string) (*LicenseData, error) {
	var data *LicenseData
	err := s.changeWithRetry(ctx, func(c *change) error {
		l, err := c.managed(a, licenseID)
		if err != nil {
			return err
		}
		if err := s.deleteMessenger(c, a, l, typ); err != nil {
			return err
		}
		data, err = oneLicense(c.tx, a, licenseID)
		return err
	})
	return data, err
}

// deleteMessenger is RemoveMessenger for a locked licence that the actor may change.
func (s *Service) deleteMessenger(c *change, a Actor, l *models.License, typ string) error {
	if err := c.emitDeleted(a, l, typ); err != nil {
		return err
	}
	err := s.unsubscribeViewers(c, l, typ, func() error { return c.tx.DeleteMessenger(l.ID, typ) })
	if err != nil {
		return orNotFound(err, "messenger")
	}
	if err := c.tx.ForgetJournalOf(channels.LineName(l.ID, typ)); err != nil {
		return err
	}
	if err := errors.Join(s.callbacksRemoved(c), c.instancesChanged()); err != nil {
		return err
	}
	return c.auditMessenger(a, l, AuditMessengerRemoved, typ)
}
