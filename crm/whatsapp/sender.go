package whatsapp

import (
	"context"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

const (
	sendPage  = 100              // items read at once
	sendCheck = 15 * time.Second // how often the outbox is read without a notification
)

// send sends the items of the line's outbox to WhatsApp, in order within each chat, until
// ctx ends. An item that cannot be sent now delays only its own chat.
func (s *session) send(ctx context.Context) {
	again := time.NewTimer(sendCheck)
	defer again.Stop()
	typed := typings{}
	for {
		next := time.Second // after a panic
		unlessPanics(s.log, "reading the outbox", func() { next = s.sendAll(ctx, typed) })
		again.Reset(min(sendCheck, max(next, 50*time.Millisecond)))
		select {
		case <-ctx.Done():
			return
		case <-s.outbox:
		case <-s.online:
		case <-again.C:
		}
	}
}

// sendAll sends the items that may be sent now, and returns how long to wait before the
// next call.
func (s *session) sendAll(ctx context.Context, typed typings) (next time.Duration) {
	next = sendCheck
	held := map[string]bool{} // chats that have to wait
	seen, paced := map[int64]bool{}, pacer{s: s}
	for after := int64(0); ctx.Err() == nil; {
		cli := s.client()
		if cli == nil || !cli.IsLoggedIn() {
			return sendCheck // send wakes when the line is online
		}
		items, err := s.m.rules.Outbox(ctx, s.on, after, sendPage)
		if err != nil {
			s.log.Warn("the outbox could not be read", "error", err)
			return time.Second
		}
		for _, item := range items {
			after, seen[item.ID] = item.ID, true
			if held[item.ChatID] || s.uploads.busy(item.ChatID) {
				held[item.ChatID] = true
				continue
			}
			if until := time.Until(item.NotBefore); !item.NotBefore.IsZero() && until > 0 {
				held[item.ChatID], next = holds(item), min(next, until)
				if item.FirstContact && !item.Group {
					paced.waits(item.NotBefore)
				}
				continue
			}
			if wait := s.notYet(ctx, cli, item, &paced, typed); wait > 0 {
				held[item.ChatID], next = true, min(next, wait)
				continue
			}
			if item.Kind == crm.OutMessage && item.Message != nil && item.Message.FileID != "" {
				held[item.ChatID] = true
				s.sendFile(ctx, cli, item)
				continue
			}
			was := item.ChatID
			if wait := s.sendOne(ctx, cli, &item); wait > 0 {
				held[was], held[item.ChatID], next = held[was] || holds(item), held[item.ChatID] || holds(item), min(next, wait)
			}
		}
		if len(items) < sendPage {
			typed.keep(seen)
			return next
		}
	}
	return next
}

// holds reports whether what was written later in a chat waits for the item. A read mark
// may come after it.
func holds(item crm.OutboxItem) bool { return item.Kind != crm.OutRead }

// sendFile sends a message with a file in a goroutine of its own: an upload may take
// minutes, and delays only its own chat. When too many uploads are running it does
// nothing; the outbox is read again when one ends.
func (s *session) sendFile(ctx context.Context, cli *whatsmeow.Client, item crm.OutboxItem) {
	if !s.uploads.begin(item.ChatID) {
		return
	}
	begun := item.ChatID
	s.helpers.Go(func() {
		later := sendCheck // after a panic
		unlessPanics(s.log, "sending a file", func() { later = s.sendOne(ctx, cli, &item) })
		s.uploads.end(begun)
		if later == 0 || wait(ctx, min(later, sendCheck)) == nil {
			notify(s.outbox)
		}
	})
}

// sendOne sends one item. It returns how long the item's chat has to wait, or 0. item gets
// the id that its chat has then.
func (s *session) sendOne(ctx context.Context, cli *whatsmeow.Client, item *crm.OutboxItem) (later time.Duration) {
	if item.Message != nil && item.Kind == crm.OutMessage {
		defer s.inFlight.start(item.Message.ID)()
	}
	begun, err := s.m.rules.OutboxStart(ctx, s.on, item.ID)
	if err != nil {
		s.log.Warn("an item of the outbox could not be started", "error", err)
		return time.Second
	}
	if begun == nil {
		return 0
	}
	s.uploads.rename(item.ChatID, begun.ChatID) // joined with another chat since the outbox was read
	if wait(ctx, jitter(s.paceNow().delay)) != nil {
		return time.Second
	}
	when, err := s.attempt(ctx, cli, begun)
	if !when.IsZero() {
		when = time.Unix(sensible(when), 0)
	}
	item.ChatID = begun.ChatID
	if ctx.Err() != nil {
		return time.Second // the outcome is not known: the item is sent again under the same id
	}
	if err == nil {
		return s.finish(ctx, *begun, crm.Outcome{Status: crm.OutSent, Time: when})
	}
	if refusedReach(err) { // the lock may have been announced meanwhile, or cover a second message
		if later := s.park(ctx, *begun); later > 0 {
			return later
		}
	}
	outcome := outcomeOf(err, begun.Attempts, time.Now())
	s.log.Info("not sent", "kind", begun.Kind, "outcome", outcome.Status, "code", outcome.Error.Code, "attempt", begun.Attempts, "error", err)
	return s.finish(ctx, *begun, outcome)
}

// finish saves the outcome of an item, in up to 5 tries. If none succeeds, the item stays
// in the outbox and is sent again under the same id.
func (s *session) finish(ctx context.Context, item crm.OutboxItem, o crm.Outcome) (later time.Duration) {
	for tries := 1; tries <= 5; tries++ {
		err := s.m.rules.OutboxDone(ctx, item, o)
		if err == nil {
			break
		}
		s.log.Warn("the outcome of an item of the outbox could not be saved", "error", err)
		if wait(ctx, time.Duration(tries)*200*time.Millisecond) != nil {
			return time.Second
		}
		later = time.Second
	}
	if o.Status == crm.OutRetry {
		return max(time.Until(o.NotBefore), 50*time.Millisecond)
	}
	return later
}

// deliver sends one item to WhatsApp and returns WhatsApp's time of sending, which is
// zero for read receipts.
func (s *session) deliver(ctx context.Context, cli *whatsmeow.Client, item *crm.OutboxItem) (when time.Time, err error) {
	to, err := s.recipient(ctx, cli, item)
	if err != nil {
		return when, err
	}
	if item.Kind == crm.OutRead {
		return time.Time{}, s.markRead(ctx, cli, to, item)
	}
	if item.Message == nil {
		return when, errNothing
	}
	if item.FirstContact && item.Kind == crm.OutMessage && to.Server == types.DefaultUserServer {
		s.findSalt(ctx, cli)
	}
	if f := item.Message.Content.File; item.Kind == crm.OutMessage && f != nil && f.State != "" {
		if err := s.fetchLinked(ctx, item); err != nil {
			return when, err
		}
	}
	m, id, err := s.protobuf(ctx, cli, to, item)
	if err != nil {
		return when, err
	}
	if !item.FirstContact { // a stranger has not written to us, so we do not ask for their presence
		if err := s.attend(ctx, cli, to); err != nil {
			s.log.Debug("presence was not sent", "error", err)
		}
	}
	known := hasToken(ctx, cli, to) // asked before: a token may come on account of this very message
	when, err = s.transmit(ctx, cli, to, m, id)
	if !refusedReach(err) || known {
		return when, err
	}
	if until, failed := s.lockedUntil(ctx); failed != nil || !until.IsZero() || !s.acquaint(ctx, cli, to) {
		return when, err
	}
	return s.transmit(ctx, cli, to, m, id)
}

// lastAnswer is how long after a socket was closed an answer may still be delivered.
const lastAnswer = time.Second

// transmit sends a message, and ends the connection when there is no answer. whatsmeow's
// own timeout is not used: an answer that arrives at that moment would be sent on a
// closed channel and crash the program. Instead, whatsmeow stops waiting when the
// connection ends. Nothing wakes a call that begins to wait just as the connection ends,
// so its context is cancelled once no answer can arrive any more.
func (s *session) transmit(ctx context.Context, cli *whatsmeow.Client, to types.JID, m *waE2E.Message, id types.MessageID) (time.Time, error) {
	s.mu.Lock()
	life, ours := s.life, s.cli == cli
	s.mu.Unlock()
	if !ours || !life.begin() { // the next connection begins after this attempt
		return time.Time{}, whatsmeow.ErrNotConnected
	}
	defer life.works.Done()
	silent := make(chan struct{})
	timer := time.AfterFunc(s.m.times.answer, func() {
		close(silent)
		s.end(ending{kind: endLost, detail: detailNoAnswer})
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(life.closed, func() { time.AfterFunc(lastAnswer, cancel) })()
	ctx, end := withEncryption(ctx)
	defer end()
	defer func() {
		if p := recover(); p != nil { // what whatsmeow did last is not known: its client is not used again
			timer.Stop()
			s.end(ending{kind: endLost, detail: detailFault})
			panic(p)
		}
	}()
	resp, err := cli.SendMessage(ctx, to, m, whatsmeow.SendRequestExtra{ID: id, Timeout: -1})
	if !timer.Stop() && err != nil {
		<-silent
		err = whatsmeow.ErrMessageTimedOut
	}
	if err != nil && ctx.Err() != nil {
		err = whatsmeow.ErrMessageTimedOut // the connection is gone
	}
	return resp.Timestamp, err
}

// markRead tells the senders that their messages were read. Whether they may know is a
// setting of the account: without it whatsmeow would tell them.
func (s *session) markRead(ctx context.Context, cli *whatsmeow.Client, chat types.JID, item *crm.OutboxItem) error {
	asked, cancel := context.WithTimeout(ctx, s.m.times.ask)
	defer cancel()
	if _, err := cli.TryFetchPrivacySettings(asked, false); err != nil {
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
