package crm

import (
	"context"
	"slices"
	"strings"
)

// Privacy is who sees what of a line's account, in the messenger's own words.
type Privacy struct {
	ReadReceipts string `json:"readReceipts"` // whether people are told that their messages were read
	Picture      string `json:"picture"`
	About        string `json:"about"`
	Online       string `json:"online"`
	LastSeen     string `json:"lastSeen"`
	GroupAdd     string `json:"groupAdd"` // who may add the account to groups
}

// PrivacyChanges are changes of Privacy. Absent fields stay as they are.
type PrivacyChanges struct {
	ReadReceipts Field[string] `json:"readReceipts"`
	Picture      Field[string] `json:"picture"`
	About        Field[string] `json:"about"`
	Online       Field[string] `json:"online"`
	LastSeen     Field[string] `json:"lastSeen"`
	GroupAdd     Field[string] `json:"groupAdd"`
}

// PrivacySetting names one setting of Privacy.
type PrivacySetting string

// The settings of Privacy.
const (
	PrivacyReadReceipts PrivacySetting = "readReceipts"
	PrivacyPicture      PrivacySetting = "picture"
	PrivacyAbout        PrivacySetting = "about"
	PrivacyOnline       PrivacySetting = "online"
	PrivacyLastSeen     PrivacySetting = "lastSeen"
	PrivacyGroupAdd     PrivacySetting = "groupAdd"
)

// Who sees something.
const (
	SeenByAll      = "all"
	SeenByContacts = "contacts"
	SeenByMost     = "contact_blacklist" // contacts, but those that the phone names
	SeenByNobody   = "none"
	SeenAsLastSeen = "match_last_seen"
)

// privacyValues are the values that a setting may be given.
var privacyValues = map[PrivacySetting][]string{
	PrivacyReadReceipts: {SeenByAll, SeenByNobody},
	PrivacyPicture:      {SeenByAll, SeenByContacts, SeenByMost, SeenByNobody},
	PrivacyAbout:        {SeenByAll, SeenByContacts, SeenByMost, SeenByNobody},
	PrivacyOnline:       {SeenByAll, SeenAsLastSeen},
	PrivacyLastSeen:     {SeenByAll, SeenByContacts, SeenByMost, SeenByNobody},
	PrivacyGroupAdd:     {SeenByAll, SeenByContacts, SeenByMost},
}

// PrivacyMessenger is a Messenger whose accounts have settings about who sees what.
type PrivacyMessenger interface {
	Messenger
	Privacy(ctx context.Context, l Line) (*Privacy, error)
	SetPrivacy(ctx context.Context, l Line, what PrivacySetting, value string) error
}

// privacyChange is one of PrivacyChanges.
type privacyChange struct {
	what  PrivacySetting
	value string
}

// check returns the changes in the order in which they are made.
func (ch *PrivacyChanges) check() (changes []privacyChange, err error) {
	var errs []error
	for _, f := range []struct {
		what  PrivacySetting
		value Field[string]
	}{
		{PrivacyReadReceipts, ch.ReadReceipts}, {PrivacyPicture, ch.Picture}, {PrivacyAbout, ch.About},
		{PrivacyOnline, ch.Online}, {PrivacyLastSeen, ch.LastSeen}, {PrivacyGroupAdd, ch.GroupAdd},
	} {
		if !f.value.Set {
			continue
		}
		if all := privacyValues[f.what]; !slices.Contains(all, f.value.Value) {
			errs = append(errs, Invalid(string(f.what), "must be one of %s", strings.Join(all, ", ")))
		}
		changes = append(changes, privacyChange{f.what, f.value.Value})
	}
	return changes, allViolations(errs...)
}

// privacyOf authorises the actor on the line, and returns what asks for its settings.
func (s *Service) privacyOf(ctx context.Context, a Actor, on Line) (PrivacyMessenger, error) {
	_, connector, err := s.connectorFor(ctx, a, on, manage)
	if err != nil {
		return nil, err
	}
	to, ok := connector.(PrivacyMessenger)
	if !ok || !IsWhatsApp(on.Messenger) {
		return nil, conflict("lines of this type have no account, so nobody sees anything of it")
	}
	return to, nil
}

// Privacy returns who sees what of a line's account. Only owners and admins may know.
func (s *Service) Privacy(ctx context.Context, a Actor, on Line) (*Privacy, error) {
	to, err := s.privacyOf(ctx, a, on)
	if err != nil {
		return nil, err
	}
	return to.Privacy(ctx, on)
}

// ChangePrivacy changes who sees what of a line's account, one setting after the other. Only
// owners and admins may do so. When one is refused, those before it stay changed.
func (s *Service) ChangePrivacy(ctx context.Context, a Actor, on Line, ch PrivacyChanges) (*Privacy, error) {
	to, err := s.privacyOf(ctx, a, on)
	if err != nil {
		return nil, err
	}
	changes, err := ch.check()
	if err != nil {
		return nil, err
	}
	for _, one := range changes {
		if err := to.SetPrivacy(asking(ctx, a), on, one.what, one.value); err != nil {
			return nil, err
		}
		if err := s.recordAccount(ctx, a, on, AuditLinePrivacy, map[string]string{string(one.what): one.value}); err != nil {
			return nil, err
		}
	}
	return to.Privacy(ctx, on)
}
