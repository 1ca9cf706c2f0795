package whatsapptest

import "time"

// dispatch passes each kind of node to its handler. mu is held.
func (c *conn) dispatch(n node) {
	if n.Tag == "iq" {
		c.onIQ(n)
		return
	}
	if n.Tag == "ib" {
		c.onInfo(n)
		return
	}
	if c.device == nil {
		if n.Tag == "ack" { // of a notification during pairing by code: nothing waits for it
			return
		}
		c.srv.note("<%s> from a client that is not logged in", n.Tag)
		return
	}
	switch n.Tag {
	case "message":
		c.onMessage(n)
	case "receipt":
		c.onReceipt(n)
	case "ack":
		c.onAck(n)
	case "presence":
		c.onPresence(n)
	case "chatstate":
		c.onChatState(n)
	case "call":
		c.onCall(n)
	default:
		c.srv.note("%s", n.String())
	}
}

// onInfo takes the session id that clients send for WhatsApp's statistics, when they are
// paired and when they come online: milliseconds in a week.
func (c *conn) onInfo(n node) {
	session, ok := child(n, "unified_session")
	id := session.AttrGetter().Int64("id")
	const week = 7 * 24 * time.Hour
	if !ok || id < 0 || id >= week.Milliseconds() {
		c.srv.note("%s", n.String())
		return
	}
	c.srv.sessions++
}

// Nack is a message that a client refused.
type Nack struct {
	ID   string
	Code int
}

// onAck settles a stanza. A client acknowledges a message with an ack when it could
// not read it, and with a receipt when it could.
func (c *conn) onAck(n node) {
	s := settlement{
		class: stringOf(n, "class"), id: stringOf(n, "id"), from: jidOf(n, "to"), participant: jidOf(n, "participant"),
	}
	if s.class == "receipt" || s.class == "notification" {
		s.kind = stringOf(n, "type")
	}
	if code := n.AttrGetter().OptionalInt("error"); code != 0 {
		c.device.account.nacks = append(c.device.account.nacks, Nack{s.id, code})
	}
	c.device.settle(s)
}
