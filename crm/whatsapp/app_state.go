package whatsapp

import (
	"context"
	"strings"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// This file handles what the account's owner does on the phone: labels, archive,
// read marks and names of contacts.

func (s *session) markedRead(ctx context.Context, cli *whatsmeow.Client, e *events.MarkChatAsRead) (kept bool) {
	chat, ok := s.place(ctx, cli, e.JID)
	if !ok || !e.Action.GetRead() || e.FromFullSync {
		return true
	}
	when := sensible(e.Timestamp)
	return s.ingest(ctx, crm.InboundBatch{Reads: []crm.InboundRead{{Chat: chat, Time: &when}}})
}

func (s *session) label(ctx context.Context, e *events.LabelEdit) (kept bool) {
	name := content.Clip(strings.TrimSpace(e.Action.GetName()), content.MaxName)
	if !fitsID(e.LabelID) || name == "" && !e.Action.GetDeleted() {
		return true
	}
	return s.ingest(ctx, crm.InboundBatch{History: e.FromFullSync, Labels: []crm.InboundLabel{{
		ID: e.LabelID, Name: name, Color: labelColor(e.Action.GetColor()), Deleted: e.Action.GetDeleted(),
	}}})
}

// labelColor returns the colour with number n in WhatsApp's palette, or "" when there
// is none.
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

// contact ingests a name that the account's owner gave a person, as the name of the
// chat.
func (s *session) contact(ctx context.Context, cli *whatsmeow.Client, e *events.Contact) (kept bool) {
	chat, ok := s.place(ctx, cli, e.JID)
	name := content.Clip(strings.TrimSpace(content.FirstNonBlank(e.Action.GetFullName(), e.Action.GetFirstName())), content.MaxName)
	if !ok || name == "" {
		return true
	}
	chat.Name = &name
	t := crm.InboundBatch{History: e.FromFullSync, Chats: []crm.InboundChat{chat}}
	if lid, err := types.ParseJID(e.Action.GetLidJID()); err == nil && lid.Server == types.HiddenUserServer && chat.Phone != nil {
		t.Aliases = []crm.InboundAlias{{Phone: content.ID(*chat.Phone), LID: content.ID(chatID(lid.ToNonAD()))}}
	}
	return s.ingest(ctx, t)
}

// named ingests a name that a person chose for themselves.
func (s *session) named(ctx context.Context, cli *whatsmeow.Client, p pair, name string) (kept bool) {
	j := p.PN
	if j.IsEmpty() {
		j = p.LID
	}
	if name = content.Clip(strings.TrimSpace(name), content.MaxName); name == "" || chatID(j) == "" {
		return true
	}
	p = s.person(ctx, cli, j, p.LID)
	return s.ingest(ctx, crm.InboundBatch{Contacts: []crm.InboundUser{{ID: content.ID(p.id()), Name: name, Phone: phoneOf(p.PN)}}})
}
