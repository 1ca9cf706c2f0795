package evolution

import (
	"errors"
	"net/http"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

func profileRoutes() []route {
	person := schema{str("number").like(numberForm).says(textNumber)}
	seen := func(name string, values ...string) field { return str(name).must().one(values...) }
	return []route{
		{methods: "GET POST", path: "/chat/fetchProfile/:instance", body: person, do: fetchProfile},
		{methods: "POST", path: "/chat/fetchBusinessProfile/:instance", body: schema{numberField()}, do: fetchBusiness},
		{methods: "POST", path: "/chat/updateProfileName/:instance", body: schema{str("name").must().some()}, do: profileName},
		{methods: "POST", path: "/chat/updateProfileStatus/:instance", body: schema{str("status").must()}, do: profileStatus},
		{methods: "POST PUT", path: "/chat/updateProfilePicture/:instance", picture: true, body: schema{str("picture").must().some()}, do: setProfilePicture, fail: failing("Error updating profile picture")},
		{methods: "DELETE", path: "/chat/removeProfilePicture/:instance", do: removeProfilePicture},
		{methods: "GET", path: "/chat/fetchPrivacySettings/:instance", do: fetchPrivacy},
		{methods: "POST PUT", path: "/chat/updatePrivacySettings/:instance", do: updatePrivacy,
			lifts: same("privacySettings", "readreceipts", "profile", "status", "online", "last", "groupadd"),
			body: schema{
				seen("readreceipts", "all", "none"), seen("profile", "all", "contacts", "contact_blacklist", "none"), seen("status", "all", "contacts", "contact_blacklist", "none"),
				seen("online", "all", "match_last_seen"), seen("last", "all", "contacts", "contact_blacklist", "none"), seen("groupadd", "all", "contacts", "contact_blacklist"),
			}},
	}
}

type aboutText struct {
	Status string `json:"status"`
}

// profileObject is the profile of a person, or of the account.
type profileObject struct {
	WUID        string  `json:"wuid"`
	Name        *string `json:"name"`
	Exists      bool    `json:"numberExists"`
	Picture     *string `json:"picture"`
	Status      any     `json:"status"` // version 1: a text; of the account, its state
	Business    bool    `json:"isBusiness"`
	Email       *string `json:"email"`
	Description *string `json:"description"`
	Website     *string `json:"website"`
}

// fetchProfile answers with the profile of a person, or without a number with the account's.
func fetchProfile(q *request) (answer, error) {
	number := text(q.body, "number")
	if number == "" {
		number = q.query("number")
	}
	if number == "" {
		return ownProfile(q)
	}
	to, err := q.address(number)
	if err != nil {
		return answer{}, err
	}
	p, err := q.e.CRM.ContactProfile(q.ctx, q.actor, crm.ContactAddress{Line: q.line(), ContactID: to.chat})
	if notTold(err) {
		return ok(noProfile{WUID: to.jid}), nil
	}
	if err != nil {
		return answer{}, err
	}
	if !p.Exists {
		return answer{}, &refusal{status: http.StatusBadRequest, message: []notThere{{JID: to.jid, Number: number}}}
	}
	out := profileObject{WUID: to.jid, Name: textOrNil(p.Name), Exists: true, Picture: p.PictureURL, Business: p.Business != nil}
	if p.About != nil {
		out.Status = aboutText{*p.About}
		if q.v1() {
			out.Status = *p.About
		}
	}
	if b := p.Business; b != nil {
		out.Email, out.Description = textOrNil(b.Email), textOrNil(b.Description)
		if len(b.Websites) > 0 {
			out.Website = &b.Websites[0]
		}
	}
	return ok(out), nil
}

func ownProfile(q *request) (answer, error) {
	status, err := q.status()
	if err != nil {
		return answer{}, err
	}
	p, err := q.e.CRM.Profile(q.ctx, q.actor, q.line())
	if notTold(err) {
		none := noProfile{}
		if jid := jidOfPhone(status.Phone); jid != nil {
			none.WUID = *jid
		}
		return ok(none), nil
	}
	if err != nil {
		return answer{}, err
	}
	return ok(profileObject{
		WUID: shape.JID(p.Phone + "@c.us"), Name: textOrNil(p.Name), Exists: true, Picture: p.PictureURL, Status: shape.LineState(status), Business: p.Business,
	}), nil
}

// noProfile is the answer when the messenger tells nothing.
type noProfile struct {
	WUID     string  `json:"wuid"`
	Name     *string `json:"name"`
	Picture  *string `json:"picture"`
	Status   *string `json:"status"`
	OS       *string `json:"os"`
	Business bool    `json:"isBusiness"`
}

// notTold reports whether an error says that the messenger tells nothing now.
func notTold(err error) bool {
	var of *crm.Error
	return errors.As(err, &of) && (of.Code == crm.CodeUnavailable && of.RetryAfter == 0 || of.Code == crm.CodeConflict || of.Code == crm.CodeNotFound)
}

type businessObject struct {
	Business    bool                `json:"isBusiness"`
	WID         string              `json:"wid"`
	Description string              `json:"description"`
	Email       string              `json:"email"`
	Website     []string            `json:"website"`
	Category    string              `json:"category"`
	Address     string              `json:"address"`
	Hours       []crm.BusinessHours `json:"business_hours"`
}

type noBusiness struct {
	Business bool   `json:"isBusiness"` // false
	Message  string `json:"message"`
	JID      string `json:"jid"`
	Exists   bool   `json:"exists"`
	Number   string `json:"number"`
}

func fetchBusiness(q *request) (answer, error) {
	number := text(q.body, "number")
	to, err := q.address(number)
	if err != nil {
		return answer{}, err
	}
	p, err := q.e.CRM.ContactProfile(q.ctx, q.actor, crm.ContactAddress{Line: q.line(), ContactID: to.chat})
	if err != nil {
		return answer{}, err
	}
	b := p.Business
	if b == nil {
		return ok(noBusiness{Message: "Not is business profile", JID: to.jid, Exists: p.Exists, Number: number}), nil
	}
	out := businessObject{Business: true, WID: to.jid, Description: b.Description, Email: b.Email, Website: b.Websites, Address: b.Address, Hours: b.Hours}
	if len(b.Categories) > 0 {
		out.Category = b.Categories[0]
	}
	return ok(out), nil
}

func profileName(q *request) (answer, error) {
	_, err := q.e.CRM.ChangeProfile(q.ctx, q.actor, q.line(), crm.ProfileChanges{Name: crm.Value(text(q.body, "name"))})
	return ok(success), err
}

func profileStatus(q *request) (answer, error) {
	_, err := q.e.CRM.ChangeProfile(q.ctx, q.actor, q.line(), crm.ProfileChanges{About: crm.Value(text(q.body, "status"))})
	return ok(success), err
}

func setProfilePicture(q *request) (answer, error) {
	if err := q.mustHave(crm.KeyManage); err != nil { // before its address is asked
		return answer{}, err
	}
	image, err := q.picture(text(q.body, "picture"))
	if err != nil {
		return answer{}, err
	}
	return ok(success), q.e.CRM.SetProfilePicture(q.ctx, q.actor, q.line(), image)
}

func removeProfilePicture(q *request) (answer, error) {
	return ok(success), q.e.CRM.RemoveProfilePicture(q.ctx, q.actor, q.line())
}

// privacyObject is who sees what of the account, in WhatsApp's names.
type privacyObject struct {
	ReadReceipts string `json:"readreceipts"`
	Profile      string `json:"profile"`
	Status       string `json:"status"`
	Online       string `json:"online"`
	Last         string `json:"last"`
	GroupAdd     string `json:"groupadd"`
}

func privacyIn(p *crm.Privacy) privacyObject {
	return privacyObject{p.ReadReceipts, p.Picture, p.About, p.Online, p.LastSeen, p.GroupAdd}
}

func fetchPrivacy(q *request) (answer, error) {
	p, err := q.e.CRM.Privacy(q.ctx, q.actor, q.line())
	if err != nil {
		return answer{}, err
	}
	return ok(privacyIn(p)), nil
}

func updatePrivacy(q *request) (answer, error) {
	value := func(name string) crm.Field[string] { return crm.Value(text(q.body, name)) }
	p, err := q.e.CRM.ChangePrivacy(q.ctx, q.actor, q.line(), crm.PrivacyChanges{
		ReadReceipts: value("readreceipts"), Picture: value("profile"), About: value("status"), Online: value("online"), LastSeen: value("last"), GroupAdd: value("groupadd"),
	})
	if err != nil {
		return answer{}, err
	}
	return made(struct {
		Update string        `json:"update"`
		Data   privacyObject `json:"data"`
	}{"success", privacyIn(p)}), nil
}
