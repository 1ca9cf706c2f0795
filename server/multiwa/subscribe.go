package multiwa

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/channels/refusals"
	"chatcast/crm"
)

// subscribeTime is the time limit of a subscription.
const subscribeTime = 10 * time.Second

// canonical returns a profile's id as the rules write it.
func canonical(profile string) string { return strings.ToLower(profile) }

// subscribe subscribes to the events of a profile, or replaces the list of events of one
// that the socket is subscribed to.
func (k *socket) subscribe(m clientMessage) {
	r, err := parseSubscribe(m.Payload)
	if err != nil {
		k.refuse(m, err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), subscribeTime)
	defer cancel()
	of, err := k.srv.profile(ctx, k.actor, k.key, r.profileID)
	if err == nil {
		err = k.enter(ctx, m, r, of)
	}
	switch {
	case err == nil, errors.Is(err, broadcasting.ErrClosed):
	case errors.Is(err, errNoProfile):
		k.refuse(m, errorProfile)
	case errors.Is(err, broadcasting.ErrTooMany):
		k.refuse(m, errorSubscriptions)
	case isRefusal(err):
		k.srv.opt.Refusals.Add(ctx, refusals.Subscription, refusals.Denied, "socket", k.id, "key", k.key.ID, "address", k.session.Remote())
		k.refuse(m, errorNotFound)
	default:
		k.srv.opt.Log.ErrorContext(ctx, "a profile could not be subscribed to", "socket", k.id, "error", err)
		k.refuse(m, errorInternal)
	}
}

var errNoProfile = errors.New("multiwa: no profile is named")

// isRefusal reports whether an error means that there is no such profile for the key. Why is
// not told.
func isRefusal(err error) bool {
	var e *crm.Error
	return errors.Is(err, channels.ErrDenied) || errors.Is(err, broadcasting.ErrRevoked) || errors.Is(err, broadcasting.ErrNotGranted) ||
		errors.As(err, &e) && (e.Code == crm.CodeNotFound || e.Code == crm.CodeDenied)
}

// profile finds the profile with an id; without one, that of a key that has only one.
func (s *Server) profile(ctx context.Context, a crm.Actor, key *crm.KeyData, id string) (*crm.Instance, error) {
	switch {
	case id != "":
		return s.opt.CRM.InstanceByID(ctx, a, canonical(id))
	case key.LicenseID != 0:
		return s.opt.CRM.InstanceOf(ctx, a, onlyLine(key))
	}
	return nil, errNoProfile
}

// onlyLine returns the line of a key that has only one.
func onlyLine(key *crm.KeyData) crm.Line {
	return crm.Line{LicenseID: key.LicenseID, Messenger: key.Messenger}
}

// enter subscribes to the events of a profile and, when the list names them and the key may
// pair it, to the codes that pair it. The answer is queued before the first event.
func (k *socket) enter(ctx context.Context, m clientMessage, r subscribeRequest, of *crm.Instance) error {
	channel, err := channels.Parse(of.Line.Channel())
	if err != nil {
		return err
	}
	codes, err := channels.Parse(channels.PairingName(of.Line.LicenseID, of.Line.Messenger))
	if err != nil {
		return err
	}
	if err := k.grant(ctx, channel); err != nil {
		return err
	}
	pairs := r.want.has(kindQR) && k.key.Has(crm.KeyManage)
	if pairs {
		if err := k.grant(ctx, codes); err != nil {
			return err
		}
	}
	_, in := k.conn.Subscribed(channel.Full)
	if !in && len(k.live()) >= maxProfiles {
		return broadcasting.ErrTooMany
	}
	if in && r.resume { // what came since is sent again
		k.conn.Unsubscribe(channel.Full)
	}
	speaks := dialect{of: k.srv.events, want: r.want, profile: of.ID}
	k.out.answer = frame(message{"ack", subscribed{"subscribed", of.ID, r.events}, m.RequestID})
	err = k.conn.Subscribe(ctx, broadcasting.SubscribeRequest{
		Name: channel, NeedsGrant: true, MaxChannels: maxChannels, Dialect: speaks, Resume: r.resume, After: r.after,
	})
	if err != nil {
		return err
	}
	k.profiles[of.ID] = of.Line
	if !pairs {
		k.conn.Unsubscribe(codes.Full)
		return nil
	}
	// It fails only when the profile was withdrawn meanwhile, of which the client is told.
	_ = k.conn.Subscribe(ctx, broadcasting.SubscribeRequest{Name: codes, NeedsGrant: true, MaxChannels: maxChannels, Dialect: pairing{speaks}})
	return nil
}

// live returns the profiles that the socket is subscribed to, and forgets those that it has
// lost.
func (k *socket) live() map[string]crm.Line {
	for id, on := range k.profiles {
		if _, in := k.conn.Subscribed(on.Channel()); !in {
			k.drop(id)
		}
	}
	return k.profiles
}

// owner returns the owner of the socket: the user that stands for the key.
func (k *socket) owner() broadcasting.Owner {
	return broadcasting.Owner{UserID: strconv.FormatInt(k.actor.UserID, 10)}
}

// grant lets the socket into a channel if the key may enter it. The permission is checked
// once more afterwards: what ends in between does not find the grant.
func (k *socket) grant(ctx context.Context, channel channels.Name) error {
	o := &k.srv.opt
	if err := o.Policy.Authorize(ctx, k.actor.UserID, channel); err != nil {
		return err
	}
	found, err := o.Engine.Grant(ctx, o.App, k.id, k.owner(), channel.Full, "")
	if err != nil {
		return err
	}
	if !found {
		return broadcasting.ErrClosed
	}
	err = o.Policy.Authorize(ctx, k.actor.UserID, channel)
	if err == nil {
		return nil
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), subscribeTime)
	defer cancel()
	return errors.Join(err, o.Engine.Unsubscribe(after, k.owner().UserID, channel.Full))
}
