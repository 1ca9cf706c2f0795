package whatsapptest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
)

// Channel posts for its followers. Its posts are not encrypted, and neither are their files.
// The server's mu guards it.
type Channel struct {
	srv   *Server
	jid   types.JID
	name  string
	posts int // how many there were: the server numbers them
}

// NewChannel makes a channel.
func (s *Server) NewChannel(name string) *Channel {
	defer s.lock()()
	s.lastChannel++
	return &Channel{srv: s, jid: types.NewJID(fmt.Sprintf("1203634%011d", s.lastChannel), types.NewsletterServer), name: name}
}

// JID returns the channel's JID.
func (ch *Channel) JID() types.JID { return ch.jid }

// UploadPlain stores a file on the media host as channels do, which everybody may read.
func (s *Server) UploadPlain(data []byte) File {
	sum := sha256.Sum256(data)
	path := s.media.put(bytes.Clone(data))
	return File{Length: uint64(len(data)), SHA256: sum[:], DirectPath: path, URL: "https://" + mediaHostname + path}
}

// Rename gives the channel another name.
func (ch *Channel) Rename(name string) {
	defer ch.srv.lock()()
	ch.name = name
}

// Follow makes an account a follower. Its clients are told so if told is set; else they find
// the channel among those that they ask for.
func (a *Account) Follow(ch *Channel, told bool) {
	unlock := a.srv.lock()
	a.follows = append(a.follows, ch)
	about := ch.describe()
	unlock()
	if told {
		a.Announce("NotificationNewsletterJoin", map[string]any{"xwa2_notify_newsletter_on_join": about})
	}
}

// describe returns the channel in the form that answers use.
func (ch *Channel) describe() map[string]any {
	return map[string]any{
		"id": ch.jid.String(), "state": map[string]any{"type": "ACTIVE"},
		"thread_metadata": map[string]any{
			"name": map[string]any{"id": "1", "text": ch.name, "update_time": "1"}, "description": map[string]any{"id": "1", "text": "", "update_time": "1"},
			"creation_time": "1700000000", "invite": "0029Va", "subscribers_count": "12", "verification": "UNVERIFIED",
		},
		"viewer_metadata": map[string]any{"mute": "ON", "role": "SUBSCRIBER"},
	}
}

// mexChannels is the id of the query for the channels that an account follows.
const mexChannels = "6388546374527196"

// followed answers with the channels that the account follows.
func (a *Account) followed() ([]node, error) {
	all := []map[string]any{}
	for _, ch := range a.follows {
		all = append(all, ch.describe())
	}
	raw, err := json.Marshal(map[string]any{"data": map[string]any{"xwa2_newsletter_subscribed": all}})
	return []node{{Tag: "result", Content: raw}}, err
}

// Post delivers a post to the account's clients.
func (ch *Channel) Post(to *Account, msg *waE2E.Message, opts ...SendOpts) string {
	return ch.push(to, "message", msg, nil, opts)
}

// PostStatus delivers a status post of the channel.
func (ch *Channel) PostStatus(to *Account, msg *waE2E.Message, opts ...SendOpts) string {
	return ch.push(to, "status", msg, nil, opts)
}

// Edit delivers the new content of a post.
func (ch *Channel) Edit(to *Account, id string, msg *waE2E.Message) {
	now := ch.srv.opts.Now()
	ch.push(to, "message", msg, attrs{"edit": string(types.EditAttributeAdminEdit)}, []SendOpts{{ID: id}},
		node{Tag: "meta", Attrs: attrs{"msg_edit_t": now.UnixMilli(), "original_msg_t": now.Unix()}})
}

// Revoke deletes a post.
func (ch *Channel) Revoke(to *Account, id string) {
	ch.push(to, "message", nil, attrs{"edit": string(types.EditAttributeAdminRevoke)}, []SendOpts{{ID: id}})
}

func (ch *Channel) push(to *Account, tag string, msg *waE2E.Message, more attrs, opts []SendOpts, content ...node) string {
	defer ch.srv.lock()()
	m := sentMessage{id: newID(), message: msg, time: ch.srv.opts.Now()}
	if len(opts) > 0 {
		m.plain, m.copies = opts[0].Plaintext, opts[0].Copies
		if opts[0].ID != "" {
			m.id = opts[0].ID
		}
		if !opts[0].Time.IsZero() {
			m.time = opts[0].Time
		}
	}
	if more == nil {
		ch.posts++
	}
	body := []byte{}
	kind := kindOf(&waE2E.Message{})
	if msg != nil {
		body, kind = m.plaintext(), kindOf(msg)
	}
	plain := node{Tag: "plaintext", Attrs: attrs{"mediatype": kind.media}, Content: body}
	a := with(attrs{"id": m.id, "from": ch.jid, "t": m.time.Unix(), "type": kind.stanza, "server_id": 99 + ch.posts}, more)
	for _, d := range to.linked() {
		for range 1 + m.copies {
			d.push(node{Tag: tag, Attrs: a, Content: append([]node{plain}, content...)})
		}
	}
	return m.id
}
