package crm

import (
	"context"
	"strings"

	"chatcast/models"
)

// Limits of an account's profile, as WhatsApp has them.
const (
	maxProfileName = 25 // characters
	maxAbout       = 139
)

// AccountProfile is what people see of a line's account.
type AccountProfile struct {
	Phone    string  `json:"phone"`
	LID      *string `json:"lid"`
	Name     string  `json:"name"`  // empty: not known yet
	About    string  `json:"about"` // empty: none
	Business bool    `json:"business"`
	// PictureURL is an address at the messenger that is good for some hours, mostly;
	// null: there is no picture.
	PictureURL *string `json:"pictureUrl"`
}

// AccountLooks is what people see of a line's account beside its name, and what is kept of it.
type AccountLooks struct {
	PictureURL string // an address at the messenger that is good for some days; empty: no picture
	About      string // empty: none
}

// SetAccountLooks stores what a messenger says about the looks of a line's account.
func (s *Service) SetAccountLooks(ctx context.Context, on Line, looks AccountLooks) error {
	return s.Store.Tx(ctx, func(tx *models.Tx) error {
		return tx.SetAccountLooks(on.LicenseID, on.Messenger, looks.PictureURL, looks.About)
	})
}

// ProfileChanges are changes of an AccountProfile. Absent fields stay as they are.
type ProfileChanges struct {
	Name  Field[string] `json:"name"`
	About Field[string] `json:"about"` // empty: none
}

// ProfileMessenger is a Messenger whose accounts have a profile, and see those of people.
type ProfileMessenger interface {
	Messenger
	Profile(ctx context.Context, l Line) (*AccountProfile, error)
	SetName(ctx context.Context, l Line, name string) error
	SetAbout(ctx context.Context, l Line, about string) error
	// SetProfilePicture gives the account a picture, or without one takes it away.
	SetProfilePicture(ctx context.Context, l Line, picture []byte) error
	// PersonProfile returns what a person lets the account see. id is that on the wire.
	PersonProfile(ctx context.Context, l Line, id string) (*PersonProfile, error)
}

func (ch *ProfileChanges) check() error {
	errs := []error{ch.Name.notNull("name"), ch.About.notNull("about")}
	if ch.Name.Set && !ch.Name.Null {
		errs = append(errs, checkRequired("name", ch.Name.Value, maxProfileName))
		ch.Name.Value = strings.TrimSpace(ch.Name.Value)
	}
	return allViolations(append(errs, checkText("about", ch.About.Value, maxAbout))...)
}

// profiles authorises the actor on the line, and returns what asks for profiles.
func (s *Service) profiles(ctx context.Context, a Actor, on Line, n need) (*line, ProfileMessenger, error) {
	l, connector, err := s.connectorFor(ctx, a, on, n)
	if err != nil {
		return nil, nil, err
	}
	to, ok := connector.(ProfileMessenger)
	if !ok || !IsWhatsApp(on.Messenger) {
		return nil, nil, conflict("lines of this type have no account that could have a profile")
	}
	return l, to, nil
}

// Profile returns what people see of a line's account.
func (s *Service) Profile(ctx context.Context, a Actor, on Line) (*AccountProfile, error) {
	_, to, err := s.profiles(ctx, a, on, read)
	if err != nil {
		return nil, err
	}
	return to.Profile(ctx, on)
}

// ChangeProfile changes the name and the text about a line's account, one after the other.
// Only owners and admins may do so. When the second is refused, the first stays changed.
func (s *Service) ChangeProfile(ctx context.Context, a Actor, on Line, ch ProfileChanges) (*AccountProfile, error) {
	_, to, err := s.profiles(ctx, a, on, manage)
	if err != nil {
		return nil, err
	}
	if err := ch.check(); err != nil {
		return nil, err
	}
	if ch.Name.Set {
		if err := to.SetName(asking(ctx, a), on, ch.Name.Value); err != nil {
			return nil, err
		}
		if err := s.recordAccount(ctx, a, on, AuditLineProfile, map[string]string{"name": ch.Name.Value}); err != nil {
			return nil, err
		}
	}
	if ch.About.Set {
		if err := to.SetAbout(asking(ctx, a), on, ch.About.Value); err != nil {
			return nil, err
		}
		if err := s.recordAccount(ctx, a, on, AuditLineProfile, map[string]string{"about": ch.About.Value}); err != nil {
			return nil, err
		}
	}
	return to.Profile(ctx, on)
}

// SetProfilePicture gives a line's account a picture. Only owners and admins may do so.
func (s *Service) SetProfilePicture(ctx context.Context, a Actor, on Line, picture []byte) error {
	_, to, err := s.profiles(ctx, a, on, manage)
	if err != nil {
		return err
	}
	if err := checkPicture("picture", picture); err != nil {
		return err
	}
	if err := to.SetProfilePicture(asking(ctx, a), on, picture); err != nil {
		return err
	}
	return s.recordAccount(ctx, a, on, AuditLineProfile, map[string]string{"picture": "set"})
}

// RemoveProfilePicture takes the picture of a line's account away. Only owners and admins
// may do so.
func (s *Service) RemoveProfilePicture(ctx context.Context, a Actor, on Line) error {
	_, to, err := s.profiles(ctx, a, on, manage)
	if err != nil {
		return err
	}
	if err := to.SetProfilePicture(asking(ctx, a), on, nil); err != nil {
		return err
	}
	return s.recordAccount(ctx, a, on, AuditLineProfile, map[string]string{"picture": "removed"})
}

// recordAccount writes an entry about a line's account into the audit log. It does so even
// when the client has gone meanwhile, because it was done.
func (s *Service) recordAccount(ctx context.Context, a Actor, on Line, action string, details map[string]string) error {
	return s.changeWithRetry(context.WithoutCancel(ctx), func(c *change) error {
		l, err := lineForConnector(c.tx, on)
		if err != nil {
			return err
		}
		return c.audit(l.companyID, audited{action: action, by: a.auditor(), on: lineTarget(on.LicenseID, on.Messenger), details: details})
	})
}
