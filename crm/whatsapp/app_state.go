package whatsapp

import (
	"context"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// This file handles what the account's owner does on the phone: labels, archive,
// read marks and names of contacts.

func (s *session) markedRead(ctx context.Context, cli *whatsmeow.Client, e *events.MarkChatAsRead) (kept bool) {
	chat, ok := s.place(ctx, cli, e.JID)
	if !ok || s.ownState(appstate.IndexMarkChatAsRead, e.JID, e.Timestamp) {
		return true
	}
	if !s.arranged(ctx, cli, e.JID, e.FromFullSync, crm.ChatStateChanges{Unread: crm.Value(!e.Action.GetRead())}) {
		return false
	}
	if !e.Action.GetRead() || e.FromFullSync && (s.ofThePast(true) || time.Since(e.Timestamp) > repairWhile) {
		return true
	}
	when := sensible(e.Timestamp)
	return s.ingest(ctx, crm.InboundBatch{Reads: []crm.InboundRead{{Chat: chat, Time: &when}}})
}

func (s *session) label(ctx context.Context, e *events.LabelEdit) (kept bool) {
	name := content.Name(e.Action.GetName())
	if !fitsID(e.LabelID) || name == "" && !e.Action.GetDeleted() || s.ownLabels.is(e.Timestamp, appstate.IndexLabelEdit, e.LabelID) {
		return true
	}
	when := sensible(e.Timestamp)
	return s.ingest(ctx, crm.InboundBatch{History: s.ofThePast(e.FromFullSync), Labels: []crm.InboundLabel{{
		ID: e.LabelID, Name: name, Color: crm.LabelColor(e.Action.GetColor()), Deleted: e.Action.GetDeleted(), Time: &when,
	}}})
}

func (s *session) labelled(ctx context.Context, cli *whatsmeow.Client, e *events.LabelAssociationChat) (kept bool) {
	chat, ok := s.place(ctx, cli, e.JID)
	if !ok || !fitsID(e.LabelID) || s.ownLabels.is(e.Timestamp, appstate.IndexLabelAssociationChat, e.LabelID, e.JID.String()) {
		return true
	}
	when := sensible(e.Timestamp)
	return s.ingest(ctx, crm.InboundBatch{History: s.ofThePast(e.FromFullSync), Tags: []crm.InboundTag{{
		Chat: chat, Label: e.LabelID, Added: e.Action.GetLabeled(), Time: &when,
	}}})
}

func (s *session) archived(ctx context.Context, cli *whatsmeow.Client, e *events.Archive) (kept bool) {
	chat, ok := s.place(ctx, cli, e.JID)
	if !ok {
		return true
	}
	if !s.ownState(appstate.IndexArchive, e.JID, e.Timestamp) &&
		!s.arranged(ctx, cli, e.JID, e.FromFullSync, crm.ChatStateChanges{Archived: crm.Value(e.Action.GetArchived())}) {
		return false
	}
	if !s.m.Archives {
		return true
	}
	past := s.ofThePast(e.FromFullSync)
	if e.FromFullSync && !past && time.Since(e.Timestamp) > repairWhile {
		return true // not missed but known: an operator may have opened or closed the chat since
	}
	s.awaitChat(ctx, cli, e.JID)
	return s.ingest(ctx, crm.InboundBatch{History: past, Archives: []crm.InboundArchive{{Chat: chat, Archived: e.Action.GetArchived()}}})
}

// contact ingests a name that the account's owner gave a person, as the name of the
// chat, and the person's username.
func (s *session) contact(ctx context.Context, cli *whatsmeow.Client, e *events.Contact) (kept bool) {
	alt, _ := types.ParseJID(e.Action.GetLidJID())
	if e.JID.Server == types.HiddenUserServer {
		alt, _ = types.ParseJID(e.Action.GetPnJID())
	}
	return s.saved(ctx, cli, s.ofThePast(e.FromFullSync), e.JID, alt, person{e.Action.GetFullName(), e.Action.GetFirstName(), e.Action.GetUsername()})
}

// hiddenContact ingests the same of a person whose number the phone does not know.
// whatsmeow does not store the name, so hiddenContact does.
func (s *session) hiddenContact(ctx context.Context, cli *whatsmeow.Client, e *events.AppState) (kept bool) {
	action := e.GetLidContactAction()
	if len(e.Index) < 2 || e.Index[0] != appstate.IndexLIDContact || action == nil {
		return true
	}
	j, err := types.ParseJID(e.Index[1])
	if err != nil || !isLID(j) {
		return true
	}
	if err := cli.Store.Contacts.PutContactName(ctx, j, content.Name(action.GetFirstName()), content.Name(action.GetFullName())); err != nil {
		s.log.Warn("the name of a contact could not be stored", "error", err)
	}
	return s.saved(ctx, cli, false, j, types.EmptyJID, person{action.GetFullName(), action.GetFirstName(), action.GetUsername()})
}

// person is what the account's phone has in its address book.
type person struct{ full, first, username string }

// saved ingests an entry of the phone's address book.
func (s *session) saved(ctx context.Context, cli *whatsmeow.Client, history bool, j, alt types.JID, k person) (kept bool) {
	if _, ok := s.place(ctx, cli, j); !ok || j.Server == types.GroupServer {
		return true
	}
	who := s.person(ctx, cli, j, alt)
	chat, t := who.chat(), crm.InboundBatch{History: history}
	name := content.Name(k.full, k.first)
	if name != "" {
		chat.Name = &name
	}
	if chat.Username = content.Username(k.username); chat.Username != nil {
		t.Contacts = []crm.InboundUser{{ID: content.ID(who.id()), Name: name, Username: chat.Username, Phone: phoneOf(who.PN)}}
	}
	if chat.Name == nil && chat.Username == nil && chat.LID == nil {
		return true
	}
	t.Chats = []crm.InboundChat{chat}
	if s.keepPair(ctx, cli, who) {
		t.Aliases = []crm.InboundAlias{{Phone: content.ID(who.PN.User), LID: content.ID(chatID(who.LID))}}
	}
	return s.ingest(ctx, t)
}

// businessNamed ingests the name of a business that WhatsApp has verified.
func (s *session) businessNamed(ctx context.Context, cli *whatsmeow.Client, e *events.BusinessName) (kept bool) {
	p := s.person(ctx, cli, e.JID, types.EmptyJID)
	name := content.Name(e.NewBusinessName)
	if name == "" || p.id() == "" {
		return true
	}
	return s.ingest(ctx, crm.InboundBatch{Contacts: []crm.InboundUser{{ID: content.ID(p.id()), Name: name, Phone: phoneOf(p.PN), BusinessName: &name}}})
}

// named ingests a name that a person chose for themselves.
func (s *session) named(ctx context.Context, cli *whatsmeow.Client, p pair, name string) (kept bool) {
	j := p.PN
	if j.IsEmpty() {
		j = p.LID
	}
	if name = content.Name(name); name == "" || chatID(j) == "" {
		return true
	}
	p = s.person(ctx, cli, j, p.LID)
	return s.ingest(ctx, crm.InboundBatch{Contacts: []crm.InboundUser{{ID: content.ID(p.id()), Name: name, Phone: phoneOf(p.PN)}}})
}
