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
	gate, typed := &firstGate{s: s}, typings{}
	for {
		next := time.Second // after a panic
		unlessPanics(s.log, "reading the outbox", func() { next = s.sendAll(ctx, gate, typed) })
		again.Reset(min(sendCheck, max(next, minWait)))
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
func (s *session) sendAll(ctx context.Context, gate *firstGate, typed typings) (next time.Duration) {
	next = sendCheck
	held := map[string]bool{} // chats that have to wait
	seen := map[int64]bool{}
	gate.read()
	at := time.Now()
	for after := int64(0); ctx.Err() == nil; {
		cli := s.client()
		if cli == nil || !cli.IsLoggedIn() {
			return sendCheck // send wakes when the line is online
		}
		items, err := gate.page(ctx, at, after)
		if err != nil {
			s.log.Warn("the outbox could not be read", "error", err)
			return time.Second
		}
		for _, item := range answersFirst(items) {
			after, seen[item.ID] = max(after, item.ID), true
			if held[item.ChatID] || s.uploads.busy(item.ChatID) {
				held[item.ChatID] = true
				continue
			}
			was := item.ChatID
			if wait := s.sendItem(ctx, cli, &item, gate, typed); wait > 0 {
				held[was], held[item.ChatID], next = held[was] || holds(item), held[item.ChatID] || holds(item), min(next, wait)
			}
		}
		if len(items) < sendPage {
			typed.keep(seen)
			return min(next, gate.rest(), s.untilNext(ctx, at))
		}
	}
	return next
}

// untilNext returns how long it is until the next item of the outbox that waited at a time.
func (s *session) untilNext(ctx context.Context, at time.Time) time.Duration {
	next, err := s.m.rules.OutboxNext(ctx, s.on, at)
	switch {
	case err != nil:
		s.log.Warn("the outbox could not be read", "error", err)
		return time.Second
	case next.IsZero():
		return sendCheck
	}
	return time.Until(next)
}

// sendItem sends an item when its turn has come. It returns how long the item's chat has to
// wait, or 0. item gets the id that its chat has then.
//
// A message with a file is sent in a goroutine of its own: an upload may take minutes, and
// delays only its own chat. Its attempt begins before, so that the next first message finds
// it counted.
func (s *session) sendItem(ctx context.Context, cli *whatsmeow.Client, item *crm.OutboxItem, gate *firstGate, typed typings) (later time.Duration) {
	file := item.Kind == crm.OutMessage && item.Message != nil && item.Message.FileID != ""
	if file && !s.uploads.begin(item.ChatID) {
		return sendCheck // too many are running; the outbox is read again when one ends
	}
	chat, goesOn := item.ChatID, false
	if file {
		defer func() {
			if !goesOn {
				s.uploads.end(chat)
			}
		}()
	}
	if later = s.notYet(ctx, cli, *item, gate, typed); later > 0 {
		return later
	}
	begun, done, later := s.begin(ctx, *item)
	if begun == nil {
		return later
	}
	if first(*item) {
		gate.pass()
	}
	if file {
		goesOn = true
		s.helpers.Go(func() { s.sendFile(ctx, cli, begun, chat, done) })
		return sendCheck
	}
	later = s.sendOne(ctx, cli, begun, done)
	item.ChatID = begun.ChatID
	return later
}

// sendFile sends a message with a file that was begun, and wakes the sender when the chat
// may go on.
func (s *session) sendFile(ctx context.Context, cli *whatsmeow.Client, begun *crm.OutboxItem, chat string, done func()) {
	later := sendCheck // after a panic
	unlessPanics(s.log, "sending a file", func() { later = s.sendOne(ctx, cli, begun, done) })
	s.uploads.end(chat)
	if later == 0 || wait(ctx, min(later, sendCheck)) == nil {
		notify(s.outbox)
	}
}

// begin begins an attempt at an item. Without one begun is nil, and later is how long the
// item's chat has to wait. done must be called when the attempt is over.
func (s *session) begin(ctx context.Context, item crm.OutboxItem) (begun *crm.OutboxItem, done func(), later time.Duration) {
	done = func() {}
	if !s.mayUse() {
		return nil, nil, time.Second
	}
	if item.Message != nil && item.Kind == crm.OutMessage {
		done = s.inFlight.start(item.Message.ID)
	}
	begun, err := s.m.rules.OutboxStart(ctx, s.on, item.ID)
	switch {
	case err != nil:
		s.log.Warn("an item of the outbox could not be started", "error", err)
		later = time.Second
	case begun == nil && first(item): // the next message of the chat is the first one now, and has to be read again
		later = minWait
	case begun != nil:
		s.uploads.rename(item.ChatID, begun.ChatID) // joined with another chat since the outbox was read
		return begun, done, 0
	}
	done()
	return nil, nil, later
}

// sendOne sends an item that was begun. It returns how long the item's chat has to wait, or
// 0. begun gets the id that its chat has then.
func (s *session) sendOne(ctx context.Context, cli *whatsmeow.Client, begun *crm.OutboxItem, done func()) (later time.Duration) {
	defer done()
	if wait(ctx, jitter(s.paceNow().delay)) != nil {
		return time.Second
	}
	when, err := s.attempt(ctx, cli, begun)
	if !when.IsZero() {
		when = time.Unix(sensible(when), 0)
	}
	if ctx.Err() != nil {
		return time.Second // the outcome is not known: the item is sent again under the same id
	}
	if err == nil {
		return s.finish(ctx, *begun, crm.Outcome{Status: crm.OutSent, Time: when})
	}
	if refusedReach(err) { // the lock may have been announced meanwhile, or cover a second message
		if later := s.parkRefused(ctx, *begun); later > 0 {
			return later
		}
	}
	outcome := outcomeOf(err, begun.Attempts, time.Now())
	s.log.Info("not sent", "kind", begun.Kind, "outcome", outcome.Status, "code", outcome.Error.Code, "attempt", begun.Attempts, "error", err)
	if later = s.finish(ctx, *begun, outcome); first(*begun) {
		later = max(later, minWait) // as in begin
	}
	return later
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
		return max(time.Until(o.NotBefore), minWait)
	}
	return later
}

// deliver sends one item to WhatsApp and returns WhatsApp's time of sending, which is
// zero for read receipts.
func (s *session) deliver(ctx context.Context, cli *whatsmeow.Client, item *crm.OutboxItem) (when time.Time, err error) {
	to, direct, err := s.recipient(ctx, cli, item)
	if err != nil {
		return when, err
	}
	if item.Kind == crm.OutRead {
		return time.Time{}, s.markRead(ctx, cli, direct, item)
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
	token := tokenOf(ctx, cli, to) // asked before: a token may come on account of this very message
	when, err = s.transmit(ctx, cli, direct, m, whatsmeow.SendRequestExtra{ID: id})
	if !refusedReach(err) {
		return when, err
	}
	if until, failed := s.lockedUntil(ctx); !item.Answers && (failed != nil || !until.IsZero()) || !s.acquaint(ctx, cli, to, token) {
		s.rotten.Delete(string(token)) // nothing else shows that it is
		return when, err
	}
	if when, err = s.transmit(ctx, cli, direct, m, whatsmeow.SendRequestExtra{ID: id}); refusedReach(err) {
		s.rotten.Delete(string(token)) // it was not the token
	}
	return when, err
}

// lastAnswer is how long after a socket was closed an answer may still be delivered.
const lastAnswer = time.Second

// transmit sends a message, and ends the connection when there is no answer. whatsmeow's
// own timeout is not used: an answer that arrives at that moment would be sent on a
// closed channel and crash the program. Instead, whatsmeow stops waiting when the
// connection ends. Nothing wakes a call that begins to wait just as the connection ends,
// so its context is cancelled once no answer can arrive any more.
func (s *session) transmit(ctx context.Context, cli *whatsmeow.Client, to types.JID, m *waE2E.Message, how whatsmeow.SendRequestExtra) (time.Time, error) {
	s.mu.Lock()
	life, ours := s.life, s.cli == cli
	s.mu.Unlock()
	if !ours || !s.mayUse() || !life.begin() { // the next connection begins after this attempt
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
	ctx, end := withEncryption(ctx, how.Peer)
	defer end()
	defer func() {
		if p := recover(); p != nil { // what whatsmeow did last is not known: its client is not used again
			timer.Stop()
			s.end(ending{kind: endLost, detail: detailFault})
			panic(p)
		}
	}()
	resp, err := cli.SendMessage(ctx, to, m, whatsmeow.SendRequestExtra{ID: how.ID, Peer: how.Peer, Timeout: -1})
	if !timer.Stop() && err != nil {
		<-silent
		err = whatsmeow.ErrMessageTimedOut
	}
	if err != nil && ctx.Err() != nil {
		err = whatsmeow.ErrMessageTimedOut // the connection is gone
	}
	return resp.Timestamp, err
}
