package whatsapp

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// receipt ingests how far messages of ours got, or that the account itself read a chat
// on another device. The sender of the receipt decides which of the two it is: WhatsApp
// sends read-self for our own reading only when receipts are switched off.
func (s *session) receipt(ctx context.Context, cli *whatsmeow.Client, e *events.Receipt) (kept bool) {
	status := ""
	switch e.Type {
	case types.ReceiptTypeDelivered:
		if e.IsFromMe {
			return true // our own phone has it
		}
		status = "delivered"
	case types.ReceiptTypeRead, types.ReceiptTypePlayed:
		if e.IsFromMe {
			return s.readSelf(ctx, cli, e)
		}
		status = "viewed"
	case types.ReceiptTypeReadSelf, types.ReceiptTypePlayedSelf:
		return s.readSelf(ctx, cli, e)
	default: // between devices: sender, retry, inactive, peer_msg, hist_sync, server-error
		return true
	}
	s.inFlight.wait(ctx, e.MessageIDs)
	when := sensible(e.Timestamp)
	var t crm.InboundBatch
	where := s.teller(ctx, cli, e)
	s.awaitPast(ctx, where.ID.String(), e.MessageIDs...)
	for _, id := range e.MessageIDs {
		if fitsID(id) { // found by message id: the chat's id may be unknown to us
			t.Statuses = append(t.Statuses, crm.InboundStatus{ID: content.ID(id), Chat: where, Type: status, Time: &when, Played: e.Type == types.ReceiptTypePlayed})
		}
	}
	return len(t.Statuses) == 0 || s.ingest(ctx, t)
}

// readSelf ingests that the account read a chat on another device. A message that was
// only played does not mean that the chat was read.
func (s *session) readSelf(ctx context.Context, cli *whatsmeow.Client, e *events.Receipt) (kept bool) {
	if e.Type == types.ReceiptTypePlayed || e.Type == types.ReceiptTypePlayedSelf || len(e.MessageIDs) == 0 {
		return true
	}
	chat, ok := s.place(ctx, cli, e.Chat)
	if !ok {
		return true
	}
	when := sensible(e.Timestamp)
	read := crm.InboundRead{Chat: chat, Time: &when}
	if last := e.MessageIDs[len(e.MessageIDs)-1]; fitsID(last) {
		id := content.ID(last)
		read.UpTo = &id
		s.awaitPast(ctx, chat.ID.String(), last)
	}
	return s.ingest(ctx, crm.InboundBatch{Reads: []crm.InboundRead{read}})
}

// place returns the chat with an address. It returns false for an address that is not
// a chat of people.
func (s *session) place(ctx context.Context, cli *whatsmeow.Client, j types.JID) (crm.InboundChat, bool) {
	if chatID(j) == "" || j.User == "" {
		return crm.InboundChat{}, false
	}
	if j.Server == types.GroupServer {
		return crm.InboundChat{ID: content.ID(chatID(j)), Type: "group"}, true
	}
	return s.person(ctx, cli, j, types.EmptyJID).chat(), true
}

// teller returns the chat of a receipt, or an empty one when the address is of a kind
// that no messages are sent to.
func (s *session) teller(ctx context.Context, cli *whatsmeow.Client, e *events.Receipt) crm.InboundChat {
	switch {
	case chatID(e.Chat) == "" || chatID(e.Sender) == "":
		return crm.InboundChat{}
	case e.Chat.Server == types.GroupServer:
		return crm.InboundChat{ID: content.ID(chatID(e.Chat)), Type: "group"}
	case e.Chat.Server == types.DefaultUserServer, e.Chat.Server == types.HiddenUserServer:
		return s.person(ctx, cli, e.Sender, e.SenderAlt).chat()
	}
	return crm.InboundChat{}
}

// holds reports whether what was written later in a chat waits for the item. A read mark
// may come after it.
func holds(item crm.OutboxItem) bool { return item.Kind != crm.OutRead }

// privacyQuestion is the question whether people may know that their messages were read.
type privacyQuestion struct {
	mu     sync.Mutex // held while WhatsApp is asked
	err    error      // guarded by mu: of the last try
	failed pause      // guarded by mu
}

// askPrivacy makes whatsmeow know the account's settings. It keeps them, but not that they
// were not told: while WhatsApp does not answer, no read mark may hold up the messages that
// follow, so all get the error of the first one for a while.
func (s *session) askPrivacy(ctx context.Context, cli *whatsmeow.Client) error {
	q := &s.privacy
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.failed.left() > 0 {
		return q.err
	}
	asked, cancel := context.WithTimeout(ctx, s.m.times.ask)
	defer cancel()
	_, q.err = cli.TryFetchPrivacySettings(asked, false)
	if q.err == nil || cli.IsLoggedIn() { // else the next connection may ask at once
		q.failed.add(q.err, s.m.times.privacy, s.m.times.privacy)
	}
	return q.err
}

// readAtOnce tells the sender of a message that it was read, if the line is set to do so. A
// receipt may be lost. The CRM goes on to count the message as unread: no employee has read it.
func (s *session) readAtOnce(cli *whatsmeow.Client, info types.MessageInfo) {
	a := s.account.Load()
	post := isStatus(&info)
	if a == nil || info.IsFromMe || post && !a.ReadStatus || !post && !a.ReadMessages {
		return
	}
	s.readNow.add(&s.helpers, &info, func(from readFrom, ids []types.MessageID) {
		ctx := cli.BackgroundEventCtx
		err := s.askPrivacy(ctx, cli)
		if err == nil {
			err = cli.MarkRead(ctx, ids, time.Now(), from.chat, from.sender)
		}
		if err != nil {
			s.log.Debug("messages were not marked as read", "messages", len(ids), "error", err)
		}
	})
}

// readNow are messages whose senders have yet to be told that they were read. One goroutine tells
// them, however many come.
type readNow struct {
	mu      sync.Mutex
	waiting map[readFrom][]types.MessageID // guarded by mu
}

// readFrom is where messages come from that one receipt is about.
type readFrom struct{ chat, sender types.JID }

// readMost is how many messages one receipt is about.
const readMost = 100

// add notes a message, and lets tell be called about all that wait.
func (r *readNow) add(helpers *handlerGoroutines, info *types.MessageInfo, tell func(readFrom, []types.MessageID)) {
	from := readFrom{info.Chat, info.Sender}
	r.mu.Lock()
	if r.waiting == nil {
		r.waiting = map[readFrom][]types.MessageID{}
	}
	r.waiting[from] = append(r.waiting[from], info.ID)
	r.mu.Unlock()
	helpers.Coalesce("read receipts", func() {
		r.mu.Lock()
		all := r.waiting
		r.waiting = nil
		r.mu.Unlock()
		for from, ids := range all {
			for part := range slices.Chunk(ids, readMost) {
				tell(from, part)
			}
		}
	})
}

// markRead tells the senders that their messages were read. Whether they may know is a
// setting of the account: without it whatsmeow would tell them.
func (s *session) markRead(ctx context.Context, cli *whatsmeow.Client, chat types.JID, item *crm.OutboxItem) error {
	if err := s.askPrivacy(ctx, cli); err != nil {
		return err
	}
	bySender := map[types.JID][]types.MessageID{}
	var order []types.JID
	o := s.outgoingTo(ctx, cli, chat)
	for _, ref := range item.Reads {
		sender := chat
		if item.Group {
			j, err := jidOf(ref.AuthorID)
			if err != nil {
				continue
			}
			sender = o.name(j)
		}
		if bySender[sender] == nil {
			order = append(order, sender)
		}
		bySender[sender] = append(bySender[sender], ref.ID)
	}
	for _, sender := range order {
		if err := cli.MarkRead(ctx, bySender[sender], item.CreatedAt, chat, sender); err != nil {
			return err
		}
	}
	return nil
}
