package whatsapp

import (
	"context"
	"time"

	"chatcast/crm"
)

// none is the result of a method that has none, and the args of one without any.
type none struct{}

// How long the methods may take in the process that serves the line.
func toAsk(t times) time.Duration  { return t.answer + 5*time.Second }
func toShow(t times) time.Duration { return t.code + 10*time.Second }
func toType(times) time.Duration   { return 10 * time.Second }
func toLeave(times) time.Duration  { return 30 * time.Second }

// methods are all methods, by name. A name keeps its meaning: processes of two versions
// call each other while one is replaced by the other.
var methods = map[string]callee{
	typingMethod.name: typingMethod, pairMethod.name: pairMethod, logoutMethod.name: logoutMethod,
	signMethod.name: signMethod, confirmMethod.name: confirmMethod, cancelMethod.name: cancelMethod,
	restartMethod.name: restartMethod, blockMethod.name: blockMethod, checkMethod.name: checkMethod, picturesMethod.name: picturesMethod,
	groupsMethod.name: groupsMethod, groupMethod.name: groupMethod, groupLinkMethod.name: groupLinkMethod,
	createGroupMethod.name: createGroupMethod, changeGroupMethod.name: changeGroupMethod, changeMembersMethod.name: changeMembersMethod,
	joinGroupMethod.name: joinGroupMethod, leaveGroupMethod.name: leaveGroupMethod,
	memberGroupsMethod.name: memberGroupsMethod, linkedGroupMethod.name: linkedGroupMethod,
	postMethod.name: postMethod, presenceMethod.name: presenceMethod, chatStateMethod.name: chatStateMethod,
	privacyMethod.name: privacyMethod, setPrivacyMethod.name: setPrivacyMethod,
	profileMethod.name: profileMethod, setNameMethod.name: setNameMethod, setAboutMethod.name: setAboutMethod,
	setPictureMethod.name: setPictureMethod, personMethod.name: personMethod,
	groupPictureMethod.name: groupPictureMethod, setGroupPictureMethod.name: setGroupPictureMethod,
}

type typingArgs struct{ Chat, Kind string }

var typingMethod = method[typingArgs, none]{"typing", toType, func(ctx context.Context, m *Messenger, l crm.Line, a typingArgs) (none, error) {
	return none{}, m.typing(ctx, l, a.Chat, a.Kind)
}}

// Typing implements crm.Messenger.
func (m *Messenger) Typing(ctx context.Context, l crm.Line, chat, kind string) error {
	_, err := typingMethod.call(ctx, m, l, typingArgs{chat, kind})
	return err
}

type pairArgs struct{ Phone string }

// pairAnswer is a Pairing with what its JSON leaves out.
type pairAnswer struct {
	crm.Pairing
	QRBeside string `json:",omitempty"`
}

var pairMethod = method[pairArgs, pairAnswer]{"pair", toShow, func(ctx context.Context, m *Messenger, l crm.Line, a pairArgs) (pairAnswer, error) {
	p, err := m.pair(ctx, l, a.Phone)
	return pairAnswer{p, p.Beside}, err
}}

// Pair implements crm.Messenger. While a pairing runs it returns the code that is shown
// now. If the line's device is paired and the line only waits for a request to connect,
// Pair connects it and returns an empty crm.Pairing.
func (m *Messenger) Pair(ctx context.Context, l crm.Line, phone string) (crm.Pairing, error) {
	p, err := pairMethod.call(ctx, m, l, pairArgs{phone})
	p.Beside = p.QRBeside
	return p.Pairing, err
}

var logoutMethod = method[none, none]{"logout", toLeave, func(ctx context.Context, m *Messenger, l crm.Line, _ none) (none, error) {
	return none{}, m.logout(ctx, l)
}}

// Logout implements crm.Messenger. A line between two connections is waited for, so that
// WhatsApp can be told. The session ends here even when it cannot: then the line's state says
// that the phone may still list the device.
func (m *Messenger) Logout(ctx context.Context, l crm.Line) error {
	_, err := logoutMethod.call(ctx, m, l, none{})
	return err
}

var signMethod = method[crm.Assertion, none]{"passkey", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a crm.Assertion) (none, error) {
	return none{}, m.signPasskey(ctx, l, a)
}}

// SignPasskey implements crm.PasskeyMessenger.
func (m *Messenger) SignPasskey(ctx context.Context, l crm.Line, a crm.Assertion) error {
	_, err := signMethod.call(ctx, m, l, a)
	return err
}

type confirmArgs struct{ Code string }

var confirmMethod = method[confirmArgs, none]{"passkey code", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a confirmArgs) (none, error) {
	return none{}, m.confirmPasskey(ctx, l, a.Code)
}}

// ConfirmPasskey implements crm.PasskeyMessenger.
func (m *Messenger) ConfirmPasskey(ctx context.Context, l crm.Line, code string) error {
	_, err := confirmMethod.call(ctx, m, l, confirmArgs{code})
	return err
}

var cancelMethod = method[none, none]{"no passkey", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, _ none) (none, error) {
	return none{}, m.cancelPasskey(ctx, l)
}}

// CancelPasskey implements crm.PasskeyMessenger.
func (m *Messenger) CancelPasskey(ctx context.Context, l crm.Line) error {
	_, err := cancelMethod.call(ctx, m, l, none{})
	return err
}

var restartMethod = method[none, none]{"restart", toLeave, func(_ context.Context, m *Messenger, l crm.Line, _ none) (none, error) {
	s := m.serving(l)
	if s == nil {
		return none{}, crm.Unavailable("the line is not connected")
	}
	s.end(ending{kind: endLost, detail: detailRestart})
	return none{}, nil
}}

var _ crm.Restarter = (*Messenger)(nil)

// Restart implements crm.Restarter.
func (m *Messenger) Restart(ctx context.Context, l crm.Line) error {
	_, err := restartMethod.call(ctx, m, l, none{})
	return err
}

type blockArgs struct {
	ID      string
	Blocked bool
}

var blockMethod = method[blockArgs, none]{"block", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a blockArgs) (none, error) {
	return none{}, m.block(ctx, l, a.ID, a.Blocked)
}}

// Block implements crm.Blocker. WhatsApp names people in the list by hidden id, so a person
// without one cannot be blocked.
func (m *Messenger) Block(ctx context.Context, l crm.Line, id string, blocked bool) error {
	_, err := blockMethod.call(ctx, m, l, blockArgs{id, blocked})
	return err
}

type checkArgs struct {
	Numbers []string
	begin   func() error // nil: the rules of this process count them for the caller
}

var checkMethod = method[checkArgs, map[string]crm.CheckedNumber]{"check", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a checkArgs) (map[string]crm.CheckedNumber, error) {
	if a.begin == nil {
		a.begin = func() error { return m.rules.CountChecks(ctx, l, len(a.Numbers)) }
	}
	return m.checkNumbers(ctx, l, a.Numbers, a.begin)
}}

// CheckNumbers implements crm.NumberChecker. What was answered before an error is lost:
// the numbers are asked about again.
func (m *Messenger) CheckNumbers(ctx context.Context, l crm.Line, numbers []string, begin func() error) (map[string]crm.CheckedNumber, error) {
	return checkMethod.call(ctx, m, l, checkArgs{numbers, begin})
}

var picturesMethod = method[[]string, none]{"pictures", toAsk, func(_ context.Context, m *Messenger, l crm.Line, chatIDs []string) (none, error) {
	if s := m.serving(l); s != nil {
		for _, id := range chatIDs {
			s.pictures.want(id, false)
		}
	}
	return none{}, nil
}}
