package whatsapptest

import (
	"errors"
	"slices"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/libsignal/signalerror"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// From a client to simulated phones, and to other clients:
//
//	client                               server                      phone
//	  message: a ciphertext for each  ----->
//	  device of the other side and
//	  of its own account, or one for
//	  a group                     <-----  ack
//	                                      decrypts            ----->  Inbox
//	                     receipt  <-----  (or a retry receipt) <-----
//
// Phones recognise a repeated message by its id, as WhatsApp's app does.

func (c *conn) onMessage(n node) {
	f := c.device.account.faults.onSend()
	if f.how == 0 && c.missesToken(n) {
		f = sendFault{refuseSend, 463}
	}
	if f.how == cutBefore {
		c.cut()
		return
	}
	if f.how == refuseSend {
		c.ack(n, attrs{"error": f.code})
		return
	}
	if f.how == 0 {
		c.ack(n, nil)
	}
	to := jidOf(n, "to")
	if to == types.StatusBroadcastJID {
		c.toStatus(n)
	} else if to.Server == types.GroupServer {
		c.toGroup(n, to)
	} else {
		c.toPeople(n, to)
	}
	if f.how == cutAfterwards {
		c.cut()
	}
}

func (c *conn) ack(n node, more attrs) {
	c.send(node{Tag: "ack", Attrs: with(attrs{
		"class": n.Tag, "id": stringOf(n, "id"), "from": jidOf(n, "to"), "t": c.srv.opts.Now().Unix(),
	}, more)})
}

// toPeople delivers each ciphertext to its device. Ciphertexts for a number without
// WhatsApp are dropped: the behaviour of the real server is unknown.
func (c *conn) toPeople(n node, to types.JID) {
	for device, enc := range addressed(n, to) {
		p := c.srv.find(device)
		switch {
		case p == nil:
		case device.Device == 0:
			p.take(c.device, n, enc, nil)
		case p.account != nil && p.account.devices[device.Device] != nil:
			c.relay(p.account.devices[device.Device], n, []node{enc}, nil)
		}
	}
}

// addressed returns the ciphertexts of a message by device: one for each of
// <participants>, or a single one when the client sends again to one device or
// writes to its phone.
func addressed(n node, to types.JID) map[types.JID]node {
	out := make(map[types.JID]node)
	if list, ok := child(n, "participants"); ok {
		for _, t := range list.GetChildren() {
			if enc, ok := child(t, "enc"); ok {
				out[jidOf(t, "jid")] = enc
			}
		}
		return out
	}
	if enc, ok := child(n, "enc"); ok {
		out[to] = enc
	}
	return out
}

// relay passes ciphertexts on to another real client.
func (c *conn) relay(d *Device, n node, encs []node, g *Group) {
	sender := c.device.account
	a := attrs{"id": stringOf(n, "id"), "t": c.srv.opts.Now().Unix(), "type": stringOf(n, "type"),
		"notify": sender.name, "edit": stringOf(n, "edit")}
	from := c.device.number
	if jidOf(n, "to").Server == types.HiddenUserServer {
		from = c.device.hidden
	}
	switch {
	case g != nil:
		with(a, g.from(sender.person))
		device := a["participant"].(types.JID)
		device.Device = c.device.number.Device
		a["participant"] = device
	case d.account == sender:
		with(a, attrs{"from": from, "recipient": jidOf(n, "to")})
	case from.Server == types.HiddenUserServer:
		with(a, attrs{"from": from, "sender_pn": sender.number})
	default:
		with(a, attrs{"from": from, "sender_lid": sender.hidden})
	}
	if identity, ok := child(n, "device-identity"); ok {
		encs = append(encs, identity)
	}
	d.push(node{Tag: "message", Attrs: a, Content: encs})
}

// take decrypts a client's direct message to the phone and reads it.
func (p *person) take(from *Device, n, enc node, g *Group) {
	id := stringOf(n, "id")
	sealed, _ := enc.Content.([]byte)
	kind := stringOf(enc, "type")
	if kind == kindPreKey && !p.identified(from, n) {
		p.srv.note("message %s opens a session without a valid <device-identity>", id)
	}
	plain, err := p.party.decrypt(from.address(), kind, sealed)
	if errors.Is(err, signalerror.ErrOldCounter) {
		if r := p.received(id); r != nil {
			r.Copies++
			p.confirm(from, r)
		}
		return
	}
	p.read(from, n, plain, err, g)
}

// read handles the plaintext of a direct or a group message, or the decryption
// error.
func (p *person) read(from *Device, n node, plain []byte, err error, g *Group) {
	id := stringOf(n, "id")
	msg := new(waE2E.Message)
	if err == nil {
		err = proto.Unmarshal(plain, msg)
	}
	if key := msg.GetSenderKeyDistributionMessage(); key != nil && err == nil {
		p.learn(from, key)
		if onlyKey(msg) {
			return
		}
	}
	if p.deaf > 0 && err == nil {
		p.deaf--
		err = errors.New("the phone plays deaf")
	}
	if err != nil {
		p.srv.trace("%s cannot read %s: %v", p.number, id, err)
		p.askAgain(from, id, jidOf(n, "to"), g)
		return
	}
	if stringOf(n, "category") == "peer" {
		if p.account == from.account {
			p.account.onPeer(from, msg.GetProtocolMessage(), id)
		}
		return
	}
	p.store(from, n, msg, g)
}

func onlyKey(m *waE2E.Message) bool {
	rest := proto.Clone(m).(*waE2E.Message)
	rest.SenderKeyDistributionMessage, rest.MessageContextInfo = nil, nil
	return proto.Size(rest) == 0
}

func (p *person) store(from *Device, n node, msg *waE2E.Message, g *Group) {
	id := stringOf(n, "id")
	if r := p.received(id); r != nil {
		r.Copies++
		p.confirm(from, r)
		return
	}
	to := jidOf(n, "to")
	r := &Received{
		ID: id, From: from.number, To: to, Chat: from.account.number, Type: stringOf(n, "type"), Edit: stringOf(n, "edit"),
		Raw: msg, Message: unwrap(msg), Time: p.srv.opts.Now(), Copies: 1, Retries: p.asked(id),
		Token: p.tokenOf(from, n),
	}
	if g != nil {
		r.Chat = g.jid
		g.checkNames(id, r.Message)
	}
	if p.account == from.account { // a copy for the account's own phone
		r.Chat = user(to)
		if other := p.srv.find(to); other != nil {
			r.Chat = other.number
		}
		p.account.keepOwn(r)
	}
	p.inbox = append(p.inbox, r)
	p.confirm(from, r)
}

// confirm sends the delivered receipt.
func (p *person) confirm(from *Device, r *Received) {
	if p.silent || p.account == from.account {
		return
	}
	p.receipt(from.account, "", []string{r.ID}, r.To)
}

// identified checks the proof that the sender is a device of its account: the
// signatures of the account's phone and of the device itself.
func (p *person) identified(from *Device, n node) bool {
	signed := new(waAdv.ADVSignedDeviceIdentity)
	if proto.Unmarshal(bytesOf(n, "device-identity"), signed) != nil ||
		len(signed.GetAccountSignature()) != 64 || len(signed.GetDeviceSignature()) != 64 {
		return false
	}
	account := *from.account.party.identity.Pub
	byPhone := slices.Concat(whatsmeow.AdvAccountSignaturePrefix, signed.GetDetails(), from.identity[:])
	byDevice := slices.Concat(whatsmeow.AdvDeviceSignaturePrefix, signed.GetDetails(), from.identity[:], account[:])
	return ecc.VerifySignature(ecc.NewDjbECPublicKey(account), byPhone, [64]byte(signed.GetAccountSignature())) &&
		ecc.VerifySignature(ecc.NewDjbECPublicKey(from.identity), byDevice, [64]byte(signed.GetDeviceSignature()))
}
