package whatsapptest

import (
	"context"
	"encoding/binary"
	"slices"

	"go.mau.fi/whatsmeow/types"
)

// Receipt is a receipt that a client sent to a phone.
type Receipt struct {
	ID   string
	Type string    // empty or inactive: delivered; read, played, retry, ...
	From types.JID // the device
	Chat types.JID // as the client addressed it
}

// Types of receipts.
const (
	receiptDelivered = ""
	receiptInactive  = "inactive" // delivered to a client that has not sent "available"
	receiptSender    = "sender"   // a message of our own, written elsewhere, has arrived
	receiptRead      = "read"
	receiptRetry     = "retry"
	receiptMedia     = "server-error" // a request to upload a file again
)

// onReceipt settles the stanza that the receipt is for, and passes the receipt to
// the phone.
func (c *conn) onReceipt(n node) {
	kind, to := stringOf(n, "type"), jidOf(n, "to")
	c.ack(n, attrs{"type": kind})
	switch kind {
	case receiptDelivered, receiptInactive, receiptSender:
		c.device.settle(settlement{class: "message", id: stringOf(n, "id"), from: to, participant: jidOf(n, "participant")})
	case receiptMedia:
		c.device.account.onMediaRetry(c.device, n)
		return
	}
	p := c.srv.find(to)
	if one := jidOf(n, "participant"); !one.IsEmpty() {
		p = c.srv.find(one)
		if g := c.srv.groups[to]; g != nil && p != nil && kind == receiptRead && g.as(p) != user(one) {
			c.srv.note("a read receipt in the group %s names %s", to, one)
		}
	}
	if p == nil {
		return
	}
	ids := []string{stringOf(n, "id")}
	if list, ok := child(n, "list"); ok {
		for _, item := range list.GetChildren() {
			ids = append(ids, stringOf(item, "id"))
		}
	}
	for _, id := range ids {
		p.receipts = append(p.receipts, Receipt{id, kind, c.device.number, to})
	}
	switch kind {
	case receiptRetry:
		p.sendAgain(c.device, n)
	case receiptRead:
		c.device.account.alsoRead(c.device, to, jidOf(n, "participant"), ids)
	}
}

// alsoRead notifies the other clients of the account that one of them has read
// messages.
func (a *Account) alsoRead(reader *Device, chat, participant types.JID, ids []string) {
	for _, d := range a.linked() {
		if d != reader {
			d.push(a.ownRead(reader.number, chat, participant, ids))
		}
	}
}

func (a *Account) ownRead(from, chat, participant types.JID, ids []string) node {
	if chat.Server == types.GroupServer { // a group's receipts come from the group
		n := receiptNode(receiptRead, ids, attrs{"from": chat, "participant": from, "recipient": participant})
		return withTime(n, a.srv)
	}
	if chat.Server == types.HiddenUserServer {
		device := from.Device
		from = a.as(types.HiddenUserServer)
		from.Device = device
	}
	return withTime(receiptNode(receiptRead, ids, attrs{"from": from, "recipient": chat}), a.srv)
}

func receiptNode(kind string, ids []string, more attrs) node {
	n := node{Tag: "receipt", Attrs: with(attrs{"id": ids[0], "type": kind}, more)}
	if len(ids) > 1 {
		items := make([]node, len(ids)-1)
		for i, id := range ids[1:] {
			items[i] = node{Tag: "item", Attrs: attrs{"id": id}}
		}
		n.Content = []node{{Tag: "list", Content: items}}
	}
	return n
}

func withTime(n node, s *Server) node {
	n.Attrs["t"] = s.opts.Now().Unix()
	return n
}

// receipt sends a receipt from a phone to all clients of an account. to is how the
// messages were addressed. mu is held.
func (p *person) receipt(a *Account, kind string, ids []string, to types.JID, content ...node) {
	more := attrs{"from": p.as(to.Server)}
	switch {
	case to.Server == types.GroupServer:
		more = with(p.srv.groups[to].from(p), attrs{"from": to})
	case to.Server == types.HiddenUserServer && p.private:
	case to.Server == types.HiddenUserServer:
		more["sender_pn"] = p.number
	case !p.hidden.IsEmpty():
		more["sender_lid"] = p.hidden
	}
	for _, d := range a.linked() {
		n := withTime(receiptNode(kind, ids, more), p.srv)
		if len(content) > 0 {
			n.Content = content
		}
		d.push(n)
	}
}

// Read marks these messages as read by the contact.
func (c *Contact) Read(a *Account, ids ...string) { c.tell(a, receiptRead, ids) }

// Played marks voice messages as played, or view-once media as opened, by the
// contact.
func (c *Contact) Played(a *Account, ids ...string) { c.tell(a, "played", ids) }

// Deliver sends the delivered receipts that Silence held back.
func (c *Contact) Deliver(a *Account, ids ...string) { c.tell(a, receiptDelivered, ids) }

func (c *Contact) tell(a *Account, kind string, ids []string) {
	defer c.srv.lock()()
	if len(ids) == 0 {
		return
	}
	to := a.number
	if r := c.received(ids[0]); r != nil {
		to = r.To
	}
	c.receipt(a, kind, ids, to)
}

// Read marks messages of a chat as read on the phone, as the account's owner would.
// chat is the JID of a number, a hidden id or a group.
func (a *Account) Read(chat types.JID, ids ...string) {
	defer a.srv.lock()()
	for _, d := range a.linked() {
		d.push(a.ownRead(a.number, chat, types.EmptyJID, ids))
	}
}

// Receipts returns all receipts that clients sent to this phone.
func (p *person) Receipts() []Receipt {
	p.srv.mu.Lock()
	defer p.srv.mu.Unlock()
	return slices.Clone(p.receipts)
}

// AwaitReceipt waits for a receipt of that type, past or future.
func (p *person) AwaitReceipt(ctx context.Context, id, kind string) error {
	return p.srv.wait(ctx, "the receipt "+kind+" of "+id, func() bool {
		return slices.ContainsFunc(p.receipts, func(r Receipt) bool { return r.ID == id && r.Type == kind })
	})
}

// AwaitDelivered waits until a client has confirmed that the message arrived.
func (p *person) AwaitDelivered(ctx context.Context, id string) error {
	return p.srv.wait(ctx, "the delivery of "+id, func() bool {
		return slices.ContainsFunc(p.receipts, func(r Receipt) bool {
			return r.ID == id && (r.Type == receiptDelivered || r.Type == receiptInactive)
		})
	})
}

// askAgain asks for a message that the phone could not read.
func (p *person) askAgain(from *Device, id string, to types.JID, g *Group) {
	count := p.asked(id) + 1
	if count > 5 {
		p.srv.note("%s could not read %s of %s in %d attempts", p.number, id, from.number, count)
		return
	}
	p.retries[id] = count
	content := []node{
		{Tag: "retry", Attrs: attrs{"count": count, "id": id, "t": p.srv.opts.Now().Unix(), "v": 1}},
		{Tag: "registration", Content: binary.BigEndian.AppendUint32(nil, p.party.registration)},
	}
	if count > 1 {
		p.party.forget(from.address())
		content = append(content, p.party.bundle().inReceipt())
	}
	if g != nil {
		to = g.jid
	}
	p.receipt(from.account, receiptRetry, []string{id}, to, content...)
}

func (p *person) asked(id string) int { return p.retries[id] }
