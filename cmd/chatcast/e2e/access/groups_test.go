package access_test

import (
	"context"
	"fmt"

	"chatcast/crm"
	"chatcast/models"
)

// The groups of the companies' lines.
var groupIDs = map[string]string{alpha: "120363000000000001@g.us", bravo: "120363000000000002@g.us", absent: "120363000000000009@g.us"}

// withAccounts gives each line of the type an account that is in a group.
func (w *world) withAccounts(messenger string) {
	rules := w.p.Components().Rules
	real := rules.Messengers[messenger]
	rules.Messengers[messenger] = struct {
		crm.Queued
		passkeysOfLines
		groupsOfLines
		numbersOfLines
		accountsOfLines
	}{real.(crm.Queued), passkeysOfLines{real.(crm.PasskeyMessenger)}, groupsOfLines{real.(crm.Configured)}, numbersOfLines{}, accountsOfLines{w.values["contactId"]}}
	for company, id := range groupIDs {
		w.set("groupId", company, id)
	}
	err := w.p.Components().Store.Tx(w.t.Context(), func(tx *models.Tx) error {
		for _, company := range []string{alpha, bravo} { // of the contact, so that all who read the line see it
			license := companyIDs[company] + 100
			of := fmt.Sprint(w.values["messengerType"][company])
			key, err := crm.ParseChatID("", of, fmt.Sprint(w.values["guarded"][company]))
			if err != nil {
				return err
			}
			guarded, err := tx.ChatByExternal(license, of, key.External)
			if err != nil {
				return err
			}
			for key, responsible := range map[string]*int64{"contactId": nil, "guarded": guarded.ResponsibleID} {
				_, err := tx.EnsureChat(&models.Chat{
					CompanyID: companyIDs[company], LicenseID: license, MessengerType: messenger, ResponsibleID: responsible,
					ExternalID: fmt.Sprint(w.values[key][company]) + "@c.us", Hash: key + " of " + company, Type: models.ChatPrivate, Name: company + " customer", Status: models.ChatOpen,
				})
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.set("GroupLink.link", alpha, "https://chat.whatsapp.com/AbCdEfGhIjKl")
	w.set("link", alpha, "https://chat.whatsapp.com/AbCdEfGhIjKl")
}

// passkeysOfLines is embedded for what Queued lacks.
type passkeysOfLines struct{ crm.PasskeyMessenger }

// numbersOfLines answers about numbers for all lines.
type numbersOfLines struct{}

func (numbersOfLines) CheckNumbers(_ context.Context, _ crm.Line, numbers []string, begin func() error) (map[string]crm.CheckedNumber, error) {
	found := map[string]crm.CheckedNumber{}
	for _, number := range numbers {
		found[number] = crm.CheckedNumber{Exists: true, Phone: number}
	}
	return found, begin()
}

func (numbersOfLines) Block(context.Context, crm.Line, string, bool) error { return nil }

// groupsOfLines has the groups of all lines, which are not connected.
type groupsOfLines struct{ settings crm.Configured }

func (g groupsOfLines) Configure(l crm.Line) { g.settings.Configure(l) }

func (groupsOfLines) find(l crm.Line, id string) (*crm.Group, error) {
	for _, company := range []string{alpha, bravo} {
		if l.LicenseID == companyIDs[company]+100 && (id == "" || id == groupIDs[company]) {
			return &crm.Group{ID: groupIDs[company], Name: company + " group", Members: []crm.GroupMember{}}, nil
		}
	}
	return nil, &crm.Error{Code: crm.CodeNotFound, Message: "group not found"}
}

func (g groupsOfLines) Groups(_ context.Context, l crm.Line, _ bool) ([]crm.Group, error) {
	found, err := g.find(l, "")
	if err != nil {
		return nil, err
	}
	return []crm.Group{*found}, nil
}

func (g groupsOfLines) Group(_ context.Context, l crm.Line, id string) (*crm.Group, error) {
	return g.find(l, id)
}

func (g groupsOfLines) GroupByLink(_ context.Context, l crm.Line, _ string) (*crm.Group, error) {
	return g.find(l, "")
}

func (g groupsOfLines) GroupPicture(_ context.Context, l crm.Line, id string) (string, error) {
	_, err := g.find(l, id)
	return "https://pps.whatsapp.net/v/picture.jpg", err
}

func (g groupsOfLines) SetGroupPicture(_ context.Context, l crm.Line, id string, _ []byte) (string, error) {
	_, err := g.find(l, id)
	return "1", err
}

func (g groupsOfLines) GroupLink(_ context.Context, l crm.Line, id string, _ bool) (string, error) {
	_, err := g.find(l, id)
	return "https://chat.whatsapp.com/AbCdEfGhIjKl", err
}

func (g groupsOfLines) CreateGroup(_ context.Context, l crm.Line, in crm.GroupInput) (*crm.CreatedGroup, error) {
	found, err := g.find(l, "")
	if err != nil {
		return nil, err
	}
	return &crm.CreatedGroup{Group: *found, Members: []crm.MemberResult{}}, nil
}

func (g groupsOfLines) ChangeGroup(_ context.Context, l crm.Line, id string, _ crm.GroupChanges) error {
	_, err := g.find(l, id)
	return err
}

func (g groupsOfLines) ChangeMembers(_ context.Context, l crm.Line, id string, _ crm.MemberChange, _ []string) ([]crm.MemberResult, error) {
	_, err := g.find(l, id)
	return []crm.MemberResult{}, err
}

func (g groupsOfLines) JoinGroup(_ context.Context, l crm.Line, _ string) (*crm.JoinedGroup, error) {
	found, err := g.find(l, "")
	if err != nil {
		return nil, err
	}
	return &crm.JoinedGroup{ID: found.ID, Group: found}, nil
}

func (g groupsOfLines) LeaveGroup(_ context.Context, l crm.Line, id string) error {
	_, err := g.find(l, id)
	return err
}
