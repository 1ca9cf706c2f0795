package multiwa_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

const team = "120363000000000001@g.us"

// phone is a connector whose account is in one group and that knows one number.
type phone struct {
	*crmtest.Connector
	did []string // what it was asked to do
}

var (
	_ crm.GroupMessenger = (*phone)(nil)
	_ crm.NumberChecker  = (*phone)(nil)
)

func (p *phone) note(format string, args ...any) { p.did = append(p.did, fmt.Sprintf(format, args...)) }

func (p *phone) group(members bool) *crm.Group {
	bea, owner := "351912000002", "351912000002@c.us"
	g := &crm.Group{ID: team, Name: "Team", Description: "Our street", OwnerID: &owner, CreatedAt: crmtest.Start, Size: 2}
	if members {
		g.Members = []crm.GroupMember{{ID: owner, Phone: &bea, Role: crm.MemberOwner}, {ID: "100200302@lid", Role: crm.MemberOrdinary}}
	}
	return g
}

func (p *phone) Groups(_ context.Context, _ crm.Line, members bool) ([]crm.Group, error) {
	return []crm.Group{*p.group(members)}, nil
}

func (p *phone) Group(_ context.Context, _ crm.Line, id string) (*crm.Group, error) {
	if id != team {
		return nil, &crm.Error{Code: crm.CodeNotFound, Message: "group not found"}
	}
	return p.group(true), nil
}

func (p *phone) GroupByLink(context.Context, crm.Line, string) (*crm.Group, error) {
	return p.group(true), nil
}
func (p *phone) GroupPicture(context.Context, crm.Line, string) (string, error) { return "", nil }
func (p *phone) GroupLink(_ context.Context, _ crm.Line, _ string, renew bool) (string, error) {
	return "https://chat.whatsapp.com/" + map[bool]string{false: "AbCdEfGhIjKlMnOpQrStUv", true: "ZbCdEfGhIjKlMnOpQrStUv"}[renew], nil
}

func (p *phone) CreateGroup(_ context.Context, _ crm.Line, in crm.GroupInput) (*crm.CreatedGroup, error) {
	p.note("create %s: %s", in.Name, in.Members)
	refused := crm.MemberResult{ID: "351912000009@c.us", Status: 403, Error: &crm.SendError{Code: "invitation_required", Message: "they must be invited"}}
	return &crm.CreatedGroup{Group: *p.group(true), Members: []crm.MemberResult{refused}}, nil
}

func (p *phone) ChangeGroup(_ context.Context, _ crm.Line, _ string, ch crm.GroupChanges) error {
	p.note("change %s%s", ch.Name.Value, ch.Description.Value)
	return nil
}

func (p *phone) ChangeMembers(_ context.Context, _ crm.Line, _ string, what crm.MemberChange, people []string) (results []crm.MemberResult, _ error) {
	p.note("%s %s", what, people)
	for _, id := range people {
		r := crm.MemberResult{ID: id, Status: 200}
		if strings.HasPrefix(id, "351912000009") {
			r.Status, r.Error = 403, &crm.SendError{Code: "invitation_required", Message: "they must be invited"}
		}
		results = append(results, r)
	}
	return results, nil
}

func (p *phone) SetGroupPicture(context.Context, crm.Line, string, []byte) (string, error) {
	return "", nil
}
func (p *phone) JoinGroup(context.Context, crm.Line, string) (*crm.JoinedGroup, error) {
	return &crm.JoinedGroup{ID: team, Group: p.group(true)}, nil
}

func (p *phone) LeaveGroup(_ context.Context, _ crm.Line, id string) error {
	p.note("leave %s", id)
	return nil
}

func (p *phone) CheckNumbers(_ context.Context, _ crm.Line, numbers []string, begin func() error) (map[string]crm.CheckedNumber, error) {
	if err := begin(); err != nil {
		return nil, err
	}
	found := map[string]crm.CheckedNumber{}
	for _, n := range numbers {
		if n != "351912000007" { // it says nothing
			found[n] = crm.CheckedNumber{Exists: n == "351912000001", Phone: n}
		}
	}
	return found, nil
}

// TestGroups checks the routes of groups, and the one that asks about numbers: status and exact
// JSON of each.
func TestGroups(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, crm.Line{})
		p := &phone{Connector: r.World.Connect("grWhatsApp")}
		r.Messengers["grWhatsApp"] = p
		device, number := "1", "351912000000"
		if err := r.SetLineState(t.Context(), onGr, crm.LineState{State: crm.StateConnected, Device: &device, Phone: &number}); err != nil {
			t.Fatal(err)
		}
		profile := r.profileOf(t, onGr)
		bare := `"id":"` + team + `","name":"Team","description":"Our street","owner":"351912000002@c.us","createdAt":"2021-11-19T10:55:00.000Z","participantsCount":2`
		full := bare + `,"participants":[{"id":"351912000002@c.us","phone":"351912000002","pushName":"","isAdmin":true,"isSuperAdmin":true},` +
			`{"id":"100200302@lid","phone":null,"pushName":"","isAdmin":false,"isSuperAdmin":false}]`
		in := func(more string) string { return `{"profileId":"` + profile + `"` + more + `}` }
		at, of := "/groups/"+team, "?profileId="+profile
		r.want("GET", "/groups/profile/"+profile, "", 200, "[{"+bare+"}]")
		r.want("GET", at+of, "", 200, "{"+full+"}")
		r.want("POST", "/groups", in(`,"name":"Team","participants":["+351 912 000 002","351912000009@c.us"],"description":"Our street"`), 201,
			"{"+full+`,"failed":[{"id":"351912000009@c.us","error":"they must be invited"}]}`)
		r.want("PATCH", at, in(`,"name":"Friends","description":"None"`), 200, "{"+full+"}")
		for _, what := range []string{"add", "remove", "promote", "demote"} {
			r.want("POST", at+"/participants/"+what, in(`,"participants":["351912000002"]`), 201, `{}`)
		}
		r.want("POST", at+"/participants/add", in(`,"participants":["351912000002","351912000009"]`), 201, `{"failed":[{"id":"351912000009@c.us","error":"they must be invited"}]}`)
		r.want("GET", at+"/invite-link"+of, "", 200, `{"link":"https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv"}`)
		r.want("POST", at+"/invite-link/revoke"+of, "", 201, `{"link":"https://chat.whatsapp.com/ZbCdEfGhIjKlMnOpQrStUv"}`)
		r.want("POST", at+"/leave"+of, "", 201, `{}`)
		for _, did := range []string{"create Team: [351912000002@c.us 351912000009@c.us]", "change Friends", "change None", "demote [351912000002@c.us]", "leave " + team} {
			if !slices.Contains(p.did, did) {
				t.Errorf("it did not %q, but %q", did, p.did)
			}
		}

		r.want("POST", "/contacts/validate", in(`,"phones":["+351 912 000 001","351912000008","351912000007"]`), 201,
			`[{"phone":"+351 912 000 001","exists":true,"waId":"351912000001@c.us"},{"phone":"351912000008","exists":false,"waId":null},{"phone":"351912000007","exists":null,"waId":null}]`)

		const form = " must be a phone number of 5 to 15 digits, or an id ending in @c.us, @s.whatsapp.net, @g.us, @newsletter or @lid"
		r.fails("GET", "/groups/nobody"+of, "", 404, "NOT_FOUND", "group not found")
		r.fails("POST", at+"/participants/add", in(`,"participants":["351912000002","nobody"]`), 400, "VALIDATION_ERROR", "participants[1]"+form)
		r.fails("GET", "/groups/120363000000000009@g.us"+of, "", 404, "NOT_FOUND", "group not found")
		r.fails("GET", at, "", 400, "VALIDATION_ERROR", "profileId is required")
		r.fails("POST", at+"/participants/add", in(``), 400, "VALIDATION_ERROR", "participants must be a list of numbers or ids")
		r.fails("POST", "/groups", in(`,"participants":["351912000002"]`), 400, "VALIDATION_ERROR", "name is required")
		strange := r.profileOf(t, crm.Line{LicenseID: crmtest.StrangeLicense, Messenger: "grWhatsApp"})
		for _, route := range []string{"GET ", "PATCH ", "POST /leave", "GET /invite-link", "POST /invite-link/revoke", "POST /participants/add"} {
			method, end, _ := strings.Cut(route, " ")
			r.fails(method, at+end+"?profileId="+strange, `{}`, 404, "NOT_FOUND", "Profile not found")
		}
		r.key = r.harness.key(t, onGr, crm.KeyRead).Key
		r.fails("POST", at+"/leave", "", 403, "FORBIDDEN", "this key does not have the right manage")
	})
}

// TestOldRouteOfCodes checks the route of older clients.
func TestOldRouteOfCodes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr)
		r.fails("GET", "/accounts/any/profiles/"+r.profileOf(t, onGr)+"/qr", "", 404, "NOT_FOUND", "There is no QR code now")
		r.fails("GET", "/accounts/any/profiles/x/qr", "", 404, "NOT_FOUND", "Profile not found")
	})
}
