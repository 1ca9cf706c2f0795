package whatsapp

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

type personArgs struct{ ID string }

var personMethod = method[personArgs, *crm.PersonProfile]{"person", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a personArgs) (*crm.PersonProfile, error) {
	return m.personProfile(ctx, l, a.ID)
}}

// PersonProfile implements crm.ProfileMessenger.
func (m *Messenger) PersonProfile(ctx context.Context, l crm.Line, id string) (*crm.PersonProfile, error) {
	return personMethod.call(ctx, m, l, personArgs{id})
}

func (m *Messenger) personProfile(ctx context.Context, l crm.Line, id string) (p *crm.PersonProfile, err error) {
	return p, m.ask(ctx, l, func(q asked) error {
		j, err := jidOf(id)
		if err != nil {
			return err
		}
		who := q.person(q.ctx, q.cli, j, types.EmptyJID)
		if who.LID.IsEmpty() {
			switch who, err = q.lookUp(q.ctx, q.cli, who.PN.User); {
			case errors.Is(err, errNotOnWhatsApp):
				p = &crm.PersonProfile{Phone: j.User}
				return nil
			case err != nil:
				return err
			}
		}
		at := who.address(types.AddressingModePN)
		found, err := q.cli.GetUserInfo(q.ctx, []types.JID{at})
		if err != nil {
			return err
		}
		url, err := q.pictureURL(at)
		if err != nil {
			return err
		}
		p = &crm.PersonProfile{Exists: true, Phone: who.PN.User, PersonCard: crm.PersonCard{About: given(aboutOf(found)), PictureURL: given(url)}}
		if lid := hiddenOf(who); lid != nil {
			p.LID = *lid
		}
		if p.Business, err = q.businessProfile(at); p.Business == nil || err != nil {
			return err
		}
		// whatsmeow keeps the verified name that came with the answer to GetUserInfo
		known, err := q.cli.Store.Contacts.GetContact(q.ctx, at)
		p.BusinessName = given(content.Name(known.BusinessName))
		return err
	})
}

// businessProfile asks for what a business tells of itself, and returns nil when the person
// is none. whatsmeow's own question drops the description and the websites.
func (q asked) businessProfile(j types.JID) (*crm.BusinessProfile, error) {
	//lint:ignore SA1019 whatsmeow exports no other way to ask for all of it
	answer, err := q.cli.DangerousInternals().SendIQ(q.ctx, whatsmeow.DangerousInfoQuery{
		Namespace: "w:biz", Type: "get", To: types.ServerJID,
		Content: []binary.Node{{Tag: "business_profile", Attrs: binary.Attrs{"v": "244"}, Content: []binary.Node{{Tag: "profile", Attrs: binary.Attrs{"jid": j}}}}},
	})
	var refusal *whatsmeow.IQError
	if errors.As(err, &refusal) && refusal.Code == 404 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if profile, ok := answer.GetOptionalChildByTag("business_profile", "profile"); ok {
		return businessOf(profile), nil
	}
	return nil, nil
}

// Limits of what is taken from a business's profile.
const (
	maxBusinessText  = 2048 // bytes of a text
	maxBusinessItems = 64   // of a list
)

// businessOf reads a business's profile. What is not there is empty.
func businessOf(n binary.Node) *crm.BusinessProfile {
	text := func(n binary.Node) string {
		raw, _ := n.Content.([]byte)
		return content.Clip(string(raw), maxBusinessText)
	}
	p := &crm.BusinessProfile{
		Description: text(n.GetChildByTag("description")), Address: text(n.GetChildByTag("address")), Email: text(n.GetChildByTag("email")),
		Websites: []string{}, Categories: []string{}, Hours: []crm.BusinessHours{},
	}
	for _, site := range atMostSome(n.GetChildrenByTag("website")) {
		p.Websites = append(p.Websites, text(site))
	}
	categories := n.GetChildByTag("categories")
	for _, category := range atMostSome(categories.GetChildrenByTag("category")) {
		p.Categories = append(p.Categories, text(category))
	}
	hours := n.GetChildByTag("business_hours")
	p.TimeZone = content.Clip(hours.AttrGetter().OptionalString("timezone"), maxBusinessItems)
	for _, day := range atMostSome(hours.GetChildrenByTag("business_hours_config")) {
		a := day.AttrGetter()
		name := a.OptionalString("day_of_week")
		if !slices.Contains([]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, name) {
			continue
		}
		p.Hours = append(p.Hours, crm.BusinessHours{
			Day: name, Mode: content.Clip(a.OptionalString("mode"), maxBusinessItems), Open: minutes(a.OptionalString("open_time")), Close: minutes(a.OptionalString("close_time")),
		})
	}
	return p
}

// atMostSome returns no more nodes than are taken.
func atMostSome(nodes []binary.Node) []binary.Node { return nodes[:min(len(nodes), maxBusinessItems)] }

// minutes returns a time of day, or nil when it is none.
func minutes(text string) *int64 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 || n > 24*60 {
		return nil
	}
	return &n
}
