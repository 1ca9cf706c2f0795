package whatsapp

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// People post their status for everybody who has their number, and channels post for their
// followers. A line keeps either only if it is set to: see crm.AccountSettings.

// isStatus reports whether a message is a status post of a person, or is about one.
func isStatus(info *types.MessageInfo) bool { return info.Chat == types.StatusBroadcastJID }

// settings returns the settings of the line. While the database is unavailable it retries
// for a while, then it closes the connection.
func (s *session) settings(ctx context.Context) (settings crm.AccountSettings, ok bool) {
	began := time.Now()
	for tries := 1; !s.broken.Load(); tries++ {
		settings, err := s.m.rules.AccountSettings(ctx, s.on)
		if err == nil {
			return settings, true
		}
		s.log.Warn("the settings of the line could not be read yet", "try", tries, "error", err)
		if ctx.Err() != nil {
			return settings, false
		}
		if s.impatient(ctx, began, tries) {
			break
		}
	}
	s.breakOff()
	return settings, false
}

// statusPost ingests a status post of a person, or its deletion. The account's own posts are
// in no chat, so what people do with them has no place either. An answer to one is an
// ordinary message that tells what it quotes.
func (s *session) statusPost(ctx context.Context, cli *whatsmeow.Client, e *events.Message, m *waE2E.Message) (kept bool) {
	if e.Info.IsFromMe || !fitsID(e.Info.ID) || s.person(ctx, cli, e.Info.Sender, e.Info.SenderAlt).id() == "" {
		return true
	}
	settings, ok := s.settings(ctx)
	if !ok {
		return false
	}
	if p := m.GetProtocolMessage(); p != nil {
		if p.GetType() != waE2E.ProtocolMessage_REVOKE {
			return true
		}
		return s.postDeleted(ctx, s.chat(ctx, cli, &e.Info), p.GetKey().GetID(), &e.Info, settings.ReceiveStatus)
	}
	s.readAtOnce(cli, e.Info)
	what := content.Translate(m)
	if !settings.ReceiveStatus || what == nil || what.Aside() || what.Content.Reaction != nil || what.Content.Vote != nil {
		return true
	}
	what.Subtype = crm.SubtypeStatus
	in := s.envelope(ctx, cli, &e.Info, what)
	in.Chat.Disappearing, in.UTM = nil, nil // of the post, not of the chat
	s.attachLater(&in, what.Media)
	if !s.ingest(ctx, crm.InboundBatch{Aliases: s.aliases(&e.Info), Messages: []crm.InboundMessage{in}}) {
		return false
	}
	if in.Remote != nil {
		notify(s.fetch)
	}
	return true
}

// postDeleted ingests the deletion of a post. With the setting off only what was kept before
// is deleted.
func (s *session) postDeleted(ctx context.Context, chat crm.InboundChat, id string, info *types.MessageInfo, on bool) (kept bool) {
	if !fitsID(id) {
		return true
	}
	when := sensible(info.Timestamp)
	return s.ingest(ctx, crm.InboundBatch{Deletes: []crm.InboundDelete{{
		ID: content.ID(id), Chat: chat, By: chat.ID, Time: &when, IfHere: !on, Post: true,
	}}})
}

// channelPost ingests a post of a channel, its edit or its deletion. WhatsApp tells an edit
// by the id of the post and its new content, and a deletion by the id and none.
func (s *session) channelPost(ctx context.Context, cli *whatsmeow.Client, e *events.Message, m *waE2E.Message) (kept bool) {
	chat, ok := s.channels.chat(e.Info.Chat)
	if !ok || !fitsID(e.Info.ID) {
		return true
	}
	settings, ok := s.settings(ctx)
	if !ok {
		return false
	}
	deleted := ""
	switch p := m.GetProtocolMessage(); {
	case e.Info.Edit == types.EditAttributeSenderRevoke || e.Info.Edit == types.EditAttributeAdminRevoke:
		deleted = e.Info.ID
	case p.GetType() == waE2E.ProtocolMessage_REVOKE && p.GetKey().GetID() != "":
		deleted = p.GetKey().GetID()
	}
	if deleted != "" {
		return s.postDeleted(ctx, chat, deleted, &e.Info, settings.ReceiveChannels)
	}
	what := content.Translate(m)
	if !settings.ReceiveChannels || what == nil || what.Aside() || what.Content.Reaction != nil || what.Content.Vote != nil {
		return true
	}
	if !s.ingest(ctx, s.posted(ctx, cli, e, chat, what)) {
		return false
	}
	if what.Media != nil {
		notify(s.fetch)
	}
	if s.channels.first(e.Info.Chat) {
		s.askChannels(ctx, cli)
	}
	return true
}

// posted returns a post of a channel. An edit has both the post and its edit: the post may
// not be here.
func (s *session) posted(ctx context.Context, cli *whatsmeow.Client, e *events.Message, chat crm.InboundChat, what *content.Content) (batch crm.InboundBatch) {
	edited := e.NewsletterMeta != nil && !e.NewsletterMeta.EditTS.IsZero()
	began, now := sensible(e.Info.Timestamp), sensible(e.Info.Timestamp)
	if edited {
		now = sensible(e.NewsletterMeta.EditTS)
		if !e.NewsletterMeta.OriginalTS.IsZero() {
			began = sensible(e.NewsletterMeta.OriginalTS)
		}
	}
	what.Content.Mentions = s.mentions(ctx, cli, what)
	if e.Info.IsNewsletterStatus {
		what.Subtype = crm.SubtypeStatus
	}
	in := crm.InboundMessage{
		ID: content.ID(e.Info.ID), Chat: chat, FromUser: &crm.InboundUser{ID: chat.ID}, Time: &began,
		Type: what.Type, Subtype: given(what.Subtype), Message: what.Content, IsForwarded: what.Forwarded(),
	}
	if chat.Name != nil {
		in.FromUser.Name = *chat.Name
	}
	if q := what.Quoted(); fitsID(q) {
		id := content.ID(q)
		in.QuotedMessageID, in.Quote = &id, what.Quote()
	}
	s.attachLater(&in, what.Media)
	batch.Messages = []crm.InboundMessage{in}
	if edited {
		batch.Edits = []crm.InboundEdit{{ID: in.ID, Chat: chat, By: chat.ID, Type: what.Type, Message: what.Content, Time: &now}}
	}
	return batch
}

// channels are the names of the channels that the account follows. It is safe for
// concurrent use.
type channels struct {
	mu    sync.Mutex
	names map[types.JID]string // guarded by mu; empty: WhatsApp was asked, and did not tell
}

// chat returns the chat of a channel, with its name if that is known. It returns false for
// an address that crm does not accept.
func (c *channels) chat(j types.JID) (chat crm.InboundChat, ok bool) {
	if _, err := crm.ParseChatID("", Type, j.String()); err != nil || j.Server != types.NewsletterServer {
		return chat, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return crm.InboundChat{ID: content.ID(j.String()), Type: "channel", Name: given(c.names[j])}, true
}

// first reports whether nothing is known of a channel, and it is asked for the first time.
func (c *channels) first(j types.JID) bool {
	c.mu.Lock()
	_, known := c.names[j]
	c.mu.Unlock()
	if !known {
		c.keep(j, "")
	}
	return !known
}

func (c *channels) keep(j types.JID, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.names == nil {
		c.names = map[types.JID]string{}
	}
	c.names[j] = content.Name(name)
}

// askChannels lets the names of the channels be asked for.
func (s *session) askChannels(ctx context.Context, cli *whatsmeow.Client) {
	s.helpers.Coalesce("channels", func() { s.nameChannels(ctx, cli) })
}

// nameChannels asks for the names of all channels that the account follows, if the line
// keeps what they post.
func (s *session) nameChannels(ctx context.Context, cli *whatsmeow.Client) {
	settings, err := s.m.rules.AccountSettings(ctx, s.on)
	if err != nil || !settings.ReceiveChannels {
		return
	}
	quick, cancel := context.WithTimeout(ctx, s.m.times.answer)
	defer cancel()
	all, err := cli.GetSubscribedNewsletters(quick)
	if err != nil {
		s.log.Info("the names of the channels are not known", "error", err)
		return
	}
	var chats []crm.InboundChat
	for _, one := range all {
		if one == nil {
			continue
		}
		s.channels.keep(one.ID, one.ThreadMeta.Name.Text)
		if chat, ok := s.channels.chat(one.ID); ok && chat.Name != nil {
			chats = append(chats, chat)
		}
	}
	for part := range slices.Chunk(chats, historyBatch) {
		if !s.ingest(ctx, crm.InboundBatch{Chats: part}) {
			return
		}
	}
}
