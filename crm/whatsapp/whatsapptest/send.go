package whatsapptest

import (
	"cmp"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// From a simulated phone to the clients of an account:
//
//	contact                        server                       client
//	  a session with each device, by the keys it left
//	  encrypts for each    ----->  queues, <message>   ----->
//	                               off the queue       <-----   receipt (delivered)
//	  Receipts             <-----
//	                               off the queue       <-----   ack, receipt (retry)
//	  encrypts again       ----->  queues, same id     ----->

// Addressing is how a message names the two ids of its sender.
type Addressing int

const (
	ByNumber     Addressing = iota // from the number, the hidden id beside it
	ByHiddenID                     // from the hidden id, the number beside it
	HiddenIDOnly                   // from the hidden id, and no word of the number
	NumberOnly                     // from the number, and no word of the hidden id
)

// SendOpts is what may be said of a message. The zero value is usual.
type SendOpts struct {
	ID         string    // made up if empty
	Time       time.Time // the server's clock if zero
	Addressing Addressing
	// Garbled is how many times the ciphertext arrives broken; each time the client
	// asks for it again, and then it comes whole, under the same id.
	Garbled int
	// Copies is how many times more the same stanza comes.
	Copies int
	// Plaintext is encrypted in place of the message: a protobuf that is none.
	Plaintext []byte
	// Unavailable sends no ciphertext, but says why there is none: view_once.
	Unavailable string
}

// sentMessage is what a phone remembers of a message that it sent.
type sentMessage struct {
	id         string
	time       time.Time
	message    *waE2E.Message
	plain      []byte // in place of the message
	addressing Addressing
	group      *Group
	recipient  types.JID // of an own message: the other side's chat
	peer       bool      // from the phone to its own clients
	garbled    int
	copies     int
	absent     string
}

func (m *sentMessage) plaintext() []byte {
	if m.plain != nil {
		return m.plain
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m.message)
	if err != nil {
		panic(err) // only a message with invalid UTF-8
	}
	return data
}

func (p *person) newMessage(msg *waE2E.Message, opts []SendOpts) *sentMessage {
	var o SendOpts
	if len(opts) > 0 {
		o = opts[0]
	}
	m := &sentMessage{
		id: cmp.Or(o.ID, newID()), time: o.Time, message: msg, plain: o.Plaintext, addressing: o.Addressing,
		garbled: o.Garbled, copies: o.Copies, absent: o.Unavailable,
	}
	if m.time.IsZero() {
		m.time = p.srv.opts.Now()
	}
	p.sent[m.id] = m
	return m
}

// Send writes to an account: to its phone, and to every client linked to it. It
// returns the message's id.
func (c *Contact) Send(to *Account, msg *waE2E.Message, opts ...SendOpts) string {
	defer c.srv.lock()()
	m := c.newMessage(msg, opts)
	to.keep(c.number, c.person, m)
	for _, d := range to.linked() {
		c.sendTo(d, m, 0)
	}
	return m.id
}

// SendText writes a text.
func (c *Contact) SendText(to *Account, text string, opts ...SendOpts) string {
	return c.Send(to, Text(text), opts...)
}

// sendTo queues a message for one device; retries is how often the device asked
// for it; mu is held.
func (p *person) sendTo(d *Device, m *sentMessage, retries int) {
	content := []node{{Tag: "unavailable", Attrs: attrs{"type": m.absent}}}
	if m.absent == "" {
		enc, err := p.seal(d, m, m.plaintext(), retries)
		if err != nil {
			p.srv.note("%s cannot encrypt for %s: %v", p.number, d.number, err)
			return
		}
		content = []node{enc}
	}
	n := node{Tag: "message", Attrs: p.stanza(d, m), Content: content}
	for range 1 + m.copies {
		d.push(n)
	}
}

// stanza is the attributes of a message of this person.
func (p *person) stanza(d *Device, m *sentMessage) attrs {
	kind := kindOf(m.message)
	a := attrs{"id": m.id, "t": m.time.Unix(), "type": kind.stanza, "notify": p.name, "edit": kind.edit}
	if m.peer {
		return with(a, attrs{"from": p.number, "category": "peer", "notify": ""})
	}
	if m.group != nil {
		return with(a, m.group.from(p))
	}
	if p.account != nil && p.account == d.account { // an own message, written elsewhere
		with(a, attrs{"from": p.as(m.recipient.Server), "recipient": m.recipient})
		if other := p.srv.find(m.recipient); other != nil && !other.hidden.IsEmpty() {
			if m.recipient == other.hidden {
				return with(a, attrs{"peer_recipient_pn": other.number})
			}
			return with(a, attrs{"peer_recipient_lid": other.hidden})
		}
		return a
	}
	return with(a, p.senderOf(m.addressing))
}

// senderOf names the sender of a message outside groups.
func (p *person) senderOf(how Addressing) attrs {
	switch {
	case p.hidden.IsEmpty() || how == NumberOnly:
		return attrs{"from": p.number}
	case how == ByHiddenID:
		return attrs{"from": p.hidden, "sender_pn": p.number}
	case how == HiddenIDOnly:
		return attrs{"from": p.hidden}
	}
	return attrs{"from": p.number, "sender_lid": p.hidden}
}

// seal encrypts for a device, meeting it first where there is no session.
func (p *person) seal(d *Device, m *sentMessage, plain []byte, retries int) (node, error) {
	if !p.party.hasSession(d.address()) {
		if err := p.party.meet(d.address(), d.bundle()); err != nil {
			return node{}, err
		}
	}
	kind, sealed, err := p.party.encrypt(d.address(), plain)
	if err != nil {
		return node{}, err
	}
	return encNode(m, kind, sealed, retries), nil
}

func encNode(m *sentMessage, kind string, sealed []byte, retries int) node {
	if m.garbled > 0 {
		m.garbled--
		sealed = garble(sealed)
	}
	what := kindOf(m.message)
	a := attrs{"v": 2, "type": kind, "mediatype": what.media}
	if what.hide {
		a["decrypt-fail"] = "hide"
	}
	if retries > 0 {
		a["count"] = retries
	}
	return node{Tag: "enc", Attrs: a, Content: sealed}
}

// garble breaks a ciphertext of any kind where only its authentication notices:
// not in a key that stands in front, nor in the numbers at the end.
func garble(sealed []byte) []byte {
	out := append([]byte(nil), sealed...)
	if len(out) >= 12 {
		out[len(out)-12] ^= 0x55
	}
	return out
}
