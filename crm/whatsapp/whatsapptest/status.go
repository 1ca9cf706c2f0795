package whatsapptest

import (
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// A status post goes to everybody who has the person's number. It is encrypted as a message
// to a group is, under the person's key of the address of all status posts.

// statuses returns the address of status posts, a group without members; mu is held.
func (s *Server) statuses() *Group {
	if s.status == nil {
		s.status = &Group{srv: s, jid: types.StatusBroadcastJID, byLID: true, keyed: make(map[string]bool)}
	}
	return s.status
}

// PostStatus posts a status that an account's clients get.
func (c *Contact) PostStatus(to *Account, msg *waE2E.Message, opts ...SendOpts) string {
	defer c.srv.lock()()
	return c.postStatus(to, msg, opts)
}

// PostStatus posts a status from the phone. The account's clients get it, too.
func (a *Account) PostStatus(msg *waE2E.Message, opts ...SendOpts) string {
	defer a.srv.lock()()
	return a.postStatus(a, msg, opts)
}

func (p *person) postStatus(to *Account, msg *waE2E.Message, opts []SendOpts) string {
	m := p.newMessage(msg, opts)
	m.group, m.recipient = p.srv.statuses(), types.StatusBroadcastJID
	key := p.keyFor(m.group)
	sealed, err := p.encryptGroup(m.group, m.plaintext())
	if err != nil {
		p.srv.note("%s cannot encrypt a status post: %v", p.number, err)
		return m.id
	}
	enc := encNode(m, kindSenderKey, sealed, 0)
	for _, d := range to.linked() {
		p.sendGroupTo(m.group, d, m, key, enc)
	}
	return m.id
}

// StatusKey returns the key of a status post, as its author names it.
func StatusKey(id string) *waCommon.MessageKey {
	return &waCommon.MessageKey{RemoteJID: proto.String(types.StatusBroadcastJID.String()), FromMe: proto.Bool(true), ID: &id}
}
