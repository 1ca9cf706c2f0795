package whatsapp

import (
	"context"
	"strings"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
)

// What the account's owner does on the phone: labels, archive, unread marks,
// names of contacts.

func (s *session) markedRead(ctx context.Context, cli *whatsmeow.Client, e *events.MarkChatAsRead) (kept bool) {
	chat, ok := s.place(ctx, cli, e.JID)
	if !ok || !e.Action.GetRead() || e.FromFullSync {
		return true
	}
	when := sensible(e.Timestamp)
	return s.ingest(ctx, crm.InboundBatch{Reads: []crm.InboundRead{{Chat: chat, Time: &when}}})
}

func (s *session) label(ctx context.Context, e *events.LabelEdit) (kept bool) {
	name := clip(strings.TrimSpace(e.Action.GetName()), maxName)
	if !fitsID(e.LabelID) || name == "" && !e.Action.GetDeleted() {
		return true
	}
	return s.ingest(ctx, crm.InboundBatch{History: e.FromFullSync, Labels: []crm.InboundLabel{{
		ID: e.LabelID, Name: name, Color: labelColor(e.Action.GetColor()), Deleted: e.Action.GetDeleted(),
	}}})
}

// labelColor is how WhatsApp shows the colours of its palette, which it names by
// number.
func labelColor(n int32) string {
	palette := []string{
		"#ff9485", "#64c4ff", "#ffd429", "#dfaef0", "#99b6c1", "#55ccb3", "#ff9dff", "#d3a91d", "#6d7cce", "#d7e752",
		"#00d0e2", "#ffc5c7", "#93ceac", "#f74848", "#00a0f2", "#83e422", "#ffaf04", "#b5ebff", "#9ba6ff", "#9368cf",
	}
	if n < 0 || int(n) >= len(palette) {
		return ""
	}
	return palette[n]
}

func (s *session) labelled(ctx context.Context, cli *whatsmeow.Client, e *events.LabelAssociationChat) (kept bool) {
	chat, ok := s.place(ctx, cli, e.JID)
	if !ok || !fitsID(e.LabelID) {
		return true
	}
	return s.ingest(ctx, crm.InboundBatch{History: e.FromFullSync, Tags: []crm.InboundTag{{
		Chat: chat, Label: e.LabelID, Added: e.Action.GetLabeled(),
	}}})
}

func (s *session) archived(ctx context.Context, cli *whatsmeow.Client, e *events.Archive) (kept bool) {
	chat, ok := s.place(ctx, cli, e.JID)
	if !ok || !s.m.Archives {
		return true
	}
	return s.ingest(ctx, crm.InboundBatch{History: e.FromFullSync, Archives: []crm.InboundArchive{{Chat: chat, Archived: e.Action.GetArchived()}}})
}

// contact is a name that the account's owner gave somebody: it is the chat's.
func (s *session) contact(ctx context.Context, cli *whatsmeow.Client, e *events.Contact) (kept bool) {
	chat, ok := s.place(ctx, cli, e.JID)
	name := clip(strings.TrimSpace(first(e.Action.GetFullName(), e.Action.GetFirstName())), maxName)
	if !ok || name == "" {
		return true
	}
	chat.Name = &name
	t := crm.InboundBatch{History: e.FromFullSync, Chats: []crm.InboundChat{chat}}
	if lid, err := types.ParseJID(e.Action.GetLidJID()); err == nil && lid.Server == types.HiddenUserServer && chat.Phone != nil {
		t.Aliases = []crm.InboundAlias{{Phone: waID(*chat.Phone), LID: waID(chatID(lid.ToNonAD()))}}
	}
	return s.ingest(ctx, t)
}

// named is a name that somebody gave themselves.
func (s *session) named(ctx context.Context, cli *whatsmeow.Client, p pair, name string) (kept bool) {
	j := p.PN
	if j.IsEmpty() {
		j = p.LID
	}
	if name = clip(strings.TrimSpace(name), maxName); name == "" || chatID(j) == "" {
		return true
	}
	p = s.person(ctx, cli, j, p.LID)
	return s.ingest(ctx, crm.InboundBatch{Contacts: []crm.InboundUser{{ID: waID(p.id()), Name: name, Phone: phoneOf(p.PN)}}})
}

// call keeps that somebody called, as a message of its own type: nobody answers
// it here.
func (s *session) call(ctx context.Context, cli *whatsmeow.Client, c types.BasicCallMeta, media string) (kept bool) {
	if !fitsID(c.CallID) {
		return true
	}
	info := &types.MessageInfo{ID: c.CallID, Timestamp: c.Timestamp}
	info.Chat, info.Sender, info.SenderAlt = c.From.ToNonAD(), c.CallCreator.ToNonAD(), c.CallCreatorAlt
	if info.Sender.IsEmpty() {
		info.Sender = info.Chat
	}
	if !c.GroupJID.IsEmpty() {
		info.Chat, info.IsGroup = c.GroupJID, true
	}
	if !s.ours(info) {
		return true
	}
	in := s.envelope(ctx, cli, info, &content{Type: "call", Subtype: media})
	return s.ingest(ctx, crm.InboundBatch{Messages: []crm.InboundMessage{in}})
}

// callMedia says whether a call is by video.
func callMedia(n *binary.Node) string {
	if n != nil {
		if _, video := n.GetOptionalChildByTag("video"); video {
			return "video"
		}
	}
	return "audio"
}

// nameGroups tells the names of the account's groups, once for a connection.
func (s *session) nameGroups(ctx context.Context, cli *whatsmeow.Client) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	groups, err := cli.GetJoinedGroups(ctx)
	if err != nil {
		s.log.Info("the groups' names are not known", "error", err)
		return
	}
	var t crm.InboundBatch
	for _, g := range groups {
		s.keepName(g.JID, g.Name)
		if chat, ok := groupChat(g.JID, g.Name); ok {
			t.Chats = append(t.Chats, chat)
		}
	}
	if len(t.Chats) > 0 {
		s.ingest(ctx, t)
	}
}

// groupName is the name of a group; nil: it is not known. One that was not known
// when we connected is asked for before its first message is taken, once, and not
// for long.
func (s *session) groupName(ctx context.Context, cli *whatsmeow.Client, j types.JID) *string {
	s.mu.Lock()
	name, asked := s.groups[j]
	s.mu.Unlock()
	if !asked {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		if g, err := cli.GetGroupInfo(ctx, j); err == nil {
			name = g.Name
		}
		s.keepName(j, name)
	}
	if chat, ok := groupChat(j, name); ok {
		return chat.Name
	}
	return nil
}

func (s *session) keepName(j types.JID, name string) {
	s.mu.Lock()
	s.groups[j] = name
	s.mu.Unlock()
}

func (s *session) groupNamed(ctx context.Context, j types.JID, name string) (kept bool) {
	chat, ok := groupChat(j, name)
	s.keepName(j, name)
	return !ok || s.ingest(ctx, crm.InboundBatch{Chats: []crm.InboundChat{chat}})
}

func groupChat(j types.JID, name string) (crm.InboundChat, bool) {
	if name = clip(strings.TrimSpace(name), maxName); name == "" || j.Server != types.GroupServer {
		return crm.InboundChat{}, false
	}
	return crm.InboundChat{ID: waID(chatID(j)), Type: "group", Name: &name}, true
}
