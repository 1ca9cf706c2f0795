package whatsapptest

import (
	"fmt"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

// Device is a real client that is linked to an account: what the server keeps of
// it, whether it is there or not. Everything is guarded by the server's mu.
//
// What the client must not miss waits in a queue until the client has settled it:
//
//	message       settled by its <receipt> (delivered) or <ack class="message">
//	receipt       settled by <ack class="receipt">
//	notification  settled by <ack class="notification">
//	call          settled by <ack class="call">
//
// Whatever is not settled when the line drops comes again after the next login,
// byte for byte, between <offline_preview> and <offline>: whoever acknowledges
// only what he has stored loses nothing. Typing and presence do not wait.
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
	asked        bool // for more prekeys
	conn         *conn
	active       bool // logged in and ready for what waits
	welcomed     bool // has the keys and the history of the account
	held         bool
	queue        []*stanza
	sent         map[string]bool // ids of messages that it sent, to know a repeated frame
}

// stanza is something that waits to be settled.
type stanza struct {
	settles settlement
	node    node
}

// settlement is what a receipt or an ack must have in common with the stanza.
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

// address is what the account's own and other phones know it by in their Signal
// sessions. The client may be addressed by number or hidden id; it has one key.
func (d *Device) address() types.JID {
	if !d.hidden.IsEmpty() {
		return d.hidden
	}
	return d.number
}

func (d *Device) srv() *Server { return d.account.srv }

// bundle takes one of the prekeys that the client left, and asks for more when
// few are left.
func (d *Device) bundle() *bundle {
	b := &bundle{registration: d.registration, identity: d.identity, signed: d.signed}
	if len(d.preKeys) > 0 {
		b.preKey, d.preKeys = d.preKeys[0], d.preKeys[1:]
	}
	const few = 5 // whatsmeow.MinPreKeyCount: above it, the client does not bother
	if len(d.preKeys) < few && !d.asked {
		d.asked = true
		d.push(node{Tag: "notification", Attrs: attrs{
			"from": types.ServerJID, "id": d.srv().nextID(), "type": "encrypt", "t": d.srv().opts.Now().Unix(),
		}, Content: []node{{Tag: "count", Attrs: attrs{"value": len(d.preKeys)}}}})
	}
	return b
}

// push queues a stanza, and sends it if the client is there.
func (d *Device) push(n node) {
	if _, ok := n.Attrs["id"]; !ok {
		panic(fmt.Sprintf("whatsapptest: <%s> without an id cannot be settled", n.Tag))
	}
	d.queue = append(d.queue, &stanza{settlementOf(n), n})
	if d.active && !d.held {
		d.deliver(n, 1)
	}
}

// pass sends a node if the client is there, and forgets it.
func (d *Device) pass(n node) {
	if d.active {
		d.conn.send(n)
	}
}

// deliver writes a stanza, as often as it is told, with the faults that wait.
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

// settle takes a stanza off the queue.
func (d *Device) settle(s settlement) {
	for i, waiting := range d.queue {
		if waiting.settles == s {
			d.queue = append(d.queue[:i:i], d.queue[i+1:]...)
			return
		}
	}
}

// activate is the moment when the client is ready: what waits is sent.
func (d *Device) activate() {
	if d.active {
		return
	}
	if !d.welcomed {
		d.welcomed = true
		d.account.welcome(d) // while it is not active: it waits with the rest
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
