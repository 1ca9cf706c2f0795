package multiwa

import (
	"context"
	"encoding/json"
	"errors"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/channels/refusals"
	"chatcast/crm"
)

// Namespace is the namespace of Socket.IO in which this dialect is spoken.
//
//	client                                              server
//	------                                              ------
//	CONNECT {apiKey, profileId?, events?}            -> connect, or connect_error
//	join {profileId, events?, lastEventId?}          <- {success, profileId}, or {success: false, error}
//	                                                 <- with lastEventId the events after it, then
//	                                                    replayed {profileId, lastEventId}
//	                                                 <- qr:update, connection:status, message, message:ack
//	leave {profileId}                                <- {success, profileId}
//
// subscribe:profile and unsubscribe:profile are other names of join and leave. Where there is
// an argument of an event, it may be the id alone. The profile of the CONNECT, or the only one
// of the key, is joined with the connection: it is recovered with it.
const Namespace = "/ws"

// errorForbidden is the answer to a client that may not join a profile, or names none.
const errorForbidden = "Forbidden"

// Member is a client in the namespace. Its methods are called only by the handler of what the
// client sends.
type Member interface {
	// Subscribe lets the client into a channel.
	Subscribe(ctx context.Context, s MemberSubscription) error
	// Unsubscribe takes the client out of a channel, if it is in it.
	Unsubscribe(channel string)
	// Subscribed reports whether it is in a channel.
	Subscribed(channel string) bool
	// Name names the client in the log.
	Name() string
}

// MemberSubscription is a channel that a client enters.
type MemberSubscription struct {
	Channel string
	Feed    Feed
	Most    int // the limit of channels of the client

	Resume bool  // begins with what came after the event with the number After
	After  int64 //

	Authorize func(ctx context.Context) error // asked before the client is let in, and again afterwards
	Begun     func()                          // called before the first event; it does not block
}

// Visit is the stay of a client in the namespace. Its methods are called one after the other.
type Visit struct {
	// static
	srv    *Server
	actor  crm.Actor
	key    *crm.KeyData
	secret string   // the text of the key
	first  *profile // that is joined with the connection; nil: none
	remote string

	joined map[string]crm.Line // by the id of the profile
}

// profile is a profile that a client gets the events of.
type profile struct {
	of   *crm.Instance
	want eventSet
}

// Refusal is why a client may not come in. Its text is what the client is told.
type Refusal struct{ Message string }

func (r *Refusal) Error() string { return "multiwa: " + r.Message }

// Visit lets a client with a key come in. auth is what it says with its CONNECT: an object;
// nil: nothing. With a *Refusal it is told so; with an error of the key it is told that.
func (s *Server) Visit(ctx context.Context, secret string, auth json.RawMessage, remote string) (*Visit, error) {
	v := &Visit{srv: s, secret: secret, remote: remote, joined: map[string]crm.Line{}}
	var err error
	if v.actor, v.key, err = s.opt.CRM.AuthenticateKey(ctx, secret); err != nil {
		return nil, err
	}
	in, err := parseJoin(auth)
	if err != nil {
		return nil, &Refusal{err.Error()}
	}
	of, err := s.profile(ctx, v.actor, v.key, in.profileID)
	if err == nil {
		err = v.asks(of.Line.Channel())(ctx)
	}
	switch {
	case err == nil:
		v.first = &profile{of, in.want}
		v.joined[of.ID] = of.Line
	case errors.Is(err, errNoProfile), isRefusal(err) && in.profileID == "": // it did not ask for one
	case isRefusal(err):
		s.opt.Refusals.Add(ctx, refusals.Subscription, refusals.Denied, "namespace", Namespace, "key", v.key.ID, "address", remote)
		return nil, &Refusal{errorForbidden}
	default:
		return nil, err
	}
	return v, nil
}

// UserID is the user that stands for the key.
func (v *Visit) UserID() int64 { return v.actor.UserID }

// First returns what the client gets from the connection on: the channel of a profile, that of
// the codes that pair it, and their feed. The channels are empty where it gets nothing.
func (v *Visit) First() (channel, codes string, f Feed) {
	if v.first == nil {
		return "", "", f
	}
	on := v.first.of.Line
	if v.pairs(v.first.want) {
		codes = channels.PairingName(on.LicenseID, on.Messenger)
	}
	return on.Channel(), codes, v.feed(*v.first)
}

// Confirm asks again whether the client may be here.
func (v *Visit) Confirm(ctx context.Context) error {
	_, _, err := v.srv.opt.CRM.AuthenticateKey(ctx, v.secret)
	line, codes, _ := v.First()
	for _, channel := range [...]string{line, codes} {
		if err == nil && channel != "" {
			err = v.asks(channel)(ctx)
		}
	}
	if !isKeyError(err) && isRefusal(err) {
		return &Refusal{errorForbidden}
	}
	return err
}

// pairs reports whether a client with a list gets the codes that pair a profile: whoever has
// them can take the profile over.
func (v *Visit) pairs(want eventSet) bool { return want.has(kindQR) && v.key.Has(crm.KeyManage) }

func (v *Visit) feed(p profile) Feed {
	return Feed{of: v.srv.events, want: p.want, profile: p.of.ID}
}

// asks returns what asks whether the key may enter a channel.
func (v *Visit) asks(channel string) func(context.Context) error {
	return func(ctx context.Context) error {
		name, err := channels.Parse(channel)
		if err != nil {
			return err
		}
		return v.srv.opt.Policy.Authorize(ctx, v.actor.UserID, name)
	}
}

// outcome is the answer to what a client sends.
type outcome struct {
	Success   bool   `json:"success"`
	ProfileID string `json:"profileId,omitempty"`
	Error     string `json:"error,omitempty"`
}

// Handle does what a client asks for, and acknowledges it. It reports whether there is such an
// event.
func (v *Visit) Handle(ctx context.Context, m Member, event string, args []json.RawMessage, acknowledge func(json.RawMessage)) bool {
	do := v.join
	switch event {
	case "join", "subscribe:profile":
	case "leave", "unsubscribe:profile":
		do = v.leave
	default:
		return false
	}
	var arg json.RawMessage
	if len(args) > 0 {
		arg = args[0]
	}
	ctx, cancel := context.WithTimeout(ctx, subscribeTime)
	defer cancel()
	answer := func(o outcome) {
		text, err := encode(o)
		if err == nil { // strings always encode
			acknowledge(text)
		}
	}
	if text := v.refused(ctx, m, do(ctx, m, arg, answer)); text != "" {
		answer(outcome{Error: text})
	}
	return true
}

// refused returns what a client is told of an error; "": nothing.
func (v *Visit) refused(ctx context.Context, m Member, err error) string {
	var bad refusal
	switch {
	case err == nil, errors.Is(err, broadcasting.ErrClosed): // also: it has gone
		return ""
	case errors.As(err, &bad):
		return string(bad)
	case errors.Is(err, errNoProfile):
		return errorProfile
	case errors.Is(err, broadcasting.ErrTooMany):
		return errorSubscriptions
	case isRefusal(err):
		v.srv.opt.Refusals.Add(ctx, refusals.Subscription, refusals.Denied, "socket", m.Name(), "key", v.key.ID, "address", v.remote)
		return errorForbidden
	}
	v.srv.faults.Error(ctx, v.srv.opt.Log, "a profile could not be joined", "socket", m.Name(), "error", err)
	return errorInternal
}

// join subscribes to the events of a profile, or replaces the list of one that the client has
// joined.
func (v *Visit) join(ctx context.Context, m Member, arg json.RawMessage, answer func(outcome)) error {
	in, err := parseJoin(arg)
	if err != nil {
		return err
	}
	of, err := v.srv.profile(ctx, v.actor, v.key, in.profileID)
	if err != nil {
		return err
	}
	line, codes := of.Line.Channel(), channels.PairingName(of.Line.LicenseID, of.Line.Messenger)
	if !m.Subscribed(line) && v.count(m) >= maxProfiles {
		return broadcasting.ErrTooMany
	}
	feed := v.feed(profile{of, in.want})
	err = m.Subscribe(ctx, MemberSubscription{
		Channel: line, Feed: feed, Most: maxChannels, Resume: in.resume, After: in.after, Authorize: v.asks(line),
		Begun: func() { answer(outcome{Success: true, ProfileID: of.ID}) },
	})
	if err != nil {
		return err
	}
	v.joined[of.ID] = of.Line
	if !v.pairs(in.want) {
		m.Unsubscribe(codes)
		return nil
	}
	err = m.Subscribe(ctx, MemberSubscription{Channel: codes, Feed: feed, Most: maxChannels, Authorize: v.asks(codes)})
	if isRefusal(err) { // the profile was withdrawn meanwhile, of which the client is told
		return nil
	}
	return err
}

// count returns how many profiles the client is in now.
func (v *Visit) count(m Member) int {
	for id, on := range v.joined {
		if !m.Subscribed(on.Channel()) {
			delete(v.joined, id)
		}
	}
	return len(v.joined)
}

// leave ends the subscription to a profile, if there is one.
func (v *Visit) leave(ctx context.Context, m Member, arg json.RawMessage, answer func(outcome)) error {
	in, err := parseJoin(arg)
	if err != nil {
		return err
	}
	if in.profileID == "" {
		of, err := v.srv.profile(ctx, v.actor, v.key, "")
		if err != nil {
			return err
		}
		in.profileID = of.ID
	}
	id := canonical(in.profileID)
	if on, in := v.joined[id]; in {
		delete(v.joined, id)
		m.Unsubscribe(on.Channel())
		m.Unsubscribe(channels.PairingName(on.LicenseID, on.Messenger))
	}
	answer(outcome{Success: true, ProfileID: in.profileID})
	return nil
}
