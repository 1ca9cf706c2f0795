package whatsapptest

import (
	"fmt"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

// Device is a real client that is linked to an account: the state that the server
// keeps for it, whether it is connected or not. The server's mu guards all of it.
//
// Stanzas that the client must not miss wait in a queue until the client settles
// them:
//
//	message       settled by its <receipt> (delivered) or <ack class="message">
//	receipt       settled by <ack class="receipt">
//	notification  settled by <ack class="notification">
//	call          settled by <ack class="call">
//
// Whatever is not settled when the connection drops is sent again after the next
// login, byte for byte, between <offline_preview> and <offline>. A client that
// acknowledges only what it has stored therefore loses nothing. Typing and presence
// are not queued.
type Device struct {
	account      *Account
	number       types.JID // with the device's number
	hidden       types.JID
	platform     string
	noise        [32]byte
	identity     [32]byte
	signed       *keys.PreKey
	registration uint32
	preKeys      []*keys.PreKey
	asked        bool // the server has asked for more prekeys
	conn         *conn
	active       bool // logged in and ready for queued stanzas
	welcomed     bool // has received the keys and the history of the account
	held         bool
	queue        []*stanza
	sent         map[string]bool // ids of messages that it sent, to recognise a repeated frame
}

// stanza is a queued stanza that waits to be settled.
type stanza struct {
	settles settlement
	node    node
}

// settlement holds the attributes that a receipt or an ack must share with the
// stanza.
type settlement struct {
	class, id   string
	from        types.JID
	participant types.JID
	kind        string // of a receipt
}

func settlementOf(n node) settlement {
	s := settlement{class: n.Tag, id: stringOf(n, "id"), from: jidOf(n, "from"), participant: jidOf(n, "participant")}
	if n.Tag == "receipt" || n.Tag == "notification" {
		s.kind = stringOf(n, "type")
	}
	return s
}

// address returns the address of the device in the Signal sessions of the account's
// own phone and of other phones. The client may be addressed by number or by hidden
// id, but it has one key.
func (d *Device) address() types.JID {
	if !d.hidden.IsEmpty() {
		return d.hidden
	}
	return d.number
}

func (d *Device) srv() *Server { return d.account.srv }

// bundle takes one of the client's prekeys, and asks the client for more when few
// are left.
func (d *Device) bundle() *bundle {
	b := &bundle{registration: d.registration, identity: d.identity, signed: d.signed}
	if len(d.preKeys) > 0 {
		b.preKey, d.preKeys = d.preKeys[0], d.preKeys[1:]
	}
	const few = 5 // whatsmeow.MinPreKeyCount: with more than that, the client uploads none
	if len(d.preKeys) < few && !d.asked {
		d.asked = true
		d.push(node{Tag: "notification", Attrs: attrs{
			"from": types.ServerJID, "id": d.srv().nextID(), "type": "encrypt", "t": d.srv().opts.Now().Unix(),
		}, Content: []node{{Tag: "count", Attrs: attrs{"value": len(d.preKeys)}}}})
	}
	return b
}

// push queues a stanza, and sends it if the client is connected and ready.
func (d *Device) push(n node) {
	if _, ok := n.Attrs["id"]; !ok {
		panic(fmt.Sprintf("whatsapptest: <%s> without an id cannot be settled", n.Tag))
	}
	d.queue = append(d.queue, &stanza{settlementOf(n), n})
	if d.active && !d.held {
		d.deliver(n, 1)
	}
}

// pass sends a node if the client is connected and ready. Otherwise it drops the
// node.
func (d *Device) pass(n node) {
	if d.active {
		d.conn.send(n)
	}
}

// deliver sends a stanza the given number of times, with the pending faults.
func (d *Device) deliver(n node, times int) {
	if d.conn == nil {
		return
	}
	if n.Tag == "message" {
		if e := d.account.faults.onDelivery(); e != goOn {
			d.conn.queue(n, e)
			d.conn.finished = true
			return
		}
	}
	times += d.account.faults.onCopies(n)
	for range times {
		d.conn.send(n)
	}
}

// settle removes a stanza from the queue.
func (d *Device) settle(s settlement) {
	for i, waiting := range d.queue {
		if waiting.settles == s {
			d.queue = append(d.queue[:i:i], d.queue[i+1:]...)
			return
		}
	}
}

// activate marks the client as ready and sends it the queued stanzas.
func (d *Device) activate() {
	if d.active {
		return
	}
	if !d.welcomed {
		d.welcomed = true
		d.account.welcome(d) // before it is active, so that the welcome is queued with the rest
	}
	d.active = true
	waiting := d.queue
	counts := make(map[string]int)
	for _, st := range waiting {
		counts[st.node.Tag]++
	}
	d.conn.send(node{Tag: "ib", Attrs: attrs{"from": types.ServerJID}, Content: []node{{Tag: "offline_preview", Attrs: attrs{
		"count": len(waiting), "appdata": 0, "message": counts["message"],
		"notification": counts["notification"], "receipt": counts["receipt"],
	}}}})
	if !d.held {
		for _, st := range waiting {
			n := st.node
			n.Attrs = with(attrs{"offline": 0}, n.Attrs)
			d.deliver(n, 1)
		}
	}
	if d.conn == nil || d.conn.finished {
		return
	}
	d.conn.send(node{Tag: "ib", Attrs: attrs{"from": types.ServerJID}, Content: []node{
		{Tag: "offline", Attrs: attrs{"count": len(waiting)}},
	}})
}

func (d *Device) away() { d.conn, d.active = nil, false }
