package whatsapptest

import (
	"encoding/binary"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"
)

// sendAgain answers a retry receipt with the same message under the same id. It
// uses the keys in the receipt, or else the existing session.
func (p *person) sendAgain(d *Device, n node) {
	retry, ok := child(n, "retry")
	if !ok {
		p.srv.note("a retry receipt without <retry>: %s", n.String())
		return
	}
	p.retried++
	m := p.sent[stringOf(retry, "id")]
	if m == nil {
		p.srv.note("a retry receipt for %s, which %s did not send", stringOf(retry, "id"), p.number)
		return
	}
	count := retry.AttrGetter().OptionalInt("count")
	if b, ok := readBundle(n); ok {
		if err := p.party.meet(d.address(), b); err != nil {
			p.srv.note("the keys in a retry receipt: %v", err)
			return
		}
	}
	if m.group == nil {
		p.sendTo(d, m, count)
		return
	}
	p.sendGroupAgain(d, m, count)
}

func readBundle(n node) (*bundle, bool) {
	group, ok := child(n, "keys")
	if !ok {
		return nil, false
	}
	registration, identity := bytesOf(n, "registration"), bytesOf(group, "identity")
	signed, ok := child(group, "skey")
	if !ok || len(registration) != 4 || len(identity) != 32 {
		return nil, false
	}
	b := &bundle{registration: binary.BigEndian.Uint32(registration), identity: [32]byte(identity)}
	var err error
	if b.signed, err = readKey(signed); err != nil || !verify(b.identity, b.signed) {
		return nil, false
	}
	if key, ok := child(group, "key"); ok {
		if b.preKey, err = readKey(key); err != nil {
			return nil, false
		}
	}
	return b, true
}

// Retried returns how often clients asked the person for a message again.
func (p *person) Retried() int {
	p.srv.mu.Lock()
	defer p.srv.mu.Unlock()
	return p.retried
}

// PlayDeaf makes the phone claim that it cannot read the next messages, so that
// their senders must send them again.
func (p *person) PlayDeaf(messages int) {
	defer p.srv.lock()()
	p.deaf = messages
}

// AskAgain asks for a message that the phone already has, like a phone restored
// from an old backup, to test whether the sender still knows it. Await then finds
// the message with one more copy.
func (c *Contact) AskAgain(a *Account, id string) {
	defer c.srv.lock()()
	to, group := a.number, (*Group)(nil)
	if r := c.received(id); r != nil {
		to, group = r.To, c.srv.groups[r.To]
	}
	for _, d := range a.linked() {
		c.askAgain(d, id, to, group)
		return // each client of the account receives the request
	}
}

// ForgetSession makes the contact's phone lose its session with an account, so
// that its next message starts a new one.
func (c *Contact) ForgetSession(a *Account) {
	defer c.srv.lock()()
	for _, d := range a.linked() {
		c.party.forget(d.address())
	}
}

// sendGroupAgain sends a group message to one device again, with the sender key
// that the other devices already have.
func (p *person) sendGroupAgain(d *Device, m *sentMessage, count int) {
	msg := proto.Clone(m.message).(*waE2E.Message)
	msg.SenderKeyDistributionMessage = p.keyFor(m.group)
	data, err := proto.Marshal(msg)
	if err != nil {
		p.srv.note("%v", err)
		return
	}
	enc, err := p.seal(d, m, data, count)
	if err != nil {
		p.srv.note("%s cannot encrypt for %s: %v", p.number, d.number, err)
		return
	}
	d.push(node{Tag: "message", Attrs: p.stanza(d, m), Content: []node{enc}})
}
