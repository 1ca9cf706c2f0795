package api_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

var (
	_ crm.GroupMessenger = (*phone)(nil)
	_ crm.Configured     = (*phone)(nil)
)

func (p *phone) Configure(crm.Line) { p.configured++ }

const neighbours = "120363000000000001@g.us"

func (p *phone) answer() (*crm.Group, error) {
	if p.refusal != nil {
		return nil, p.refusal
	}
	number := "79990001122"
	return &crm.Group{ID: neighbours, Name: "Neighbours", Size: 1, Members: []crm.GroupMember{
		{ID: cmp.Or(p.member, number), Phone: &number, Role: crm.MemberOwner},
	}}, p.reach()
}

func (p *phone) Groups(context.Context, crm.Line, bool) ([]crm.Group, error) {
	g, err := p.answer()
	if err != nil {
		return nil, err
	}
	return []crm.Group{*g}, nil
}

func (p *phone) Group(context.Context, crm.Line, string) (*crm.Group, error) { return p.answer() }

func (p *phone) GroupByLink(context.Context, crm.Line, string) (*crm.Group, error) { return p.answer() }

func (p *phone) GroupPicture(context.Context, crm.Line, string) (string, error) {
	_, err := p.answer()
	return "https://pps.whatsapp.net/v/picture.jpg", err
}

// SetGroupPicture makes a picture of another id each time.
func (p *phone) SetGroupPicture(_ context.Context, _ crm.Line, _ string, picture []byte) (string, error) {
	if _, err := p.answer(); err != nil || picture == nil {
		return "", err
	}
	p.pictures++
	return fmt.Sprint(p.pictures), nil
}

func (p *phone) GroupLink(context.Context, crm.Line, string, bool) (string, error) {
	_, err := p.answer()
	return "https://chat.whatsapp.com/AbCdEfGhIjKl", err
}

func (p *phone) CreateGroup(_ context.Context, _ crm.Line, in crm.GroupInput) (*crm.CreatedGroup, error) {
	g, err := p.answer()
	if err != nil {
		return nil, err
	}
	return &crm.CreatedGroup{Group: *g, Members: p.results(in.Members)}, nil
}

func (p *phone) results(people []string) []crm.MemberResult {
	results := []crm.MemberResult{}
	for i, id := range people {
		r := crm.MemberResult{ID: id, Status: 200}
		if i > 0 {
			r.Status, r.Error = 403, &crm.SendError{Code: "invitation_required", Message: "no"}
		}
		results = append(results, r)
	}
	return results
}

func (p *phone) ChangeGroup(context.Context, crm.Line, string, crm.GroupChanges) error {
	_, err := p.answer()
	return err
}

func (p *phone) ChangeMembers(_ context.Context, _ crm.Line, _ string, _ crm.MemberChange, people []string) ([]crm.MemberResult, error) {
	_, err := p.answer()
	return p.results(people), err
}

func (p *phone) JoinGroup(context.Context, crm.Line, string) (*crm.JoinedGroup, error) {
	g, err := p.answer()
	return &crm.JoinedGroup{ID: neighbours, Group: g}, err
}

func (p *phone) LeaveGroup(context.Context, crm.Line, string) error {
	_, err := p.answer()
	return err
}

const (
	groupsOf = phoneLine + "/groups"
	group    = groupsOf + "/" + neighbours
	people   = `{"members":["+7 999 000-33-44","79990001122"]}`
	photo    = `{"picture":"/9j/4AAQSkZJRgABAQAAAQABAAD/2Q=="}` // the beginning of a JPEG
)

// groupSteps are successful requests of every operation on groups.
func groupSteps(w *walker) []step {
	return []step{
		{w.Operator, "POST " + groupsOf, `{"name":"Neighbours","description":"Our street","members":["79990001122"]}`, 0, "", nil},
		{w.Admin, "POST " + groupsOf, `{"name":"Choir","members":["79990001122"],"promote":true}`, 0, "", nil},
		{w.Operator, "POST " + phoneLine + "/chats", `{"type":"group","name":"Neighbours","participantsItems":[{"value":"79990001122"}]}`, 0, "", nil},
		{w.Reader, "GET " + groupsOf, "", 0, "", nil},
		{w.Reader, "GET " + groupsOf + "?members=true", "", 0, "", nil},
		{w.Reader, "GET " + group, "", 0, "", nil},
		{w.Operator, "PUT " + group + "/picture", photo, 0, "", nil},
		{w.Reader, "GET " + group + "/picture", "", 0, "", nil},
		{w.Operator, "DELETE " + group + "/picture", "", 0, "", nil},
		{w.Admin, "GET " + groupsOf + "/join?link=https://chat.whatsapp.com/AbCdEfGhIjKl", "", 0, "", nil},
		{w.Operator, "PATCH " + group, `{"name":"Friends","description":"","announce":true,"locked":false,"ephemeral":86400}`, 0, "", nil},
		{w.Operator, "POST " + group + "/members", people, 0, "", nil},
		{w.Admin, "POST " + group + "/admins", people, 0, "", nil},
		{w.Admin, "DELETE " + group + "/admins", people, 0, "", nil},
		{w.Operator, "DELETE " + group + "/members", people, 0, "", nil},
		{w.Operator, "GET " + group + "/link", "", 0, "", nil},
		{w.Admin, "DELETE " + group + "/link", "", 0, "", nil},
		{w.Admin, "POST " + groupsOf + "/join", `{"link":"https://chat.whatsapp.com/AbCdEfGhIjKl"}`, 0, "", nil},
		{w.Admin, "DELETE " + group, "", 0, "", nil},
	}
}

// groups calls every operation on groups: as the messenger does it, refuses it, and asks
// to do it more slowly.
func (w *walker) groups() {
	for _, s := range groupSteps(w) {
		if !strings.HasSuffix(s.request, "/chats") { // whose everyday use leaves no entry in the audit log
			w.steps(s)
		}
	}
	for _, refusal := range []struct {
		code   crm.Code
		status int
	}{{crm.CodeConflict, 409}, {crm.CodeThrottled, 429}} {
		w.refusal = &crm.Error{Code: refusal.code, Message: "no", RetryAfter: 60}
		for _, s := range groupSteps(w) {
			s.want = refusal.status
			w.steps(s)
		}
	}
	w.refusal = nil
}

// TestGroupRights checks who may do what to groups, what bad input is told, and that an
// operator who sees only their own chats sees no group of a colleague.
func TestGroupRights(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWalker(t, store)
		for _, s := range groupSteps(w) {
			s.want = 0
			w.steps(s)
			admins := s.who == w.Admin
			s.who, s.want = w.Stranger, 404
			w.steps(s)
			if admins {
				s.who, s.want = w.Operator, 403
				w.steps(s)
			} else if method := s.request[:3]; method != "GET" || s.request == "GET "+group+"/link" {
				s.who, s.want = w.Reader, 403
				w.steps(s)
			}
		}
		for _, bad := range []step{
			{w.Owner, "POST " + groupsOf, `{"name":" ","members":["120363000000000001@g.us","nobody"]}`, 422, "", nil},
			{w.Owner, "POST " + groupsOf, `{"name":"x","description":3}`, 422, "", nil},
			{w.Owner, "POST " + groupsOf, `{"name":"x","picture":"R0lGODlh"}`, 422, "", nil},
			{w.Operator, "POST " + groupsOf, `{"name":"x","promote":true}`, 403, "", nil},
			{w.Owner, "GET " + groupsOf + "?members=some", "", 422, "", nil},
			{w.Owner, "PUT " + group + "/picture", `{}`, 422, "", nil},
			{w.Owner, "PUT " + group + "/picture", `{"picture":"R0lGODlh"}`, 422, "", nil},
			{w.Owner, "PUT " + group + "/picture", `{"picture":"***"}`, 422, "", nil},
			{w.Owner, "GET " + groupsOf + "/join?link=https://example.com/AbCdEfGhIjKl", "", 422, "", nil},
			{w.Owner, "PATCH " + group, `{"ephemeral":5}`, 422, "", nil},
			{w.Owner, "PATCH " + group, `{"name":null}`, 422, "", nil},
			{w.Owner, "POST " + group + "/members", `{"members":[]}`, 422, "", nil},
			{w.Owner, "POST " + groupsOf + "/join", `{"link":"https://example.com/AbCdEfGhIjKl"}`, 422, "", nil},
			{w.Owner, "GET " + groupsOf + "/79990001122", "", 404, "", nil},
			{w.Owner, "GET " + line + "/groups", "", 503, "", nil},
			{w.Owner, "POST " + line + "/chats", `{"type":"group","name":"Us"}`, 503, "", nil},
		} {
			w.steps(bad)
		}
		w.steps(
			step{w.Owner, "PUT " + phoneLine + "/chats/" + neighbours + "/responsible", `{"id":686}`, 0, "", nil},
			step{w.Admin, "PATCH /v1/companies/2224/employees/687", `{"onlyMine":true}`, 0, "", nil},
		)
		for _, s := range groupSteps(w) {
			if s.who != w.Admin && s.request != "POST "+groupsOf && s.request != "POST "+phoneLine+"/chats" && !strings.HasPrefix(s.request, "GET "+groupsOf+"?") && s.request != "GET "+groupsOf {
				s.who, s.want = w.Operator, 404
				w.steps(s)
			}
		}
		list, err := w.Service.Groups(t.Context(), w.Operator, crm.Line{LicenseID: 1229, Messenger: "WhatsApp"}, true)
		if err != nil || len(list) != 0 {
			t.Errorf("the operator sees %+v, %v", list, err)
		}
	})
}

// TestNamesOfGroupMembers checks that the members of a group have the names of contacts, and
// that an operator who sees only their own chats reads the names of those people alone whom
// the contacts show.
func TestNamesOfGroupMembers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWalker(t, store)
		on := crm.Line{LicenseID: 1229, Messenger: "WhatsApp"}
		at := crm.ChatAddress{Line: on, ChatID: neighbours}
		lid := "555@lid"
		in := crm.InboundBatch{Contacts: []crm.InboundUser{{ID: crm.MakeID("WhatsApp", "79990001122"), Name: "Anna"}}}
		in.Messages = []crm.InboundMessage{{
			ID: crm.MakeID("WhatsApp", "A1"), Message: crm.Content{Text: "Hi"},
			Chat: crm.InboundChat{ID: crm.MakeID("WhatsApp", "79990001122"), LID: &lid},
		}}
		if _, err := w.Ingest(t.Context(), on, in); err != nil {
			t.Fatal(err)
		}
		colleague := crm.Value[int64](686)
		if _, err := w.SetResponsible(t.Context(), w.Owner, crm.ChatAddress{Line: on, ChatID: "79990001122"}, colleague); err != nil {
			t.Fatal(err)
		}
		named := func(who crm.Actor, want string) {
			t.Helper()
			people, err := w.Contacts(t.Context(), who, on, crm.PageQuery{}, "")
			if err != nil || (len(people.Items) == 1) != (want != "") {
				t.Errorf("user %d: contacts %+v, %v", who.UserID, people.Items, err)
			}
			got, err := w.Service.Group(t.Context(), who, at)
			if err != nil || got.Members[0].Name != want {
				t.Errorf("user %d: the group is %+v, %v, want a member %q", who.UserID, got, err, want)
			}
			changed, err := w.Service.ChangeGroup(t.Context(), who, at, crm.GroupChanges{Name: crm.Value("Friends")})
			if err != nil || changed.Members[0].Name != want {
				t.Errorf("user %d: changed is %+v, %v", who.UserID, changed, err)
			}
			made, err := w.Service.CreateGroup(t.Context(), who, on, crm.GroupInput{Name: "Us", Members: []string{"79990001122"}})
			if err != nil || made.Group.Members[0].Name != want {
				t.Errorf("user %d: made is %+v, %v", who.UserID, made, err)
			}
		}
		named(w.Operator, "Anna")
		named(w.OnlyMine, "")
		w.member = lid // the group names people by hidden id
		named(w.Operator, "Anna")
		if _, err := w.AddAuditor(t.Context(), w.Owner, crm.ChatAddress{Line: on, ChatID: lid}, crm.Value(w.OnlyMine.UserID)); err != nil {
			t.Fatal(err)
		}
		named(w.OnlyMine, "Anna")
	})
}

// TestGroupChangesAreRecorded checks the chat that a group gets, its name, and the audit
// log: of members, those who were really added.
func TestGroupChangesAreRecorded(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWalker(t, store)
		at := crm.ChatAddress{Line: crm.Line{LicenseID: 1229, Messenger: "WhatsApp"}, ChatID: neighbours}
		w.steps(groupSteps(w)[0])
		if chat, err := w.Chat(t.Context(), w.Reader, at); err != nil || chat.Name != "Neighbours" || chat.Type != "group" {
			t.Errorf("the chat is %+v, %v", chat, err)
		}
		w.steps(
			step{w.Operator, "PATCH " + group, `{"name":"Friends","locked":true}`, 0, "", nil},
			step{w.Operator, "POST " + group + "/members", people, 0, "", nil},
		)
		if chat, err := w.Chat(t.Context(), w.Reader, at); err != nil || chat.Name != "Friends" {
			t.Errorf("the chat is %+v, %v", chat, err)
		}
		page, err := w.AuditLog(t.Context(), w.Owner, crm.AuditQuery{Action: "group"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Items {
			got = append(got, e.Action+" "+e.Target.ID+" "+e.Target.Name+" "+e.Details["name"]+e.Details["locked"]+e.Details["change"]+" "+e.Details["member"])
		}
		want := []string{
			"group.membersChanged " + neighbours + " Friends add 79990003344", "group.changed " + neighbours + " Friends true ",
			"group.changed " + neighbours + " Friends Friends ", "group.made " + neighbours + " Neighbours  ",
		}
		if !slices.Equal(got, want) {
			t.Errorf("the log says\n%q, want\n%q", got, want)
		}
	})
}
