package whatsapp

import (
	"context"
	"slices"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waHistorySync"
	"go.mau.fi/whatsmeow/proto/waWeb"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// historyBatch is how many messages, names and ids together are ingested in one
// transaction: other lines, and operators, wait for one at most.
const historyBatch = 100

// pastArrived stores a part of the history from before the pairing, which is imported later.
// Like every event it is acknowledged once it is stored.
func (s *session) pastArrived(ctx context.Context, id string, n *waE2E.HistorySyncNotification) (kept bool) {
	device, _ := s.deviceAndPhone()
	began := time.Now()
	for tries := 1; !s.broken.Load(); tries++ {
		err := s.m.container.keepPart(ctx, device, id, n)
		if err == nil {
			s.past.add(s.m.times.past)
			return true
		}
		s.log.Warn("a part of the history could not be noted yet", "try", tries, "error", err)
		if ctx.Err() != nil {
			return false
		}
		if s.impatient(ctx, began, tries) {
			break
		}
	}
	s.breakOff()
	return false
}

// history imports a part of the history. It is stored without notifying anybody but dialects.
func (s *session) history(ctx context.Context, cli *whatsmeow.Client, id string, past *waHistorySync.HistorySync) (kept bool) {
	names := map[string]string{}
	part := partOf(past)
	t := crm.InboundBatch{History: true, Part: part}
	for _, p := range past.GetPushnames() {
		j, err := types.ParseJID(p.GetID())
		name := content.Name(p.GetPushname())
		if err != nil || chatID(j) == "" || name == "" || name == "-" {
			continue
		}
		names[j.ToNonAD().String()] = name
		who := s.person(ctx, cli, j, types.EmptyJID)
		t.Contacts = append(t.Contacts, crm.InboundUser{ID: content.ID(who.id()), Name: name, Phone: phoneOf(who.PN)})
	}
	for _, l := range past.GetPhoneNumberToLidMappings() {
		pn, err1 := types.ParseJID(l.GetPnJID())
		lid, err2 := types.ParseJID(l.GetLidJID())
		if p := pairOf(pn, lid); err1 == nil && err2 == nil && phoneOf(p.PN) != nil && !p.LID.IsEmpty() {
			t.Aliases = append(t.Aliases, crm.InboundAlias{Phone: content.ID(p.PN.User), LID: content.ID(chatID(p.LID))})
		}
	}
	for _, k := range past.GetInlineContacts() {
		s.inlineContact(ctx, cli, &t, k)
	}
	for people := range slices.Chunk(t.Contacts, historyBatch) {
		if !s.tryIngest(ctx, crm.InboundBatch{History: true, Part: part, Contacts: people}) {
			return false
		}
	}
	for ids := range slices.Chunk(t.Aliases, historyBatch) {
		if !s.tryIngest(ctx, crm.InboundBatch{History: true, Part: part, Aliases: ids}) {
			return false
		}
	}
	s.past.load(id, past.GetConversations())
	defer s.past.unload()
	for c := s.past.next(); c != nil; c = s.past.next() {
		if !s.conversation(ctx, cli, c, names, part) {
			return false
		}
		s.past.done(c)
	}
	notify(s.fetch)
	return true
}

// partOf returns what the phone says of a part of the history. The first one has the newest messages.
func partOf(h *waHistorySync.HistorySync) (part crm.HistoryPart) {
	part.Latest = h.GetSyncType() == waHistorySync.HistorySync_INITIAL_BOOTSTRAP && h.GetChunkOrder() <= 1
	if h.Progress != nil {
		n := int64(h.GetProgress())
		part.Progress = &n
	}
	return part
}

// inlineContact adds a person whom the phone's address book has to t.
func (s *session) inlineContact(ctx context.Context, cli *whatsmeow.Client, t *crm.InboundBatch, k *waHistorySync.InlineContact) {
	pn, _ := types.ParseJID(k.GetPnJID())
	lid, _ := types.ParseJID(k.GetLidJID())
	p := pairOf(pn, lid)
	if phoneOf(p.PN) == nil {
		p.PN = types.EmptyJID
	}
	if !isLID(p.LID) {
		p.LID = types.EmptyJID
	}
	if p.id() == "" {
		return
	}
	first, full := content.Name(k.GetFirstName()), content.Name(k.GetFullName())
	for _, j := range []types.JID{p.PN, p.LID} {
		if name := content.FirstNonBlank(full, first); name != "" && !j.IsEmpty() {
			if err := cli.Store.Contacts.PutContactName(ctx, j, first, full); err != nil {
				s.log.Warn("the name of a contact could not be stored", "error", err)
			}
		}
	}
	t.Contacts = append(t.Contacts, crm.InboundUser{
		ID: content.ID(p.id()), Name: content.FirstNonBlank(full, first), Username: content.Username(k.GetUsername()), Phone: phoneOf(p.PN),
	})
	if s.keepPair(ctx, cli, p) {
		t.Aliases = append(t.Aliases, crm.InboundAlias{Phone: content.ID(p.PN.User), LID: content.ID(chatID(p.LID))})
	}
}

// keepPair stores the two ids of a person where person finds them, and reports whether
// both are known. whatsmeow does so itself with ids from elsewhere in the history.
func (s *session) keepPair(ctx context.Context, cli *whatsmeow.Client, p pair) bool {
	if phoneOf(p.PN) == nil || !isLID(p.LID) {
		return false
	}
	if err := cli.Store.LIDs.PutLIDMapping(ctx, p.LID, p.PN); err != nil {
		s.log.Warn("the two ids of a person could not be stored", "error", err)
	}
	return true
}

// conversation imports one chat.
func (s *session) conversation(ctx context.Context, cli *whatsmeow.Client, c *waHistorySync.Conversation, names map[string]string, part crm.HistoryPart) (kept bool) {
	j, err := types.ParseJID(c.GetID())
	if err != nil {
		return true
	}
	chat, ok := s.place(ctx, cli, j)
	if !ok {
		return true
	}
	if j.Server != types.GroupServer {
		who := s.withOther(ctx, cli, c, j)
		chat = who.chat()
		chat.KnownAs = s.savedName(ctx, cli, who)
		chat.Username = content.Username(c.GetUsername())
	}
	if name := content.Name(c.GetDisplayName(), c.GetName()); name != "" {
		chat.Name = &name
	}
	if c.EphemeralExpiration != nil {
		chat.Disappearing = disappearing(c.GetEphemeralExpiration(), c.GetEphemeralSettingTimestamp(), time.Unix(1, 0), c.GetDisappearingMode(), true)
	}
	t := crm.InboundBatch{History: true, Part: part, Chats: []crm.InboundChat{chat}}
	for i := len(c.GetMessages()) - 1; i >= 0; i-- { // WhatsApp sends the newest first
		s.historical(ctx, cli, &t, j, c.GetMessages()[i].GetMessage(), names)
		if len(t.Messages) >= historyBatch {
			if !s.tryIngest(ctx, t) {
				return false
			}
			t = crm.InboundBatch{History: true, Part: part}
		}
	}
	if len(t.Messages) == 0 && chat.Name == nil && chat.Username == nil && chat.Disappearing == nil {
		return true
	}
	return s.tryIngest(ctx, t)
}

// withOther returns the two ids of the person of a conversation. The conversation itself
// may tell the one that its address is not; whatsmeow does not store it.
func (s *session) withOther(ctx context.Context, cli *whatsmeow.Client, c *waHistorySync.Conversation, j types.JID) pair {
	other := c.GetLidJID()
	if j.Server == types.HiddenUserServer {
		other = c.GetPnJID()
	}
	alt, _ := types.ParseJID(other)
	p := s.person(ctx, cli, j, alt)
	s.keepPair(ctx, cli, p)
	return p
}

// historical adds one message of the history to t, with its delivery status.
func (s *session) historical(ctx context.Context, cli *whatsmeow.Client, t *crm.InboundBatch, chat types.JID, w *waWeb.WebMessageInfo, names map[string]string) {
	if w.GetMessage() == nil || !fitsID(w.GetKey().GetID()) {
		return
	}
	e, err := cli.ParseWebMessage(chat, w)
	if err != nil || !s.ours(&e.Info) {
		return
	}
	what := content.Translate(e.Message)
	if what == nil || what.Content.Vote != nil { // the keys of votes in the history are not stored
		return
	}
	if e.Info.PushName == "" {
		e.Info.PushName = names[e.Info.Sender.ToNonAD().String()]
	}
	in := s.envelope(ctx, cli, &e.Info, what)
	s.attachLater(&in, what.Media)
	t.Messages = append(t.Messages, in)
	if status := historicalStatus(w.GetStatus()); e.Info.IsFromMe && status != "" {
		t.Statuses = append(t.Statuses, crm.InboundStatus{ID: in.ID, Chat: in.Chat, Type: status, Time: in.Time, Played: w.GetStatus() == waWeb.WebMessageInfo_PLAYED})
	}
}

func historicalStatus(st waWeb.WebMessageInfo_Status) string {
	switch st {
	case waWeb.WebMessageInfo_SERVER_ACK:
		return "sent"
	case waWeb.WebMessageInfo_DELIVERY_ACK:
		return "delivered"
	case waWeb.WebMessageInfo_READ, waWeb.WebMessageInfo_PLAYED:
		return "viewed"
	}
	return ""
}
