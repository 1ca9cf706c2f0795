package evolution_test

import (
	"context"
	"strings"
	"testing"

	"chatcast/crm"
)

var (
	_ crm.ProfileMessenger = (*account)(nil)
	_ crm.PrivacyMessenger = (*account)(nil)
)

// account is a connector with an account, which knows a business.
type account struct {
	phone
	profile crm.AccountProfile
	privacy crm.Privacy
}

func (a *account) Profile(context.Context, crm.Line) (*crm.AccountProfile, error) {
	p := a.profile
	return &p, a.refusal
}

func (a *account) SetName(_ context.Context, _ crm.Line, name string) error {
	a.profile.Name = name
	return a.refusal
}

func (a *account) SetAbout(_ context.Context, _ crm.Line, about string) error {
	a.profile.About = about
	return a.refusal
}

func (a *account) SetProfilePicture(context.Context, crm.Line, []byte) error { return a.refusal }

func (a *account) PersonProfile(_ context.Context, _ crm.Line, id string) (*crm.PersonProfile, error) {
	about := "Hey"
	p := &crm.PersonProfile{Exists: id != "79990000009@c.us", PersonCard: crm.PersonCard{About: &about}}
	if id == "79990003344@c.us" {
		p.Business = &crm.BusinessProfile{Description: "Flowers", Email: "a@b.c", Websites: []string{"https://flowers.example"}, Categories: []string{"Florist"}, Hours: []crm.BusinessHours{}}
	}
	return p, a.refusal
}

func (a *account) Privacy(context.Context, crm.Line) (*crm.Privacy, error) {
	p := a.privacy
	return &p, a.refusal
}

func (a *account) SetPrivacy(_ context.Context, _ crm.Line, what crm.PrivacySetting, value string) error {
	if what == crm.PrivacyLastSeen {
		a.privacy.LastSeen = value
	}
	return a.refusal
}

// TestProfiles calls every route of profiles and of privacy with its exact answer.
func TestProfiles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := &account{
			profile: crm.AccountProfile{Phone: "79990000000", Name: "Shop", About: "Open"},
			privacy: crm.Privacy{ReadReceipts: "all", Picture: "all", About: "contacts", Online: "all", LastSeen: "all", GroupAdd: "all"},
		}
		if a.Messenger = w.Messengers[""]; a.Messenger == nil {
			a.Messenger = w.Messengers["grWhatsApp"]
		}
		w.Messengers["grWhatsApp"] = a
		const own = `{"wuid":"79990000000@s.whatsapp.net","name":"Shop","numberExists":true,"picture":null,"status":STATUS,"isBusiness":false,"email":null,"description":null,"website":null}`
		const person = `{"wuid":"79990001122@s.whatsapp.net","name":null,"numberExists":true,"picture":null,"status":{"status":"Hey"},"isBusiness":false,"email":null,"description":null,"website":null}`
		w.want(w.line, "POST /chat/fetchProfile/shop", "", 200, strings.Replace(own, "STATUS", `"open"`, 1))
		w.want(w.line, "GET /chat/fetchProfile/shop", "", 200, strings.Replace(own, "STATUS", `"open"`, 1), "X-Evolution-Shape: v1")
		w.want(w.line, "POST /chat/fetchProfile/shop", `{"number":"79990001122"}`, 200, person)
		w.want(w.line, "GET /chat/fetchProfile/shop?number=79990001122", "", 200, person)
		w.want(w.line, "POST /chat/fetchProfile/shop", `{"number":"79990000009"}`, 400, `{"status":400,"error":"Bad Request","response":{"message":[{"jid":"79990000009@s.whatsapp.net","exists":false,"number":"79990000009"}]}}`)
		w.want(w.line, "POST /chat/fetchBusinessProfile/shop", `{"number":"79990003344"}`, 200,
			`{"isBusiness":true,"wid":"79990003344@s.whatsapp.net","description":"Flowers","email":"a@b.c","website":["https://flowers.example"],"category":"Florist","address":"","business_hours":[]}`)
		w.want(w.line, "POST /chat/fetchBusinessProfile/shop", `{"number":"79990001122"}`, 200,
			`{"isBusiness":false,"message":"Not is business profile","jid":"79990001122@s.whatsapp.net","exists":true,"number":"79990001122"}`)
		const done = `{"update":"success"}`
		w.want(w.line, "POST /chat/updateProfileName/shop", `{"name":"Flowers"}`, 200, done)
		w.want(w.line, "POST /chat/updateProfileStatus/shop", `{"status":"Closed"}`, 200, done)
		if a.profile.Name != "Flowers" || a.profile.About != "Closed" {
			t.Errorf("the profile is %+v", a.profile)
		}
		w.want(w.line, "DELETE /chat/removeProfilePicture/shop", "", 200, done)
		w.want(w.line, "GET /chat/fetchPrivacySettings/shop", "", 200, `{"readreceipts":"all","profile":"all","status":"contacts","online":"all","last":"all","groupadd":"all"}`)
		for _, verb := range []string{"POST", "PUT"} {
			w.want(w.line, verb+" /chat/updateProfilePicture/shop", `{"picture":"/9j/4AAQSkZJRgABAQAAAQABAAD/2Q=="}`, 200, done)
			w.want(w.line, verb+" /chat/updatePrivacySettings/shop", `{"privacySettings":{"readreceipts":"all","profile":"all","status":"contacts","online":"all","last":"none","groupadd":"all"}}`, 201,
				`{"update":"success","data":{"readreceipts":"all","profile":"all","status":"contacts","online":"all","last":"none","groupadd":"all"}}`)
		}
		w.want(w.line, "POST /chat/updateProfilePicture/shop", `{"picture":"***"}`, 400, badTexts("Profile picture must be url or base64"))
		w.want(w.line, "POST /chat/updatePrivacySettings/shop", `{"readreceipts":"some","profile":"all","status":"all","online":"all","last":"all","groupadd":"all"}`, 400,
			invalid("instance.readreceipts is not one of enum values: all,none"))
		reader := w.key(w.Owner, crm.KeyInput{Name: "reader", Rights: []string{"read"}})
		w.want(reader, "POST /chat/updateProfileName/shop", `{"name":"x"}`, 403, `{"status":403,"error":"Forbidden","response":{"message":["this key does not have the right manage"]}}`)
		a.refusal = &crm.Error{Code: crm.CodeConflict, Message: "no"}
		const nothing = `"name":null,"picture":null,"status":null,"os":null,"isBusiness":false}`
		w.want(w.line, "POST /chat/fetchProfile/shop", `{"number":"79990001122"}`, 200, `{"wuid":"79990001122@s.whatsapp.net",`+nothing)
		w.want(w.line, "POST /chat/fetchProfile/shop", "", 200, `{"wuid":"",`+nothing)
		w.want(w.line, "POST /chat/updateProfilePicture/shop", `{"picture":"/9j/4AAQSkZJRgABAQAAAQABAAD/2Q=="}`, 500, `{"status":500,"error":"Internal Server Error","response":{"message":["Error updating profile picture","no"]}}`)
	})
}
