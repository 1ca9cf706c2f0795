package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/bridge"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models/testdb"
)

// beside returns another process on the database: rules with a pool of their own, and a
// Messenger that serves no line, because the first process has the only one.
func (f *fleet) beside(t *testing.T, opts ...func(*Options)) (other *harness) {
	t.Helper()
	world := *f.World
	store := testdb.Open(t, f.url)
	world.Service = crm.New(crm.Options{
		Store: store, Live: f.Live, Now: time.Now, Log: slog.New(slog.DiscardHandler), PasswordCost: 4, Files: crm.Folder(f.FilesDir),
		Messengers: map[string]crm.Messenger{"": bridge.Messenger{}},
	})
	other = &harness{World: &world, wa: f.wa, shop: f.shop, anna: f.anna}
	other.m, other.stop = f.nodeOn(t, store, other.Service, opts...)
	other.Service.Messengers[Type] = other.m
	eventually(t, "the processes do not see each other", func() bool {
		return len(other.m.nodes.others(other.m.owner)) == 1 && len(f.m.nodes.others(f.m.owner)) == 1
	})
	return other
}

// inOne checks that the first process serves the line, and the other one does not.
func (f *fleet) inOne(t *testing.T, other *harness) {
	t.Helper()
	if got := has(f.m, other.m); !slices.Equal(got, []int{1, 0}) {
		t.Errorf("the processes have %v lines", got)
	}
}

func lasting(o *Options) { o.times = patient }

// TestAllOfALineInAnotherProcess does everything that needs a line's connection with a process that
// does not serve the line.
func TestAllOfALineInAnotherProcess(t *testing.T) {
	hasty := func(o *Options) {
		o.times = patient
		o.times.picture = 50 * time.Millisecond
	}
	f := newFleet(t, 1, hasty)
	h := f.beside(t, hasty)
	f.anna.SendText(f.shop, "hi")
	f.awaitItem(t, crm.EventMessage, `"hi"`)
	f.wa.NewContact("79992223344", "100200303", "Carl").LetNobodyAdd(true)

	if err := h.Typing(t.Context(), h.Operator, h.chat(), crm.TypingText); err != nil {
		t.Errorf("typing: %v", err)
	}
	if err := f.anna.AwaitTyping(testwait.Context(t), "composing"); err != nil {
		t.Error(err)
	}
	checks, err := h.CheckContacts(t.Context(), h.Operator, testLine, []string{"79995554433", "79990000000"})
	if err != nil || len(checks) != 2 || checks[0].Exists == nil || !*checks[0].Exists || checks[0].LID == nil || checks[1].Exists == nil || *checks[1].Exists {
		t.Errorf("checked as %+v, %v", checks, err)
	}
	for _, blocked := range []bool{true, false} {
		data, err := h.BlockContact(t.Context(), h.Operator, crm.ContactAddress{Line: testLine, ContactID: anna}, blocked)
		if err != nil || data.Blocked != blocked || f.shop.Blocks(f.anna) != blocked {
			t.Errorf("blocking, %v: %+v, %v", blocked, data, err)
		}
	}
	h.groupsElsewhere(t)
	h.accountElsewhere(t)
	f.inOne(t, h)

	h.picturesElsewhere(t)
	if err := h.Logout(t.Context(), h.Owner, testLine); err != nil {
		t.Errorf("logging out: %v", err)
	}
	h.awaitState(t, crm.StateLoggedOut)
	if n := f.shop.Devices(); n != 0 {
		t.Errorf("%d devices are linked", n)
	}
	log, err := h.AuditLog(t.Context(), h.Owner, crm.AuditQuery{Action: crm.AuditLineLoggedOut})
	if err != nil || len(log.Items) != 1 || log.Items[0].Actor.ID == nil || *log.Items[0].Actor.ID != h.Owner.UserID {
		t.Errorf("the audit log has %+v, %v", log.Items, err)
	}
	h.noCallsLeft(t)
}

// accountElsewhere does everything with the account itself.
func (h *harness) accountElsewhere(t *testing.T) {
	t.Helper()
	if p, err := h.ChangeProfile(t.Context(), h.Owner, testLine, crm.ProfileChanges{Name: crm.Value("Flowers"), About: crm.Value("Mon-Fri")}); err != nil || p.Name != "Flowers" || p.About != "Mon-Fri" {
		t.Errorf("the profile is %+v, %v", p, err)
	}
	if err := h.SetProfilePicture(t.Context(), h.Owner, testLine, whatsapptest.Photo(9, 9)); err != nil || h.wa.Picture(h.shop.Number()) == nil {
		t.Errorf("the picture: %v", err)
	}
	if p, err := h.ContactProfile(t.Context(), h.Operator, crm.ContactAddress{Line: testLine, ContactID: anna}); err != nil || !p.Exists || p.LID == nil {
		t.Errorf("Anna is %+v, %v", p, err)
	}
	if p, err := h.ChangePrivacy(t.Context(), h.Owner, testLine, crm.PrivacyChanges{LastSeen: crm.Value("contacts")}); err != nil || p.LastSeen != "contacts" {
		t.Errorf("the privacy is %+v, %v", p, err)
	}
	if err := h.SetPresence(t.Context(), h.Owner, testLine, crm.PresenceAvailable); err != nil {
		t.Errorf("online: %v", err)
	}
	if data, err := h.ChangeChatState(t.Context(), h.Operator, h.chat(), crm.ChatStateChanges{Archived: crm.Value(true), MutedUntil: crm.Value[int64](crm.MutedForEver)}); err != nil ||
		!data.State.Archived || data.State.MutedUntil == nil {
		t.Errorf("the state of the chat is %+v, %v", data.State, err)
	}
	u, err := h.StoreStatusFile(t.Context(), h.Owner, testLine, "photo.jpg", "", bytes.NewReader(whatsapptest.Photo(9, 9)))
	if err != nil {
		t.Fatal(err)
	}
	posted, err := h.PostStatus(t.Context(), h.Owner, testLine, crm.StatusPost{Receivers: []string{anna}}, u)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.anna.AwaitID(testwait.Context(t), posted.ID); err != nil {
		t.Error(err)
	}
}

func (h *harness) groupsElsewhere(t *testing.T) {
	t.Helper()
	made, err := h.CreateGroup(t.Context(), h.Operator, testLine, crm.GroupInput{Name: "Neighbours", Description: "Our street", Members: []string{anna, carl, unknown}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := told(made.Members), "79995554433 200, 79992223344 403 invitation_required, 79990000000 404 not_found"; got != want {
		t.Errorf("it was made with %s, want %s", got, want)
	}
	if !slices.ContainsFunc(made.Group.Members, func(m crm.GroupMember) bool { return m.Self }) {
		t.Errorf("which member is the account is lost: %+v", made.Group.Members)
	}
	at := crm.ChatAddress{Line: testLine, ChatID: made.Group.ID}
	if list, err := h.Groups(t.Context(), h.Reader, testLine, false); err != nil || len(list) != 1 || list[0].ID != made.Group.ID {
		t.Errorf("listed as %+v, %v", list, err)
	}
	changed, err := h.ChangeGroup(t.Context(), h.Operator, at, crm.GroupChanges{
		Name: crm.Value("Friends"), Description: crm.Value(""), Announce: crm.Value(true), Locked: crm.Value(true), Ephemeral: crm.Value[int64](86400),
	})
	if err != nil || changed.Name != "Friends" || changed.Description != "" || !changed.Announce || !changed.Locked || changed.Ephemeral != 86400 || len(changed.Members) != 2 {
		t.Errorf("changed to %+v, %v", changed, err)
	}
	if results, err := h.ChangeMembers(t.Context(), h.Owner, at, crm.MembersPromote, []string{anna}); err != nil || told(results) != "79995554433 200" {
		t.Errorf("promoted: %s, %v", told(results), err)
	}
	link, err := h.GroupLink(t.Context(), h.Operator, at)
	if renewed, err2 := h.RenewGroupLink(t.Context(), h.Owner, at); err != nil || err2 != nil || renewed.Link == link.Link {
		t.Errorf("its links are %+v, %v and %+v, %v", link, err, renewed, err2)
	}
	if err := h.SetGroupPicture(t.Context(), h.Operator, at, whatsapptest.Photo(800, 600)); err != nil {
		t.Errorf("a picture: %v", err)
	}
	if shown, err := h.GroupPicture(t.Context(), h.Reader, at); err != nil || shown.URL == nil || !strings.HasPrefix(*shown.URL, "https://") {
		t.Errorf("its picture is %+v, %v", shown, err)
	}
	if list, err := h.Groups(t.Context(), h.Reader, testLine, true); err != nil || len(list) != 1 || len(list[0].Members) != 2 || !list[0].Members[0].Self {
		t.Errorf("listed with members as %+v, %v", list, err)
	}
	choir := h.wa.NewGroup("Choir", true, h.anna)
	if g, err := h.GroupByLink(t.Context(), h.Owner, testLine, choir.Invite()); err != nil || g.Name != "Choir" {
		t.Errorf("the group of a link is %+v, %v", g, err)
	}
	joined, err := h.JoinGroup(t.Context(), h.Owner, testLine, "https://chat.whatsapp.com/"+choir.Invite())
	if err != nil || joined.Group == nil || joined.Group.Name != "Choir" {
		t.Fatalf("joined %+v, %v", joined, err)
	}
	there := crm.ChatAddress{Line: testLine, ChatID: choir.JID().String()}
	if err := h.LeaveGroup(t.Context(), h.Owner, there); err != nil || choir.Rank(h.shop) != "none" {
		t.Errorf("leaving: %v", err)
	}
	if err := h.LeaveGroup(t.Context(), h.Owner, there); code(err) != crm.CodeNotFound {
		t.Errorf("leaving again: %v", err)
	}
	var e *crm.Error
	_, err = h.JoinGroup(t.Context(), h.Owner, testLine, "https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv")
	if !errors.As(err, &e) || e.Code != crm.CodeInvalid || e.Fields["link"] == "" {
		t.Errorf("a link of no group: %v", err)
	}
}

// picturesElsewhere looks at a chat whose picture nobody has seen.
func (h *harness) picturesElsewhere(t *testing.T) {
	t.Helper()
	bob := h.wa.NewContact("79993334455", "100200304", "Bob")
	bob.SetPicture([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00Bob"))
	bob.SendText(h.shop, "hello")
	h.awaitItem(t, crm.EventMessage, `"hello"`)
	eventually(t, "the picture did not come", func() bool {
		state, _ := h.imageOf(t, "79993334455@c.us") // which asks for it
		return state == crm.PictureShown
	})
}

// noCallsLeft checks that no row of a call is left.
func (h *harness) noCallsLeft(t *testing.T) {
	t.Helper()
	eventually(t, "calls are left in the database", func() bool {
		return testdb.Contents(t, h.Store)["line_calls"] == ""
	})
}

// TestSentByAnotherProcess checks that what a process that does not serve the line sends is
// sent at once: a sender that only looks would need a quarter of a minute for each.
func TestSentByAnotherProcess(t *testing.T) {
	f := newFleet(t, 1, lasting)
	h := f.beside(t, lasting)
	f.anna.SendText(f.shop, "hi")
	f.awaitItem(t, crm.EventMessage, `"hi"`)
	const messages = 6
	began := time.Now()
	for i := range messages {
		text := fmt.Sprint("answer ", i)
		h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: text}})
		if _, err := f.anna.AwaitText(testwait.Context(t), text); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > (messages-2)*sendCheck {
		t.Errorf("%d messages took %v", messages, took)
	}
	f.inOne(t, h)
	if _, err := h.ChangeLineSettings(t.Context(), h.Owner, testLine, crm.LineSettingsChanges{SendDelay: crm.Value[int64](7)}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the settings are not taken over", func() bool {
		s := f.m.serving(testLine)
		return s != nil && s.paceNow().delay == 7*time.Second
	})
}

// TestPairWithAnotherProcess pairs a line in one process while the codes are asked for in
// another: by QR code, by a code to type, and by passkey.
func TestPairWithAnotherProcess(t *testing.T) {
	f := newFleet(t, 0, lasting)
	h := f.beside(t, lasting)
	first, err := f.Pair(testwait.Context(t), f.Owner, testLine, nil)
	if err != nil || first.QR == nil {
		t.Fatalf("shown is %+v, %v", first, err)
	}
	typed, err := h.Pair(testwait.Context(t), h.Owner, testLine, new("79990001122"))
	if err != nil || typed.Code == nil {
		t.Fatalf("shown is %+v, %v", typed, err)
	}
	if again, err := f.Pair(testwait.Context(t), f.Owner, testLine, nil); err != nil || again.Code == nil || *again.Code != *typed.Code {
		t.Errorf("the first process shows %+v, %v", again, err)
	}
	if _, err := f.shop.EnterCode(testwait.Context(t), *typed.Code); err != nil {
		t.Fatal(err)
	}
	h.awaitState(t, crm.StateConnected)
	f.inOne(t, h)
	if _, err := h.Pair(testwait.Context(t), h.Owner, testLine, nil); code(err) != crm.CodeConflict {
		t.Errorf("pairing a paired line: %v", err)
	}
	if err := h.Logout(t.Context(), h.Owner, testLine); err != nil {
		t.Fatal(err)
	}
	h.awaitState(t, crm.StateLoggedOut)

	l, o := f.scan(t, whatsapptest.PasskeyOptions{})
	if err := h.sign(t, l, whatsapptest.Signing{Challenge: "aGk"}); code(err) != crm.CodeInvalid {
		t.Errorf("another challenge: %v", err)
	}
	if err := h.sign(t, l, whatsapptest.Signing{Challenge: o.Challenge}); err != nil {
		t.Fatal(err)
	}
	if err := <-l.done; err != nil {
		t.Fatal(err)
	}
	h.awaitState(t, crm.StateConnected)
	f.inOne(t, h)
	if err := f.Logout(t.Context(), f.Owner, testLine); err != nil {
		t.Fatal(err)
	}

	l, _ = f.scan(t, whatsapptest.PasskeyOptions{})
	if err := h.CancelPasskey(t.Context(), h.Owner, testLine); err != nil {
		t.Fatal(err)
	}
	h.awaitItem(t, crm.EventMessengerStatus, `"state":"disconnected"`, detailPasskeyCancelled)
	<-l.done
	eventually(t, "the pairing goes on", func() bool { return f.m.serving(testLine) == nil })
	wantConflict(t, "too late, in the process that did not pair", h.CancelPasskey(t.Context(), h.Owner, testLine), detailPasskeyCancelled)
	h.noCallsLeft(t)
}

// takingRules count the calls that their process takes.
type takingRules struct {
	*severed
	taken atomic.Int64
}

func (r *takingRules) TakeLineCalls(ctx context.Context, node string, limit int) ([]crm.LineCall, error) {
	calls, err := r.severed.TakeLineCalls(ctx, node, limit)
	r.taken.Add(int64(len(calls)))
	return calls, err
}

// TestCallOfTheDead checks what becomes of a call whose process dies: one that was begun is
// not made again, and its caller hears that the outcome is not known; one that was not begun
// is made by the next process of the line.
func TestCallOfTheDead(t *testing.T) {
	for name, begun := range map[string]bool{"begun": true, "not begun": false} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, 1)
			f.stop()
			rules := &takingRules{severed: &severed{Service: f.Service}}
			first, _ := f.node(t, rules, briskly)
			f.m = first
			f.Service.Messengers[Type] = first
			f.spread(t, []int{1}, first)
			h := f.beside(t, briskly)
			if begun {
				f.wa.Mute("w:g2")
			} else {
				rules.sever(true)
			}
			ended := make(chan error, 1)
			go func() {
				_, err := h.CreateGroup(testwait.Context(t), h.Operator, testLine, crm.GroupInput{Name: "Neighbours"})
				ended <- err
			}()
			if begun {
				eventually(t, "it is not begun", func() bool { return rules.taken.Load() == 1 })
				rules.sever(true)
			}
			var err error
			select {
			case err = <-ended:
			case <-testwait.Context(t).Done():
				t.Fatal("the caller waits")
			}
			var e *crm.Error
			errors.As(err, &e)
			switch unknown := e != nil && strings.Contains(e.Message, "not known whether"); {
			case begun && !unknown, !begun && unknown, err != nil && code(err) != crm.CodeUnavailable:
				t.Errorf("the caller hears %v", err)
			}
			f.spread(t, []int{0, 1}, first, h.m)
			if n := rules.taken.Load(); begun != (n == 1) {
				t.Errorf("the process that died took %d calls", n)
			}
			f.wa.Mute()
			eventually(t, "the process that has the line now does not use it", func() bool {
				_, err := h.Groups(testwait.Context(t), h.Operator, testLine, false)
				return err == nil
			})
			h.noCallsLeft(t)
			f.notReplaced(t)
		})
	}
}

// TestCallsKeepWhatTheySay checks that all that methods take and return comes through as it
// was.
func TestCallsKeepWhatTheySay(t *testing.T) {
	group := crm.Group{ID: "1@g.us", Members: []crm.GroupMember{{ID: "2@c.us"}, {ID: "3@c.us", Self: true}}}
	for _, v := range []any{
		&typingArgs{}, &pairArgs{}, &crm.Assertion{}, &confirmArgs{}, &blockArgs{}, &checkArgs{}, &groupArgs{}, &groupLinkArgs{}, &crm.GroupInput{},
		&groupChange{}, &membersArgs{}, &joinArgs{}, &pairAnswer{}, &crm.CheckedNumber{}, &crm.MemberResult{}, &crm.Caller{}, &crm.Error{}, &sentGroup{}, &joinedGroup{},
		&sentGroups{}, &groupPictureArgs{}, &stateArgs{}, &postArgs{}, &privacyArgs{}, &presenceArgs{}, &nameArgs{}, &pictureArgs{}, &personArgs{},
		&crm.AccountProfile{}, &crm.PersonProfile{}, &crm.Privacy{},
	} {
		fill(reflect.ValueOf(v).Elem())
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		back := reflect.New(reflect.TypeOf(v).Elem()).Interface()
		if err := json.Unmarshal(text, back); err != nil || !reflect.DeepEqual(v, back) {
			t.Errorf("%T came back as %s, %v", v, text, err)
		}
	}
	text, err := json.Marshal(sendGroup(&group))
	var back sentGroup
	if err := errors.Join(err, json.Unmarshal(text, &back)); err != nil || !reflect.DeepEqual(*back.group(), group) {
		t.Errorf("the group came back as %s, %v", text, err)
	}
	for name, x := range methods {
		if name == "" || x == nil {
			t.Errorf("method %q is %v", name, x)
		}
	}
}

// fill gives all exported fields values, but for members of groups which are the account, and for the
// code that a pairAnswer tells itself.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() && !slices.Contains([]string{"Self", "Beside"}, v.Type().Field(i).Name) {
				fill(f)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		if v.Type().Elem().Kind() == reflect.String {
			v.SetMapIndex(reflect.ValueOf("key"), reflect.ValueOf("value"))
		}
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	}
}
