package crm

import (
	"context"

	"chatcast/models"
)

// ContactProfile is what a person lets the line's account see, beside what we know of them.
type ContactProfile struct {
	ID     ID      `json:"id"`
	Phone  *string `json:"phone"`
	LID    *string `json:"lid"`
	Name   string  `json:"name"`   // of our contact; empty: not known
	Exists bool    `json:"exists"` // uses the messenger
	PersonCard
}

// PersonCard is the part of a profile that the messenger shows.
type PersonCard struct {
	About        *string          `json:"about"`        // null: none, or hidden
	PictureURL   *string          `json:"pictureUrl"`   // at the messenger, good for some hours; null: none, or hidden
	BusinessName *string          `json:"businessName"` // that the messenger has verified
	Business     *BusinessProfile `json:"business"`     // null: this is no business
}

// BusinessProfile is what a business tells of itself.
type BusinessProfile struct {
	Description string          `json:"description"`
	Address     string          `json:"address"`
	Email       string          `json:"email"`
	Websites    []string        `json:"websites"`
	Categories  []string        `json:"categories"`
	TimeZone    string          `json:"timeZone"` // of the hours; empty: it has none
	Hours       []BusinessHours `json:"hours"`
}

// BusinessHours are the hours of one day of the week.
type BusinessHours struct {
	Day   string `json:"day"`   // mon, tue, wed, thu, fri, sat, sun
	Mode  string `json:"mode"`  // specific_hours, open_24h or appointment_only
	Open  *int64 `json:"open"`  // minutes since midnight
	Close *int64 `json:"close"` // the same
}

// PersonProfile is what a messenger says of a person.
type PersonProfile struct {
	Exists bool
	Phone  string // digits; empty: not known
	LID    string // ...@lid; empty: none, or not known
	PersonCard
}

// ContactProfile returns what a person lets the line's account see. Somebody who is no
// contact here counts as a number that the messenger is asked about: see CheckContacts.
func (s *Service) ContactProfile(ctx context.Context, a Actor, at ContactAddress) (*ContactProfile, error) {
	if _, err := s.line(s.Store.Read(ctx), a, at.LicenseID, at.Messenger, write); err != nil {
		return nil, err
	}
	key, err := ParseChatID("contactId", at.Messenger, at.ContactID)
	if err == nil && !key.private() {
		err = Invalid("contactId", "must be a person")
	}
	if err != nil {
		return nil, err
	}
	_, to, err := s.profiles(ctx, a, at.Line, write)
	if err != nil {
		return nil, err
	}
	k, err := s.contactSeen(ctx, a, at.Line, key)
	if err != nil {
		return nil, err
	}
	data := &ContactProfile{ID: MakeID(at.Messenger, key.External), Phone: given(key.Phone), LID: given(key.LID)}
	if k != nil {
		data.ID, data.Phone, data.LID, data.Name = MakeID(at.Messenger, k.ExternalID), k.Phone, k.LID, k.Name
	} else if err := s.countChecks(ctx, a, at.Line, 1); err != nil {
		return nil, err
	}
	p, err := to.PersonProfile(asking(ctx, a), at.Line, data.ID.String())
	if err != nil {
		return nil, err
	}
	data.Exists, data.PersonCard = p.Exists, p.PersonCard
	if data.Phone == nil {
		data.Phone = given(p.Phone)
	}
	if data.LID == nil {
		data.LID = given(p.LID)
	}
	return data, nil
}

// contactSeen returns the contact with an id, or nil when there is none. Nor is there one for
// an actor who may not see it: they learn no more than of any number.
func (s *Service) contactSeen(ctx context.Context, a Actor, on Line, key ChatKey) (*models.Contact, error) {
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, write)
	if err != nil {
		return nil, err
	}
	k, chat, err := (&change{tx: tx}).personHere(l, key)
	if err != nil {
		return nil, err
	}
	if err := (&change{tx: tx}).mayRename(l, a, chat); err != nil {
		if isNotFound(err) {
			err = nil
		}
		return nil, err
	}
	return k, nil
}
