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

// Addressing says which of the sender's two ids a message carries.
type Addressing int

const (
	ByNumber     Addressing = iota // from the number, with the hidden id beside it
	ByHiddenID                     // from the hidden id, with the number beside it
	HiddenIDOnly                   // from the hidden id, without the number
	NumberOnly                     // from the number, without the hidden id
)

// SendOpts are options of a message. The zero value is an ordinary message.
type SendOpts struct {
	ID         string    // generated if empty
	Time       time.Time // the server's clock if zero
	Addressing Addressing
	// Garbled is how many times the ciphertext arrives corrupted. Each time the
	// client asks for the message again. After that it arrives intact, under the
	// same id.
	Garbled int
	// Copies is how many more times the same stanza is delivered.
	Copies int
	// Plaintext is encrypted in place of the message, for example bytes that are no
	// protobuf.
	Plaintext []byte
	// Unavailable sends no ciphertext, but the reason why there is none: view_once.
	Unavailable string
}

// sentMessage is the phone's record of a message that it sent.
type sentMessage struct {
	id         string
	time       time.Time
	message    *waE2E.Message
	plain      []byte // in place of the message
	addressing Addressing
	group      *Group
	recipient  types.JID // the chat's other side, for a message written by the account itself
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
		panic(err) // happens only with invalid UTF-8
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

// Send sends a message to an account: to its phone and to every client linked to
// it. It returns the message's id.
func (c *Contact) Send(to *Account, msg *waE2E.Message, opts ...SendOpts) string {
	defer c.srv.lock()()
	m := c.newMessage(msg, opts)
	to.keep(c.number, c.person, m)
	for _, d := range to.linked() {
		c.sendTo(d, m, 0)
	}
	return m.id
}

// SendWithoutTime sends a message that lacks its time, which a client cannot parse. The
// client must acknowledge it all the same.
func (c *Contact) SendWithoutTime(to *Account) string {
	defer c.srv.lock()()
	m := c.newMessage(Text("when?"), nil)
	for _, d := range to.linked() {
		a := c.stanza(d, m)
		delete(a, "t")
		d.push(node{Tag: "message", Attrs: a})
	}
	return m.id
}

// SendText sends a text.
func (c *Contact) SendText(to *Account, text string, opts ...SendOpts) string {
	return c.Send(to, Text(text), opts...)
}

// sendTo queues a message for one device. retries is how often the device asked for
// it. mu is held.
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

// stanza returns the attributes of a message of this person.
func (p *person) stanza(d *Device, m *sentMessage) attrs {
	kind := kindOf(m.message)
	a := attrs{"id": m.id, "t": m.time.Unix(), "type": kind.stanza, "notify": p.name, "edit": kind.edit}
	if m.peer {
		return with(a, attrs{"from": p.number, "category": "peer", "notify": ""})
	}
	if m.group != nil {
		return with(a, m.group.from(p))
	}
	if p.account != nil && p.account == d.account { // a message of our own, written elsewhere
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

// senderOf returns the attributes that name the sender of a message outside groups.
func (p *person) senderOf(how Addressing) attrs {
	switch {
	case p.hidden.IsEmpty() || how == NumberOnly:
		return attrs{"from": p.number}
	case how == HiddenIDOnly, p.private:
		return attrs{"from": p.hidden}
	case how == ByHiddenID:
		return attrs{"from": p.hidden, "sender_pn": p.number}
	}
	return attrs{"from": p.number, "sender_lid": p.hidden}
}

// seal encrypts for a device. It starts a session if there is none.
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

// garble corrupts a ciphertext of any kind where only its authentication notices:
// neither in a key at the front nor in the numbers at the end.
func garble(sealed []byte) []byte {
	out := append([]byte(nil), sealed...)
	if len(out) >= 12 {
		out[len(out)-12] ^= 0x55
	}
	return out
}
