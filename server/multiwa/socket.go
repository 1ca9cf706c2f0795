package multiwa

import (
	"context"
	"log/slog"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/crm"
	"chatcast/server"
)

// socket is one connection of a key's holder.
type socket struct {
	// static
	srv     *Server
	session transport
	out     *outlet
	conn    *broadcasting.Conn
	id      string
	actor   crm.Actor
	key     *crm.KeyData

	// owned by the reader
	inbound  pace
	profiles map[string]crm.Line // that it has subscribed to, by the id of the profile
}

var _ server.Pacer = (*socket)(nil)

// Message implements server.Handler.
func (k *socket) Message(text []byte) {
	k.inbound.spend(time.Now())
	m, err := parseMessage(text)
	if err != nil {
		k.refuse(m, err.Error())
		return
	}
	switch m.Type {
	case "subscribe":
		k.subscribe(m)
	case "unsubscribe":
		k.unsubscribe(m)
	case "ping":
		k.answer(m, "pong", pong{iso(time.Now())})
	default:
		k.refuse(m, errorUnknownType+shortened(m.Type))
	}
}

// answer answers a message.
func (k *socket) answer(m clientMessage, kind string, payload any) {
	k.session.Queue(frame(message{kind, payload, m.RequestID}))
}

// refuse answers a message with an error. The connection goes on.
func (k *socket) refuse(m clientMessage, text string) {
	k.session.Queue(errorFrame(text, m.RequestID))
}

// Pause implements server.Pacer.
func (k *socket) Pause() time.Duration { return k.inbound.wait(time.Now()) }

// Idle implements server.Handler. A ping of the WebSocket protocol is sent anyway.
func (k *socket) Idle() {}

// Disconnect implements server.Handler.
func (k *socket) Disconnect(r server.Reason) server.Disconnect {
	for _, c := range [...]closing{closeSlow, closeSilent, closeStopping, closeMoved, closeAddress} {
		if c.word == r {
			return c.disconnect()
		}
	}
	return server.Disconnect{Code: closeTrouble.code, Message: string(r)}
}

// Closed implements server.Handler.
func (k *socket) Closed(r server.Reason) {
	level := slog.LevelDebug
	if r == server.SlowConsumer {
		level = slog.LevelWarn
	}
	k.srv.opt.Log.Log(context.Background(), level, "socket closed", "socket", k.id, "reason", string(r), "key", k.key.ID, "remote", k.session.Remote())
	k.srv.leave(k.key.ID)
	k.conn.Close()
}

// Info implements server.Handler.
func (k *socket) Info() server.Info {
	return server.Info{ID: k.id, App: k.srv.opt.App, User: k.conn.User(), Channels: k.conn.Channels()}
}

// unsubscribe ends the subscription to a profile, or all of them.
func (k *socket) unsubscribe(m clientMessage) {
	profile, err := parseUnsubscribe(m.Payload)
	if err != nil {
		k.refuse(m, err.Error())
		return
	}
	if id := canonical(profile); profile != "" {
		k.drop(id)
	} else {
		for id := range k.profiles {
			k.drop(id)
		}
	}
	k.answer(m, "ack", subscribed{Action: "unsubscribed", ProfileID: profile})
}

// drop ends the subscription to a profile, if there is one.
func (k *socket) drop(profile string) {
	on, in := k.profiles[profile]
	if !in {
		return
	}
	delete(k.profiles, profile)
	k.conn.Unsubscribe(on.Channel())
	k.conn.Unsubscribe(channels.PairingName(on.LicenseID, on.Messenger))
}
