package crm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// Lines besides onGr.
var (
	onOther   = crm.Line{LicenseID: crmtest.OtherLicenseID, Messenger: "grWhatsApp"}
	onStrange = crm.Line{LicenseID: crmtest.StrangeLicense, Messenger: "grWhatsApp"}
)

// keyAction is something that keys with these rights may do.
type keyAction struct {
	rights []string
	do     func(ctx context.Context, a crm.Actor, on crm.Line) error
}

func keyActions(w *crmtest.World) map[string]keyAction {
	read, send, manage, inbound := crm.KeyRead, crm.KeySend, crm.KeyManage, crm.KeyInbound
	return map[string]keyAction{
		"list chats": {[]string{read}, func(ctx context.Context, a crm.Actor, on crm.Line) error {
			_, err := w.Chats(ctx, a, on, crm.ChatQuery{})
			return err
		}},
		"read messages": {[]string{read}, func(ctx context.Context, a crm.Actor, on crm.Line) error {
			_, err := w.Messages(ctx, a, chatAt(on, ann), crm.MessageQuery{})
			return err
		}},
		"search": {[]string{read}, func(ctx context.Context, a crm.Actor, on crm.Line) error {
			_, err := w.SearchMessages(ctx, a, on, crm.SearchQuery{Search: "hello"})
			return err
		}},
		"send": {[]string{send}, func(ctx context.Context, a crm.Actor, on crm.Line) error {
			_, err := w.Send(ctx, a, chatAt(on, ann), saying("Hello"))
			return err
		}},
		"work on a chat": {[]string{read, send}, func(ctx context.Context, a crm.Actor, on crm.Line) error {
			_, err := w.SetChatStatus(ctx, a, chatAt(on, ann), "open")
			return err
		}},
		"log out": {[]string{manage}, func(ctx context.Context, a crm.Actor, on crm.Line) error {
			err := w.Logout(ctx, a, on)
			if codeOf(err) == crm.CodeUnavailable { // a bridge has no account: the actor may
				return nil
			}
			return err
		}},
		"set a callback URL": {[]string{manage, read}, func(ctx context.Context, a crm.Actor, on crm.Line) error {
			_, err := w.SetLineCallback(ctx, a, on, crm.CallbackInput{URL: "https://example.com/" + on.Messenger})
			return err
		}},
		"deliver": {[]string{inbound}, func(ctx context.Context, a crm.Actor, on crm.Line) error {
			_, err := w.IngestAs(ctx, a, on, crm.InboundRequest{Messages: []crm.InboundMessage{fromCustomer("K1", anna, "hello", crmtest.Start)}})
			return err
		}},
	}
}

// TestKeyRights tries every action with every set of rights, on lines of the key, on another
// line, and on one of another company.
func TestKeyRights(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		w.Callbacks = quiet{}
		for _, on := range []crm.Line{onGr, onOther, onStrange} {
			who := w.Owner
			if on == onStrange {
				who = w.Stranger
			}
			if _, err := w.Send(ctx, who, chatAt(on, ann), saying("Hello")); err != nil {
				t.Fatal(err)
			}
		}
		actions := keyActions(w)
		for mask := 1; mask < 16; mask++ {
			var rights []string
			for i, r := range crm.KeyRights() {
				if mask&(1<<i) != 0 {
					rights = append(rights, r)
				}
			}
			_, company := makeKey(t, w, ofCompany(rights...))
			_, line := makeKey(t, w, ofLine(onGr, rights...))
			for _, name := range slices.Sorted(maps.Keys(actions)) {
				action := actions[name]
				may := !slices.ContainsFunc(action.rights, func(r string) bool { return !slices.Contains(rights, r) })
				for _, tt := range []struct {
					a     crm.Actor
					on    crm.Line
					knows bool
				}{{company, onGr, true}, {company, onOther, true}, {line, onGr, true}, {line, onOther, false}, {line, onTelegram, false}, {company, onStrange, false}, {line, onStrange, false}} {
					err := action.do(ctx, tt.a, tt.on)
					want := crm.Code("")
					switch {
					case !tt.knows:
						want = crm.CodeNotFound
					case !may:
						want = crm.CodeDenied
					}
					if got := codeOf(err); got != want || err != nil && want == "" {
						t.Errorf("%s with %v on %v, line key %v: %v, want %q", name, rights, tt.on, tt.a == line, err, want)
					}
				}
			}
		}
	})
}

// TestKeyManagesLines makes, renames and removes licences and messengers with keys.
func TestKeyManagesLines(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		_, manages := makeKey(t, w, ofCompany(crm.KeyManage))
		_, reads := makeKey(t, w, ofCompany(crm.KeyRead, crm.KeySend, crm.KeyInbound))
		_, line := makeKey(t, w, ofLine(onGr, crm.KeyRights()...))
		for _, company := range []int64{0, crmtest.CompanyID} {
			l, err := w.CreateLicense(ctx, manages, company, "New")
			if err != nil || l.CompanyID != crmtest.CompanyID || l.MeOwner || l.Write {
				t.Fatalf("made %+v, %v", l, err)
			}
			if l, err = w.AddMessenger(ctx, manages, l.LicenseID, "viber", ""); err != nil || len(l.Messenger) != 1 {
				t.Fatalf("added %+v, %v", l, err)
			}
			if _, err := w.RemoveMessenger(ctx, manages, l.LicenseID, "viber"); err != nil {
				t.Fatal(err)
			}
			if err := w.DeleteLicense(ctx, manages, l.LicenseID); err != nil {
				t.Fatal(err)
			}
		}
		for name, a := range map[string]crm.Actor{"without manage": reads, "of a line": line} {
			_, err := w.CreateLicense(ctx, a, 0, "New")
			wantCode(t, name+" makes a licence", err, crm.CodeDenied, "")
			_, err = w.RenameLicense(ctx, a, crmtest.LicenseID, "New")
			wantCode(t, name+" renames a licence", err, crm.CodeDenied, "")
			_, err = w.AddMessenger(ctx, a, crmtest.LicenseID, "viber", "")
			wantCode(t, name+" adds a messenger", err, crm.CodeDenied, "")
			_, err = w.RemoveMessenger(ctx, a, crmtest.LicenseID, "grWhatsApp")
			wantCode(t, name+" removes a messenger", err, crm.CodeDenied, "")
			wantCode(t, name+" deletes a licence", w.DeleteLicense(ctx, a, crmtest.LicenseID), crm.CodeDenied, "")
		}
		_, err := w.CreateLicense(ctx, manages, crmtest.StrangeCompany, "New")
		wantCode(t, "in another company", err, crm.CodeNotFound, "")
		_, err = w.RenameLicense(ctx, manages, crmtest.StrangeLicense, "New")
		_, unknown := w.RenameLicense(ctx, manages, 99, "New")
		wantSameError(t, "another company's licence", err, unknown)
	})
}

// TestLineKeySeesItsLine checks that a key for one line learns of no other.
func TestLineKeySeesItsLine(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		w.Callbacks = quiet{}
		for _, on := range []crm.Line{onGr, onTelegram, onOther} {
			if _, err := w.IngestAs(ctx, w.Owner, on, crm.InboundRequest{Messages: []crm.InboundMessage{fromCustomer("M-"+on.Messenger, anna, "secret words", crmtest.Start)}}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.SetLineCallback(ctx, w.Owner, on, crm.CallbackInput{URL: "https://example.com/"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.SetCompanyCallback(ctx, w.Owner, crmtest.CompanyID, crm.CallbackInput{URL: "https://example.com/"}); err != nil {
			t.Fatal(err)
		}
		_, company := makeKey(t, w, ofCompany(crm.KeyRead, crm.KeyManage))
		_, line := makeKey(t, w, ofLine(onGr, crm.KeyRead, crm.KeyManage))
		seen := func(a crm.Actor, companyID int64) string {
			t.Helper()
			licenses, err := w.Licenses(ctx, a, companyID)
			if err != nil {
				t.Fatal(err)
			}
			chats, err := w.AllChats(ctx, a, crm.ChatQuery{CompanyID: companyID})
			if err != nil {
				t.Fatal(err)
			}
			urls, err := w.CallbackURLs(ctx, a, companyID)
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, l := range licenses {
				for _, m := range l.Messenger {
					all = append(all, fmt.Sprintf("%d/%s", l.LicenseID, m.Type))
				}
			}
			return fmt.Sprintf("%d licences, %s, %d chats, %d URLs", len(licenses), strings.Join(all, " "), len(chats.Items), len(urls))
		}
		for _, id := range []int64{0, crmtest.CompanyID} {
			if got, want := seen(line, id), "1 licences, 1229/grWhatsApp, 1 chats, 1 URLs"; got != want {
				t.Errorf("the line's key sees %s, want %s", got, want)
			}
			if got, want := seen(company, id), "2 licences, 1229/WhatsApp 1229/grWhatsApp 1229/telegram 1230/grWhatsApp, 3 chats, 4 URLs"; got != want {
				t.Errorf("the company's key sees %s, want %s", got, want)
			}
		}
		for what, a := range map[string]crm.Actor{"line": line, "company": company} {
			_, err := w.Licenses(ctx, a, crmtest.StrangeCompany)
			wantCode(t, what+": another company's licences", err, crm.CodeNotFound, "")
			_, err = w.AllChats(ctx, a, crm.ChatQuery{CompanyID: crmtest.StrangeCompany})
			wantCode(t, what+": another company's chats", err, crm.CodeNotFound, "")
			_, err = w.CallbackURLs(ctx, a, crmtest.StrangeCompany)
			wantCode(t, what+": another company's URLs", err, crm.CodeNotFound, "")
		}
		if got := found(t, w, line, crm.SearchQuery{Search: "secret"}); got != "M-grWhatsApp" {
			t.Errorf("the line's key finds %q", got)
		}
		lineKeyAndURLs(t, w, line, company)
	})
}

// lineKeyAndURLs checks which callback URLs the key of a line may touch by their id.
func lineKeyAndURLs(t *testing.T, w *crmtest.World, line, company crm.Actor) {
	ctx := t.Context()
	urls, err := w.CallbackURLs(ctx, w.Owner, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, unknown := w.CallbackDeliveries(ctx, line, 12345, crm.CallbackLogQuery{})
	for _, u := range urls {
		_, err := w.CallbackDeliveries(ctx, line, u.ID, crm.CallbackLogQuery{})
		if own := u.LicenseID != nil && *u.LicenseID == onGr.LicenseID && *u.MessengerType == onGr.Messenger; own != (err == nil) {
			t.Errorf("the log of %+v: %v", u, err)
		} else if !own {
			wantSameError(t, "a URL of another line", err, unknown)
		}
		if _, err := w.CallbackDeliveries(ctx, company, u.ID, crm.CallbackLogQuery{}); err != nil {
			t.Errorf("the log of %+v for the company's key: %v", u, err)
		}
	}
	_, err = w.SetCompanyCallback(ctx, line, crmtest.CompanyID, crm.CallbackInput{URL: "https://example.com/"})
	wantCode(t, "the company's URL with a line's key", err, crm.CodeDenied, "")
	if _, err = w.SetCompanyCallback(ctx, company, crmtest.CompanyID, crm.CallbackInput{URL: "https://example.com/2"}); err != nil {
		t.Errorf("the company's URL with the company's key: %v", err)
	}
}

// TestKeyEntersChannels checks which channels keys may enter: those of their lines, and none
// of people.
func TestKeyEntersChannels(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		of, company := makeKey(t, w, ofCompany(crm.KeyRead))
		to, line := makeKey(t, w, ofLine(onGr, crm.KeyRead))
		_, blind := makeKey(t, w, ofCompany(crm.KeySend, crm.KeyManage, crm.KeyInbound))
		gr, telegram := channels.LineName(crmtest.LicenseID, "grWhatsApp"), channels.LineName(crmtest.LicenseID, "telegram")
		for channel, want := range map[string][3]bool{
			gr: {true, true, false}, telegram: {true, false, false}, channels.PresenceOf(gr): {},
			channels.CompanyLinesName(crmtest.CompanyID): {true, false, false}, channels.CompanyLinesName(crmtest.StrangeCompany): {},
			channels.LineName(crmtest.StrangeLicense, "telegram"): {}, channels.CompanyName(crmtest.CompanyID): {}, "presence-v1.companies.2224": {},
			channels.PersonName(of.UserID): {}, channels.PersonName(to.UserID): {}, channels.PersonName(w.Owner.UserID): {},
			channels.CompanyUserName(crmtest.CompanyID, of.UserID): {}, channels.CompanyUserName(crmtest.CompanyID, w.Owner.UserID): {},
		} {
			name, err := channels.Parse(channel)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range []crm.Actor{company, line, blind} {
				err := channels.Policy{Access: w}.Authorize(ctx, a.UserID, name)
				if want[i] != (err == nil) || err != nil && !errors.Is(err, channels.ErrDenied) {
					t.Errorf("key %d enters %s: %v", i, channel, err)
				}
			}
		}
	})
}

// TestKeyThatSendsReadsNoAnswers sends messages that answer and react to a customer's, with a key
// that may only send: what it gets back must not tell what the customer wrote.
func TestKeyThatSendsReadsNoAnswers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		_, sends := makeKey(t, w, ofLine(onGr, crm.KeySend))
		_, both := makeKey(t, w, ofLine(onGr, crm.KeySend, crm.KeyRead))
		if _, err := w.IngestAs(ctx, w.Owner, onGr, crm.InboundRequest{Messages: []crm.InboundMessage{fromCustomer("K1", anna, "a secret", crmtest.Start)}}); err != nil {
			t.Fatal(err)
		}
		id := idOf("K1")
		answer := saying("Yes")
		answer.Quoted = &id
		reaction := crm.Outgoing{Type: crm.MessageReaction, Content: crm.Content{Reaction: &crm.Reaction{MessageID: id, Emoji: "👍"}}}
		for name, m := range map[string]crm.Outgoing{"answer": answer, "reaction": reaction} {
			for who, a := range map[string]crm.Actor{"sends": sends, "reads too": both} {
				sent, err := w.Send(ctx, a, chatAt(onGr, anna), m)
				if err != nil {
					t.Fatal(err)
				}
				item, err := w.AcceptedMessage(ctx, a, crm.ChatAddress{Line: onGr, ChatID: sent.ChatID}, sent.ID)
				if err != nil {
					t.Fatal(err)
				}
				text, err := json.Marshal(item)
				if err != nil {
					t.Fatal(err)
				}
				reads := a == both
				if told := strings.Contains(string(text), "a secret"); told != (reads && name == "answer") {
					t.Errorf("%s, a key that %s: %s", name, who, text)
				}
				if r := item.Message.Reaction; name == "reaction" && (r.Origin.FromUser.ID != crm.ID{}) != reads {
					t.Errorf("%s, a key that %s: %s", name, who, text)
				}
			}
		}
	})
}

// TestKeysLoseTheChannelsOfALine removes a line: each key of the company loses those channels of
// it that the policy let it into, and the keys of the line end.
func TestKeysLoseTheChannelsOfALine(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, ctx := crmtest.New(t, store), t.Context()
		made, err := w.CreateInstance(ctx, w.Owner, crm.InstanceInput{Name: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		of := func(rights ...string) int64 { k, _ := makeKey(t, w, ofCompany(rights...)); return k.UserID }
		own, _ := makeKey(t, w, ofLine(made.Line, crm.KeyManage))
		events, codes := channels.LineName(made.Line.LicenseID, made.Line.Messenger), channels.PairingName(made.Line.LicenseID, made.Line.Messenger)
		want := map[int64][]string{
			of(crm.KeyRead): {events}, of(crm.KeyManage): {codes}, of(crm.KeyRead, crm.KeyManage): {events, codes}, of(crm.KeySend, crm.KeyInbound): nil, own.UserID: nil,
		}
		for user, names := range want {
			for _, name := range []string{events, codes} {
				full, err := channels.Parse(name)
				if err != nil {
					t.Fatal(err)
				}
				err = channels.Policy{Access: w.Service}.Authorize(ctx, user, full)
				if may := slices.Contains(names, name) || user == own.UserID && name == codes; (err == nil) != may {
					t.Errorf("%d in %s: %v", user, name, err)
				}
			}
		}
		if err := w.DeleteInstance(ctx, w.Owner, "shop"); err != nil {
			t.Fatal(err)
		}
		got := map[int64][]string{}
		for _, u := range w.Live.Unsubscribed() {
			got[u.UserID] = append(got[u.UserID], u.Channels...)
		}
		for user, names := range want {
			if !slices.Equal(got[user], names) {
				t.Errorf("%d loses %q, want %q", user, got[user], names)
			}
		}
	})
}
