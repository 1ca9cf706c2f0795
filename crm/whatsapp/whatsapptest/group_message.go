package whatsapptest

import (
	"context"
	"errors"

	"go.mau.fi/libsignal/groups"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/signalerror"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// A message to a group is encrypted once, under the sender's key of that group. A
// device that has not got the key yet gets it beside the message, encrypted in a
// pairwise session:
//
//	message to the group
//	  participants: enc pkmsg or msg for each new device: the sender key
//	  enc skmsg: the message, for all

// senderKeyName names a member's key of a group in a phone's store.
func senderKeyName(g *Group, device types.JID) *protocol.SenderKeyName {
	return protocol.NewSenderKeyName(g.jid.String(), device.SignalAddress())
}

func (p *party) dropSenderKey(g *Group, of *person) {
	delete(p.senderKeys, senderKeyID(senderKeyName(g, of.as(types.HiddenUserServer))))
}

// keyFor returns the message that distributes the person's key of a group.
func (p *person) keyFor(g *Group) *waE2E.SenderKeyDistributionMessage {
	builder := groups.NewGroupSessionBuilder(p.party, serializer)
	msg, err := builder.Create(context.Background(), senderKeyName(g, p.as(types.HiddenUserServer)))
	if err != nil {
		p.srv.note("a sender key: %v", err)
		return nil
	}
	return &waE2E.SenderKeyDistributionMessage{
		GroupID: proto.String(g.jid.String()), AxolotlSenderKeyDistributionMessage: msg.Serialize(),
	}
}

// learn stores the sender key of a client's device.
func (p *person) learn(from *Device, key *waE2E.SenderKeyDistributionMessage) {
	msg, err := protocol.NewSenderKeyDistributionMessageFromBytes(
		key.GetAxolotlSenderKeyDistributionMessage(), serializer.SenderKeyDistributionMessage)
	jid, err2 := types.ParseJID(key.GetGroupID())
	g := p.srv.groups[jid]
	if jid == types.StatusBroadcastJID {
		g = p.srv.statuses()
	}
	if err != nil || err2 != nil || g == nil {
		p.srv.note("a sender key for %q cannot be read: %v", key.GetGroupID(), err)
		return
	}
	builder := groups.NewGroupSessionBuilder(p.party, serializer)
	if err := builder.Process(context.Background(), senderKeyName(g, from.address()), msg); err != nil {
		p.srv.note("a sender key: %v", err)
	}
}

func (p *person) encryptGroup(g *Group, plain []byte) ([]byte, error) {
	name := senderKeyName(g, p.as(types.HiddenUserServer))
	msg, err := groups.NewGroupCipher(groups.NewGroupSessionBuilder(p.party, serializer), name, p.party).
		Encrypt(context.Background(), pad(plain))
	if err != nil {
		return nil, err
	}
	return msg.SignedSerialize(), nil
}

func (p *person) decryptGroup(g *Group, from *Device, sealed []byte) ([]byte, error) {
	msg, err := protocol.NewSenderKeyMessageFromBytes(sealed, serializer.SenderKeyMessage)
	if err != nil {
		return nil, err
	}
	name := senderKeyName(g, from.address())
	plain, err := groups.NewGroupCipher(groups.NewGroupSessionBuilder(p.party, serializer), name, p.party).
		Decrypt(context.Background(), msg)
	if err != nil {
		return nil, err
	}
	return unpad(plain)
}

// SendGroup sends a message to a group that the contact is a member of.
func (c *Contact) SendGroup(g *Group, msg *waE2E.Message, opts ...SendOpts) string {
	defer c.srv.lock()()
	return c.sendGroup(g, msg, opts)
}

// WriteGroup sends a message to a group from the phone, as the account's owner
// would.
func (a *Account) WriteGroup(g *Group, msg *waE2E.Message, opts ...SendOpts) string {
	defer a.srv.lock()()
	return a.sendGroup(g, msg, opts)
}

func (p *person) sendGroup(g *Group, msg *waE2E.Message, opts []SendOpts) string {
	m := p.newMessage(msg, opts)
	m.group, m.recipient = g, g.jid
	key := p.keyFor(g)
	sealed, err := p.encryptGroup(g, m.plaintext())
	if err != nil {
		p.srv.note("%s cannot encrypt for %s: %v", p.number, g.jid, err)
		return m.id
	}
	enc := encNode(m, kindSenderKey, sealed, 0)
	for _, to := range g.members {
		if to.account == nil {
			if to.person != p {
				to.hear(p, m, msg)
				to.inbox[len(to.inbox)-1].Chat = g.jid
			}
			continue
		}
		to.account.keep(g.jid, p, m)
		for _, d := range to.linked() {
			p.sendGroupTo(g, d, m, key, enc)
		}
	}
	return m.id
}

func (p *person) sendGroupTo(g *Group, d *Device, m *sentMessage, key *waE2E.SenderKeyDistributionMessage, enc node) {
	content := []node{enc}
	if known := p.number.User + " " + d.number.String(); !g.keyed[known] {
		g.keyed[known] = true
		data, err := proto.Marshal(&waE2E.Message{SenderKeyDistributionMessage: key})
		if err == nil {
			var first node
			first, err = p.seal(d, &sentMessage{message: &waE2E.Message{}}, data, 0)
			content = []node{first, enc}
		}
		if err != nil {
			p.srv.note("%s cannot give its key to %s: %v", p.number, d.number, err)
			return
		}
	}
	for range 1 + m.copies {
		d.push(node{Tag: "message", Attrs: p.stanza(d, m), Content: content})
	}
}

// ForgetKeys makes every member's phone distribute its key again with the next
// message.
func (g *Group) ForgetKeys() {
	defer g.srv.lock()()
	clear(g.keyed)
}

// toGroup delivers a client's message to the members.
func (c *conn) toGroup(n node, to types.JID) {
	g := c.srv.groups[to]
	if g == nil || g.member(c.device.account.person) == nil {
		c.srv.note("a message to the group %s, which the sender is not in", to)
		return
	}
	if one := jidOf(n, "participant"); !one.IsEmpty() { // a retry for one device
		for _, enc := range addressed(n, one) {
			c.toMember(g, n, one, []node{enc})
		}
		return
	}
	keys := addressed(n, to)
	delete(keys, to)
	common, ok := skmsg(n)
	if !ok {
		c.srv.note("a message to the group %s without a skmsg", to)
		return
	}
	for _, m := range g.members {
		devices := []types.JID{m.number}
		for _, d := range m.linked() {
			if d != c.device {
				devices = append(devices, d.number)
			}
		}
		for _, device := range devices {
			encs := []node{common}
			for jid, enc := range keys {
				if m.is(jid) && jid.Device == device.Device {
					encs = []node{enc, common}
				}
			}
			c.toMember(g, n, device, encs)
		}
	}
}

func skmsg(n node) (node, bool) {
	for _, enc := range n.GetChildrenByTag("enc") {
		if stringOf(enc, "type") == kindSenderKey {
			return enc, true
		}
	}
	return node{}, false
}

// toMember delivers ciphertexts to one device of a member.
func (c *conn) toMember(g *Group, n node, device types.JID, encs []node) {
	p := c.srv.find(device)
	if p == nil {
		return
	}
	if device.Device != 0 {
		if p.account != nil && p.account.devices[device.Device] != nil {
			c.relay(p.account.devices[device.Device], n, encs, g)
		}
		return
	}
	for _, enc := range encs {
		if stringOf(enc, "type") != kindSenderKey {
			p.take(c.device, n, enc, g)
			continue
		}
		sealed, _ := enc.Content.([]byte)
		plain, err := p.decryptGroup(g, c.device, sealed)
		if errors.Is(err, signalerror.ErrOldCounter) {
			if r := p.received(stringOf(n, "id")); r != nil {
				r.Copies++
				p.confirm(c.device, r)
			}
			continue
		}
		p.read(c.device, n, plain, err, g)
	}
}

// checkNames notes the people whom a client's message names otherwise than the group does.
func (g *Group) checkNames(id string, m *waE2E.Message) {
	about := contextOf(m)
	names := append([]string{about.GetParticipant()}, about.GetMentionedJID()...)
	names = append(names, m.GetReactionMessage().GetKey().GetParticipant(), m.GetProtocolMessage().GetKey().GetParticipant())
	names = append(names, contextOf(m.GetProtocolMessage().GetEditedMessage()).GetMentionedJID()...)
	for _, name := range names {
		j, err := types.ParseJID(name)
		if p := g.srv.find(j); name != "" && (err != nil || p != nil && g.as(p) != j) {
			g.srv.note("message %s to the group %s names %s", id, g.jid, name)
		}
	}
}

// contextOf returns the context of a message's content, or nil.
func contextOf(m *waE2E.Message) (found *waE2E.ContextInfo) {
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Message() != nil && !f.IsList() && !f.IsMap() {
			if with, ok := v.Message().Interface().(interface{ GetContextInfo() *waE2E.ContextInfo }); ok {
				found = with.GetContextInfo()
			}
		}
		return found == nil
	})
	return found
}
