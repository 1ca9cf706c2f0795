package pusher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/channels/refusals"
	"chatcast/server"
)

// socket is one connection that speaks Pusher.
type socket struct {
	// static
	srv         *Server
	state       *appState
	session     transport
	conn        *broadcasting.Conn
	id          string
	pendingAuth *pendingAuth // nil: the socket need not prove a user
	origin      string       // of the page; empty: not a browser, or a page of this server

	// owned by the reader
	vouched bool         // it is signed in, or an app's backend has let it into a channel
	names   int          // bytes of the names of its channels, while it is not vouched for
	rate    *messageRate // that inbound was made for
	inbound bucket       // of messages; when it is empty they wait
	events  bucket       // of client events
	user    *user        // the user it is signed in as; nil: not signed in
	resume  *resumption  // nil: it has not said that it resumes
}

var _ server.Pacer = (*socket)(nil)

// transport takes a socket's frames to the client. It is safe for concurrent use and
// never blocks.
type transport interface {
	Queue(frame []byte) // a complete WebSocket frame, shared with others
	Close(server.Disconnect)
	Remote() string // the client's address, without port
}

var (
	_ transport = (*server.Session)(nil)
	_ transport = (*server.HTTPSession)(nil)
)

// app returns the current version of the app.
func (k *socket) app() *App { return k.state.app.Load() }

// Message implements server.Handler.
func (k *socket) Message(text []byte) {
	now := time.Now()
	if rate := k.srv.rate.Load(); rate != k.rate {
		k.limit(rate)
	}
	k.state.counters.messages.Add(1)
	if k.inbound.spend(now); k.inbound.tokens < 0 {
		k.state.counters.hit(limitMessages) // the next one waits
	}
	m, err := parseMessage(text)
	switch {
	case err != nil:
		k.sendError(codeBadMessage, err.Error())
	case m.Event == "pusher:subscribe":
		k.subscribe(m)
	case m.Event == "pusher:unsubscribe":
		k.unsubscribe(m)
	case m.Event == "pusher:ping":
		k.session.Queue(pongFrame)
	case m.Event == "pusher:pong":
		k.conn.Answered()
	case strings.HasPrefix(m.Event, "client-"):
		k.clientEvent(m, now)
	case m.Event == "chatcast:resume":
		k.prepareResume(m)
	case m.Event == "pusher:signin":
		k.signIn(m)
	default:
		k.sendError(codeBadMessage, "The event is unknown: "+shortened(m.Event))
	}
}

// limit gives k a full bucket for its messages.
func (k *socket) limit(rate *messageRate) {
	k.rate = rate
	k.inbound = newBucket(rate.perSecond, rate.burst)
}

// Pause implements server.Pacer.
func (k *socket) Pause() time.Duration { return k.inbound.debt(time.Now()) }

// Idle implements server.Handler.
func (k *socket) Idle() {
	k.conn.Ask()
	k.session.Queue(pingFrame)
}

// Disconnect implements server.Handler.
func (k *socket) Disconnect(r server.Reason) server.Disconnect {
	for _, c := range [...]code{codeSlow, codeSilent, codeStopping, codeMoved, codeAddressFull, codeFlood} {
		if c.word == r {
			return c.disconnect()
		}
	}
	return server.Disconnect{Code: 1011, Message: string(r)}
}

// Closed implements server.Handler.
func (k *socket) Closed(r server.Reason) {
	level := slog.LevelDebug
	if r == server.SlowConsumer || r == server.Flood {
		level = slog.LevelWarn
	}
	k.srv.opt.Log.Log(context.Background(), level, "socket closed", "socket", k.id, "reason", string(r),
		"app", k.app().ID, "user", k.conn.User(), "remote", k.session.Remote())
	k.proven()
	k.conn.Close()
	k.state.part(k)
	k.state.leave()
}

// proven ends the time limit for proving a user, and the limits of unknown sockets.
func (k *socket) proven() {
	k.vouched = true
	if k.pendingAuth != nil {
		k.srv.authDeadlines.remove(k.pendingAuth)
	}
}

// Info implements server.Handler.
func (k *socket) Info() server.Info {
	return server.Info{ID: k.id, App: k.app().ID, User: k.conn.User(), Channels: k.conn.Channels()}
}

// sendError sends an error in band; the connection goes on.
func (k *socket) sendError(c code, message string) {
	k.session.Queue(errorFrame(c.number, message))
}

// refuse sends two errors: pusher:error is the protocol's way, and
// pusher:subscription_error reaches the code that waits on the channel.
func (k *socket) refuse(c code, channel, kind, message string, status int) {
	k.sendError(c, message)
	k.session.Queue(subscriptionErrorFrame(channel, kind, message, status))
}

func (k *socket) subscribe(m message) {
	s, err := parseSubscription(m.Data)
	if err != nil {
		k.sendError(codeBadMessage, "pusher:subscribe: "+err.Error())
		return
	}
	name, err := channels.Parse(s.Channel)
	switch {
	case err != nil:
		k.refuse(codeBadChannel, shortened(s.Channel), errorTypeName, sentence(err), 400)
		return
	case name.Kind == channels.User && (k.user == nil || k.user.ID != name.Base):
		k.refused(refusals.Subscription, refusals.NotSignedIn, s.Channel)
		k.refuse(codeUnauthorized, s.Channel, errorTypeAuth, "Only a connection that is signed in as the user may subscribe to "+s.Channel, 401)
		return
	case name.Guarded() && !k.app().VerifyChannel(s.Auth, k.id, name.Full, s.ChannelData):
		k.refused(refusals.Subscription, refusals.BadSignature, s.Channel)
		k.refuse(codeUnauthorized, s.Channel, errorTypeAuth, "Auth value for subscription to "+s.Channel+" is invalid", 401)
		return
	}
	if name.Kind == channels.User && k.user.ofCRM {
		// Nothing is published to it: it is not the channel of the app's user.
		k.session.Queue(dialect{}.Subscribed(name.Full, nil))
		return
	}
	app := k.app()
	want := broadcasting.SubscribeRequest{
		Name: name, NeedsGrant: name.Reserved(), Data: s.ChannelData, MaxMembers: app.Limits.PresenceMembers, MaxChannels: app.Limits.ChannelsPerSocket,
		SubscriptionCount: app.SubscriptionCount,
	}
	if want.NeedsGrant { // no backend can sign a cursor for it
		from := cursorOf(s.ChannelData)
		want.Begin = from.Begins
		want.After, want.Resume = parseCursor(from.After)
	} else if err := k.resumes(&want, name, s.ChannelData); err != nil {
		k.refuse(codeBadMessage, s.Channel, errorTypeName, err.Error(), 400)
		return
	}
	if name.Kind == channels.Presence {
		if want.Member, err = k.member(s.ChannelData); err != nil {
			k.refuse(codeBadMember, s.Channel, errorTypeName, err.Error(), 400)
			return
		}
	}
	counts, room := k.countsName(name)
	if !room {
		k.state.counters.hit(limitAnonymousChannels)
		k.refuse(codeTooManyChannel, s.Channel, errorTypeLimit,
			fmt.Sprintf("The names of the channels of a connection may have %d bytes together, before it signs in or joins a private channel", app.Limits.AnonymousChannelBytes), 429)
		return
	}
	k.enter(want)
	if _, in := k.conn.Subscribed(name.Full); in && counts {
		k.names += len(name.Full)
	}
}

// enter subscribes. A repeated subscription gets subscription_succeeded again, and each
// event still once: pusher-js never repeats one, and a client that lost track gets what
// it needs.
func (k *socket) enter(want broadcasting.SubscribeRequest) {
	channel, limits := want.Name.Full, k.app().Limits
	ctx := context.Background()
	if want.Name.Cache { // the cache must be read
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, publishTimeout)
		defer cancel()
	}
	switch err := k.conn.Subscribe(ctx, want); {
	case err == nil:
		k.resumed(channel)
		if want.Name.Guarded() {
			k.proven()
		}
	case errors.Is(err, broadcasting.ErrClosed):
	case errors.Is(err, broadcasting.ErrBehind):
		k.session.Close(codeSlow.disconnect())
	case errors.Is(err, broadcasting.ErrRevoked):
		k.refused(refusals.Subscription, refusals.Revoked, channel)
		k.refuse(codeUnauthorized, channel, errorTypeAuth, "Access to "+channel+" was withdrawn", 403)
	case errors.Is(err, broadcasting.ErrNotGranted):
		k.refused(refusals.Subscription, refusals.NotGranted, channel)
		k.refuse(codeUnauthorized, channel, errorTypeAuth, "Only /broadcasting/auth lets a connection subscribe to "+channel+", a channel of the CRM", 401)
	case errors.Is(err, broadcasting.ErrTooMany):
		k.state.counters.hit(limitChannels)
		k.refuse(codeTooManyChannel, channel, errorTypeLimit,
			fmt.Sprintf("At most %d channels are allowed on one connection", limits.ChannelsPerSocket), 429)
	case errors.Is(err, broadcasting.ErrFull):
		k.state.counters.hit(limitMembers)
		k.refuse(codePresenceFull, channel, errorTypeLimit,
			fmt.Sprintf("At most %d members are allowed in a presence channel", limits.PresenceMembers), 429)
	default:
		k.srv.faults.Error(context.Background(), k.srv.opt.Log, "subscribe failed", "socket", k.id, "channel", channel, "error", err)
		k.refuse(codeBadMessage, channel, errorTypeName, "The subscription failed", 500)
	}
}

// unsubscribe sends no answer, even when the socket was not subscribed.
func (k *socket) unsubscribe(m message) {
	s, err := parseSubscription(m.Data)
	if err != nil {
		k.sendError(codeBadMessage, "pusher:unsubscribe: "+err.Error())
		return
	}
	if _, in := k.conn.Subscribed(s.Channel); in {
		k.names = max(0, k.names-len(s.Channel))
	}
	k.conn.Unsubscribe(s.Channel)
}

// sentence turns an error of the channels package into a message for clients.
func sentence(err error) string {
	text := strings.TrimPrefix(err.Error(), "channels: ")
	return strings.ToUpper(text[:1]) + text[1:]
}
