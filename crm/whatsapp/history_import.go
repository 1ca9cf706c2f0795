package whatsapp

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waHistorySync"
	"go.mau.fi/whatsmeow/types"
)

const (
	historyCheck  = 10 * time.Minute // without news, for parts that another process has stored
	historyTries  = 3
	historyGiveUp = 6 * time.Hour // after which a part that cannot be fetched is given up
	historyPause  = 10 * time.Minute
)

var errNotImported = errors.New("whatsapp: a part of the history could not be stored")

// past is what is still to be imported of a line's history.
type past struct {
	wake chan struct{} // there is something to import

	mu       sync.Mutex
	unknown  bool                                   // guarded by mu: there may be parts that are not imported
	came     int                                    // guarded by mu: parts since the start
	until    time.Time                              // guarded by mu: how long to wait for what may be in a part that was not fetched yet
	part     string                                 // guarded by mu: the id of the part that is imported now, or was last
	finished map[string]bool                        // guarded by mu: the chats of that part that were imported
	chats    []*waHistorySync.Conversation          // guarded by mu: its other chats, in order
	in       map[string]*waHistorySync.Conversation // guarded by mu: those by their addresses, and by their messages
	moved    chan struct{}                          // guarded by mu; closed and replaced when something was imported
}

func newPast() *past {
	return &past{wake: make(chan struct{}, 1), unknown: true, moved: make(chan struct{})}
}

// add notes that a part was stored. For d what happens to a message waits for the part that
// may have it.
func (p *past) add(d time.Duration) {
	p.mu.Lock()
	if !p.unknown || p.came == 0 {
		p.until = time.Now().Add(d)
	}
	p.unknown = true
	p.came++
	p.mu.Unlock()
	notify(p.wake)
}

// connected notes that parts can be fetched now.
func (p *past) connected(d time.Duration) {
	p.mu.Lock()
	if p.unknown {
		p.until = time.Now().Add(d)
	}
	p.mu.Unlock()
	notify(p.wake)
}

func (p *past) partsSoFar() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.came
}

// settle notes that the first came parts were imported, or cannot be for now.
func (p *past) settle(came int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.came == came {
		p.unknown = false
	}
	p.step()
}

// step wakes those who wait; needs mu.
func (p *past) step() {
	close(p.moved)
	p.moved = make(chan struct{})
}

// load begins with the chats of a part, but for those that were imported before it was
// interrupted.
func (p *past) load(part string, chats []*waHistorySync.Conversation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.part != part {
		p.part, p.finished = part, map[string]bool{}
	}
	p.chats, p.in = nil, map[string]*waHistorySync.Conversation{}
	for _, c := range chats {
		if p.finished[c.GetID()] {
			continue
		}
		p.chats = append(p.chats, c)
		for _, key := range keysOf(c) {
			p.in[key] = c
		}
	}
	p.step()
}

// unload forgets what was loaded.
func (p *past) unload() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chats, p.in = nil, nil
	p.step()
}

// keysOf returns the addresses of a chat and the ids of its messages.
func keysOf(c *waHistorySync.Conversation) []string {
	keys := []string{c.GetID(), c.GetLidJID(), c.GetPnJID()}
	for _, m := range c.GetMessages() {
		keys = append(keys, m.GetMessage().GetKey().GetID())
	}
	return slices.DeleteFunc(keys, func(key string) bool { return key == "" })
}

// next returns the chat to be imported next, or nil.
func (p *past) next() *waHistorySync.Conversation {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.chats) == 0 {
		return nil
	}
	return p.chats[0]
}

// done notes that a chat was imported.
func (p *past) done(c *waHistorySync.Conversation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finished[c.GetID()] = true
	p.chats = slices.DeleteFunc(p.chats, func(x *waHistorySync.Conversation) bool { return x == c })
	for _, key := range keysOf(c) {
		if p.in[key] == c {
			delete(p.in, key)
		}
	}
	p.step()
}

// await waits until the chat with an address or a message was imported, which is done next.
// It waits for parts that were not fetched yet until p.until at most.
func (p *past) await(ctx context.Context, keys ...string) {
	for seen := false; ; {
		p.mu.Lock()
		var c *waHistorySync.Conversation
		for _, key := range keys {
			c = cmp.Or(c, p.in[key])
		}
		left := time.Until(p.until)
		over, moved := !p.unknown || c == nil && (seen || left <= 0), p.moved
		if at := slices.Index(p.chats, c); at > 1 { // the first is being imported
			p.chats = slices.Insert(slices.Delete(p.chats, at, at+1), 1, c)
		}
		p.mu.Unlock()
		if over {
			return
		}
		limited, cancel := ctx, context.CancelFunc(func() {})
		if seen = c != nil; !seen {
			limited, cancel = context.WithTimeout(ctx, left)
		}
		select {
		case <-moved:
		case <-limited.Done():
		}
		cancel()
		if ctx.Err() != nil {
			return
		}
	}
}

// isOver reports whether everything was imported.
func (p *past) isOver() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.unknown
}

// awaitPast waits until messages that WhatsApp refers to are here, if the history may still
// bring them: what happens to a message must find it. It does not wait for ever.
func (s *session) awaitPast(ctx context.Context, chat string, ids ...string) {
	if s.past.isOver() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 3*s.m.times.past)
	defer cancel()
	for _, id := range ids {
		if chat != "" {
			if _, err := s.m.rules.SentMessage(ctx, s.on, chat, id); err == nil {
				continue
			}
		}
		s.past.await(ctx, id)
	}
}

// awaitChat waits in the same way until a chat is here.
func (s *session) awaitChat(ctx context.Context, cli *whatsmeow.Client, j types.JID) {
	if s.past.isOver() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 3*s.m.times.past)
	defer cancel()
	who := s.person(ctx, cli, j, types.EmptyJID)
	s.past.await(ctx, j.String(), who.PN.String(), who.LID.String())
}

// refersTo returns the id of the message that m does something to, or "".
func refersTo(m *waE2E.Message) string {
	for _, key := range []interface{ GetID() string }{
		m.GetProtocolMessage().GetKey(), m.GetReactionMessage().GetKey(), m.GetEncReactionMessage().GetTargetMessageKey(),
		m.GetPollUpdateMessage().GetPollCreationMessageKey(), m.GetSecretEncryptedMessage().GetTargetMessageKey(),
	} {
		if id := key.GetID(); id != "" {
			return id
		}
	}
	return ""
}

// importHistory imports the parts that were stored, until ctx ends.
func (s *session) importHistory(ctx context.Context) {
	var failed pause
	for {
		again := historyCheck
		if err := s.importParts(); err != nil {
			failed.add(err, time.Second, historyPause)
			again = failed.left()
		} else {
			failed = pause{}
		}
		timer := time.NewTimer(again)
		select {
		case <-ctx.Done():
		case <-s.past.wake:
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// importParts imports all parts that are stored, and returns the last error of one that has
// to be tried again. Nobody waits for such a part.
func (s *session) importParts() (last error) {
	s.mu.Lock()
	cli, life, device := s.cli, s.life, s.device
	s.mu.Unlock()
	if cli == nil || !cli.IsLoggedIn() || !life.begin() {
		return nil // connected wakes it
	}
	defer life.works.Done()
	ctx := life.ctx
	came := s.past.partsSoFar()
	ids, err := s.m.container.partIDs(ctx, device)
	if err != nil {
		s.log.Warn("the parts of the history could not be read", "error", err)
		return err
	}
	for _, id := range ids {
		err := errPanicked
		unlessPanics(s.log, "importing history", func() { err = s.importPart(ctx, cli, device, id) })
		if ctx.Err() != nil {
			return nil // it begins again with the next connection
		}
		if err == errPanicked && s.failures.more("panic "+id) >= historyTries {
			err = s.m.container.dropPart(ctx, device, id)
		}
		if err != nil {
			last = err
		}
	}
	s.past.settle(came)
	return last
}

// importPart fetches and imports one part, and tells the phone.
func (s *session) importPart(ctx context.Context, cli *whatsmeow.Client, device, id string) error {
	n, at, err := s.m.container.part(ctx, device, id)
	if unopened(err) {
		s.log.Warn("a part of the history cannot be opened, and is left out", "error", err)
		return s.m.container.dropPart(ctx, device, id)
	}
	if err != nil {
		return err
	}
	tries := s.failures.more(id)
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	part, err := s.downloadHistory(limited, cli, n)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && (tries < historyTries || time.Since(at) < historyGiveUp):
		s.log.Info("a part of the history could not be fetched yet", "try", tries, "error", err)
		return err
	case err != nil:
		s.log.Warn("a part of the history could not be fetched", "tries", tries, "error", err)
	case s.history(ctx, cli, id, part):
		err := cli.SendProtocolMessageReceipt(ctx, id, types.ReceiptTypeHistorySync)
		if err != nil && s.cutOff(ctx, cli) {
			return err // the next connection tells the phone
		}
		if err != nil {
			s.log.Info("the phone does not hear that a part of its history was imported", "error", err)
		}
	case tries < historyTries || time.Since(at) < historyGiveUp:
		return errNotImported
	default:
		s.log.Error("a part of the history is given up: it could not be stored", "tries", tries)
	}
	return s.m.container.dropPart(ctx, device, id)
}
