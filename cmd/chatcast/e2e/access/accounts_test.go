package access_test

import (
	"context"
	"fmt"

	"chatcast/crm"
)

// accountsOfLines answers for the accounts of all lines. Each knows one person.
type accountsOfLines struct{ people map[string]any }

func (accountsOfLines) of(l crm.Line) string {
	for _, company := range []string{alpha, bravo} {
		if l.LicenseID == companyIDs[company]+100 {
			return company
		}
	}
	return absent
}

func (a accountsOfLines) Profile(_ context.Context, l crm.Line) (*crm.AccountProfile, error) {
	return &crm.AccountProfile{Phone: "79990001122", Name: a.of(l) + " account"}, nil
}

func (a accountsOfLines) PersonProfile(_ context.Context, l crm.Line, id string) (*crm.PersonProfile, error) {
	if id != fmt.Sprint(a.people[a.of(l)])+"@c.us" {
		return nil, &crm.Error{Code: crm.CodeNotFound, Message: "nobody"}
	}
	return &crm.PersonProfile{Exists: true}, nil
}

func (accountsOfLines) SetName(context.Context, crm.Line, string) error           { return nil }
func (accountsOfLines) SetAbout(context.Context, crm.Line, string) error          { return nil }
func (accountsOfLines) SetProfilePicture(context.Context, crm.Line, []byte) error { return nil }
func (accountsOfLines) SetPresence(context.Context, crm.Line, bool) error         { return nil }
func (accountsOfLines) Privacy(context.Context, crm.Line) (*crm.Privacy, error) {
	return &crm.Privacy{ReadReceipts: "all", Picture: "all", About: "all", Online: "all", LastSeen: "all", GroupAdd: "all"}, nil
}

func (accountsOfLines) SetPrivacy(context.Context, crm.Line, crm.PrivacySetting, string) error {
	return nil
}

func (accountsOfLines) PostStatus(context.Context, crm.Line, string, crm.StatusPost, *crm.StatusFile) (int64, error) {
	return 1767000000, nil
}

func (accountsOfLines) SetChatState(context.Context, crm.Line, crm.ChatPlace, crm.ChatStateChanges) error {
	return nil
}
