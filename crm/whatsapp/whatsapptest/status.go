package whatsapptest

import (
	"cmp"

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

// SetStatusPrivacy sets on the phone who sees the account's status posts: contacts, a
// blacklist of contacts, or a whitelist.
func (a *Account) SetStatusPrivacy(kind types.StatusPrivacyType, people ...*Contact) {
	defer a.srv.lock()()
	a.statusFor, a.statusList = kind, nil
	for _, c := range people {
		a.statusList = append(a.statusList, c.as(types.HiddenUserServer))
	}
}

// iqStatus answers who sees the account's status posts.
func (c *conn) iqStatus(n node) ([]node, error) {
	if _, ok := child(n, "privacy"); !ok || stringOf(n, "type") != "get" {
		return nil, errUnknown
	}
	a := c.device.account
	var users []node
	for _, j := range a.statusList {
		users = append(users, node{Tag: "user", Attrs: attrs{"jid": j}})
	}
	kind := cmp.Or(a.statusFor, types.StatusPrivacyTypeContacts)
	return []node{{Tag: "privacy", Content: []node{{Tag: "list", Attrs: attrs{"type": string(kind), "default": "true"}, Content: users}}}}, nil
}

// toStatus delivers a client's status post to the devices that it names: each gets the
// sender's key along with the post.
func (c *conn) toStatus(n node) {
	common, ok := skmsg(n)
	if !ok {
		c.srv.note("a status post without a skmsg")
		return
	}
	for device, enc := range addressed(n, types.StatusBroadcastJID) {
		c.toMember(c.srv.statuses(), n, device, []node{enc, common})
	}
}
