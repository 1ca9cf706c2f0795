package api_test

import (
	"context"
	"testing"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

var (
	_ crm.ProfileMessenger   = (*phone)(nil)
	_ crm.PrivacyMessenger   = (*phone)(nil)
	_ crm.PresenceMessenger  = (*phone)(nil)
	_ crm.ChatStateMessenger = (*phone)(nil)
	_ crm.StatusMessenger    = (*phone)(nil)
)

// refuse returns what the test wants the phone to answer to a question about its account.
func (p *phone) refuse() error {
	if p.refusal != nil {
		return p.refusal
	}
	return p.reach()
}

func (p *phone) Profile(context.Context, crm.Line) (*crm.AccountProfile, error) {
	return &crm.AccountProfile{Phone: "79990001122", Name: p.name, About: p.about}, p.refuse()
}

func (p *phone) SetName(_ context.Context, _ crm.Line, name string) error {
	p.name = name
	return p.refuse()
}

func (p *phone) SetAbout(_ context.Context, _ crm.Line, about string) error {
	p.about = about
	return p.refuse()
}

func (p *phone) SetProfilePicture(context.Context, crm.Line, []byte) error { return p.refuse() }

func (p *phone) PersonProfile(context.Context, crm.Line, string) (*crm.PersonProfile, error) {
	about, open := "Flowers", int64(540)
	return &crm.PersonProfile{Exists: true, Phone: "79990001122", LID: "100200301@lid", PersonCard: crm.PersonCard{About: &about, Business: &crm.BusinessProfile{
		Websites: []string{"https://flowers.example"}, Categories: []string{"Florist"}, Hours: []crm.BusinessHours{{Day: "mon", Mode: "specific_hours", Open: &open}},
	}}}, p.refuse()
}

func (p *phone) Privacy(context.Context, crm.Line) (*crm.Privacy, error) {
	return &crm.Privacy{ReadReceipts: "all", Picture: "all", About: "contacts", Online: "all", LastSeen: "none", GroupAdd: "all"}, p.refuse()
}

func (p *phone) SetPrivacy(context.Context, crm.Line, crm.PrivacySetting, string) error {
	return p.refuse()
}

func (p *phone) PostStatus(context.Context, crm.Line, string, crm.StatusPost, *crm.StatusFile) (int64, error) {
	return 1767000000, p.refuse()
}

func (p *phone) SetPresence(context.Context, crm.Line, bool) error { return p.refuse() }

func (p *phone) SetChatState(context.Context, crm.Line, crm.ChatPlace, crm.ChatStateChanges) error {
	return p.refuse()
}

const profileOf = phoneLine + "/profile"

// accountSteps are successful requests of every operation on the account of a line.
func accountSteps(w *walker) []step {
	return []step{
		{w.Reader, "GET " + profileOf, "", 0, "", nil},
		{w.Admin, "PATCH " + profileOf, `{"name":"Flower shop","about":"Mon-Fri"}`, 0, "", nil},
		{w.Admin, "PUT " + profileOf + "/picture", photo, 0, "", nil},
		{w.Admin, "DELETE " + profileOf + "/picture", "", 0, "", nil},
		{w.Admin, "GET " + phoneLine + "/privacy", "", 0, "", nil},
		{w.Admin, "PATCH " + phoneLine + "/privacy", `{"readReceipts":"none","picture":"contacts","about":"all","online":"match_last_seen","lastSeen":"contact_blacklist","groupAdd":"contacts"}`, 0, "", nil},
		{w.Admin, "PUT " + phoneLine + "/presence", `{"type":"available"}`, 0, "", nil},
		{w.Admin, "POST " + phoneLine + "/statuses", `{"text":"Open until eight","background":"#12aa55","font":2,"receivers":["79990001122"]}`, 0, "", nil},
		{w.Operator, "GET " + phoneLine + "/contacts/79990001122/profile", "", 0, "", nil},
		{w.Operator, "PATCH " + phoneLine + "/chats/79990001122/state", `{"archived":true,"pinned":true,"unread":true,"mutedUntil":-1}`, 0, "", nil},
	}
}

// accountOfLine calls every operation on the account of a line: as the messenger does it, refuses
// it, and asks to do it more slowly.
func (w *walker) accountOfLine() {
	w.steps(step{w.Operator, "POST " + phoneLine + "/chats", `{"phone":"79990001122"}`, 0, "", nil})
	w.steps(accountSteps(w)...)
	for _, refusal := range []struct {
		code   crm.Code
		status int
	}{{crm.CodeConflict, 409}, {crm.CodeThrottled, 429}} {
		w.refusal = &crm.Error{Code: refusal.code, Message: "no", RetryAfter: 60}
		for _, s := range accountSteps(w) {
			s.want = refusal.status
			w.steps(s)
		}
	}
	w.refusal = nil
}

// TestAccountRights checks who may do what with the account of a line, and what bad input is
// told.
func TestAccountRights(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWalker(t, store)
		w.steps(step{w.Operator, "POST " + phoneLine + "/chats", `{"phone":"79990001122"}`, 0, "", nil})
		for _, s := range accountSteps(w) {
			w.steps(s)
			admins, writers := s.who == w.Admin, s.who == w.Operator
			s.who, s.want = w.Stranger, 404
			w.steps(s)
			switch {
			case admins:
				s.who, s.want = w.Operator, 403
				w.steps(s)
			case writers:
				s.who, s.want = w.Reader, 403
				w.steps(s)
			}
		}
		post := func(want int, fields ...string) step {
			body, kind := form(t, fields...)
			return step{w.Owner, "POST " + phoneLine + "/statuses", string(body), want, "", []string{"Content-Type", kind}}
		}
		for _, bad := range []step{
			{w.Owner, "PATCH " + profileOf, `{"name":" "}`, 422, "", nil},
			{w.Owner, "PATCH " + profileOf, `{"name":"A name that is longer than WhatsApp takes"}`, 422, "", nil},
			{w.Owner, "PATCH " + profileOf, `{"about":null}`, 422, "", nil},
			{w.Owner, "PUT " + profileOf + "/picture", `{"picture":"R0lGODlh"}`, 422, "", nil},
			{w.Owner, "PATCH " + phoneLine + "/privacy", `{"readReceipts":"contacts"}`, 422, "", nil},
			{w.Owner, "PATCH " + phoneLine + "/privacy", `{"groupAdd":"none"}`, 422, "", nil},
			{w.Owner, "PATCH " + phoneLine + "/privacy", `{"lastSeen":null}`, 422, "", nil},
			{w.Owner, "PUT " + phoneLine + "/presence", `{"type":"composing"}`, 422, "", nil},
			{w.Owner, "POST " + phoneLine + "/statuses", `{"text":" "}`, 422, "", nil},
			{w.Owner, "POST " + phoneLine + "/statuses", `{"text":"Hi","background":"green"}`, 422, "", nil},
			{w.Owner, "POST " + phoneLine + "/statuses", `{"text":"Hi","font":11}`, 422, "", nil},
			{w.Owner, "POST " + phoneLine + "/statuses", `{"text":"Hi","caption":"x"}`, 422, "", nil},
			{w.Owner, "POST " + phoneLine + "/statuses", `{"text":"Hi","receivers":["120363000000000001@g.us"]}`, 422, "", nil},
			post(422, "@note.txt", "a text"),
			post(422, "caption", "Look"),
			post(422, "@cat.png", "\x89PNG\r\n\x1a\n", "background", "green"),
			post(0, "@cat.png", "\x89PNG\r\n\x1a\n", "caption", "Look", "receivers", "79990001122,79990003344"),
			{w.Owner, "POST " + line + "/statuses", `{"text":"Hi"}`, 409, "", nil},
			{w.Owner, "GET " + phoneLine + "/contacts/120363000000000001@g.us/profile", "", 422, "", nil},
			{w.Owner, "PATCH " + phoneLine + "/chats/79990001122/state", `{"mutedUntil":5}`, 422, "", nil},
			{w.Owner, "PATCH " + phoneLine + "/chats/79990001122/state", `{"archived":null}`, 422, "", nil},
			{w.Owner, "PATCH " + phoneLine + "/chats/79990009999/state", `{"archived":true}`, 404, "", nil},
			{w.Owner, "GET " + line + "/profile", "", 409, "", nil},
			{w.Owner, "GET " + line + "/privacy", "", 409, "", nil},
			{w.Owner, "PUT " + line + "/presence", `{"type":"available"}`, 409, "", nil},
		} {
			w.steps(bad)
		}
		w.steps(
			step{w.Owner, "PUT " + phoneLine + "/chats/79990001122/responsible", `{"id":686}`, 0, "", nil},
			step{w.Admin, "PATCH /v1/companies/2224/employees/687", `{"onlyMine":true}`, 0, "", nil},
			step{w.Operator, "PATCH " + phoneLine + "/chats/79990001122/state", `{"archived":false}`, 404, "", nil},
		)
	})
}
