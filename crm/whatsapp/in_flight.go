package whatsapp

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

// inFlight is the messages that are being sent. Who hears how far one got waits
// until it is known as sent: people want to see the steps in their order.
type inFlight struct {
	mu  sync.Mutex
	ids map[string]chan struct{} // guarded by mu; closed when it has done
}

func (f *inFlight) start(id string) (done func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ids == nil {
		f.ids = map[string]chan struct{}{}
	}
	ch := make(chan struct{})
	f.ids[id] = ch
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.ids, id)
		close(ch)
	}
}

// wait waits for the messages that still fly; not for ever, because the receipt
// proves more than the answer that is missing.
func (f *inFlight) wait(ctx context.Context, ids []string) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for _, id := range ids {
		f.mu.Lock()
		ch := f.ids[id]
		f.mu.Unlock()
		if ch == nil {
			continue
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return
		}
	}
}

// protobuf makes what goes over the wire, and its id. The id of a message is the
// one that it has in our table, so that a second try is the same message; edits
// and deletions have their own.
func (s *session) protobuf(ctx context.Context, cli *whatsmeow.Client, to types.JID, item *crm.OutboxItem) (*waE2E.Message, types.MessageID, error) {
	o := outgoing{chat: to, self: ownID(cli, to), item: item.Message, quoted: item.Quoted, target: item.Reaction, now: time.Now().UnixMilli()}
	switch item.Kind {
	case crm.OutEdit:
		return o.edit(), cli.GenerateMessageID(), nil
	case crm.OutDelete:
		return o.revoke(), cli.GenerateMessageID(), nil
	}
	m, err := s.complete(ctx, cli, o)
	return m, item.Message.ID, err
}

// complete builds a message with what it needs of others: the upload, the
// secret.
func (s *session) complete(ctx context.Context, cli *whatsmeow.Client, o outgoing) (*waE2E.Message, error) {
	ref := *o.item
	o.item = &ref
	if ref.FileID != "" {
		file, err := s.upload(ctx, cli, &ref)
		if err != nil {
			return nil, err
		}
		o.file = file
	}
	if ref.Content.Poll != nil {
		o.secret = s.pollSecret(ctx, cli, o.chat, ref.ID)
	}
	return o.build()
}

// pollSecret is the one that the poll was first sent with, when it was sent
// before: votes are encrypted with it.
func (s *session) pollSecret(ctx context.Context, cli *whatsmeow.Client, chat types.JID, id string) []byte {
	known, _, err := cli.Store.MsgSecrets.GetMessageSecret(ctx, chat, ownID(cli, chat), id)
	if err == nil && len(known) == 32 {
		return known
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return secret
}

// ownID is the account as the chat knows it.
func ownID(cli *whatsmeow.Client, chat types.JID) types.JID {
	if chat.Server == types.HiddenUserServer {
		return cli.Store.GetLID().ToNonAD()
	}
	return cli.Store.GetJID().ToNonAD()
}

// forRetry makes a message of ours again for a device that could not open it.
// whatsmeow remembers the last few itself; ours survive a restart.
func (s *session) forRetry(ctx context.Context, to types.JID, id types.MessageID) *waE2E.Message {
	cli := s.client()
	if cli == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ref, err := s.m.rules.SentMessage(ctx, s.on, chatID(to.ToNonAD()), id)
	if err != nil || !ref.FromMe {
		s.log.Info("a message that a device asks for again is not known", "message", id, "error", err)
		return nil
	}
	m, err := s.complete(ctx, cli, outgoing{chat: to.ToNonAD(), self: ownID(cli, to), item: ref, now: time.Now().UnixMilli()})
	if err != nil {
		s.log.Warn("a message that a device asks for again could not be made", "message", id, "error", err)
		return nil
	}
	return m
}

// uploads is the chats that a file is being sent to.
type uploads struct {
	mu    sync.Mutex
	chats map[string]bool // guarded by mu
}

// maxUploads is how many files a line sends at once.
const maxUploads = 3

// begin says whether there is room for another.
func (u *uploads) begin(chat string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.chats == nil {
		u.chats = map[string]bool{}
	}
	if len(u.chats) >= maxUploads || u.chats[chat] {
		return false
	}
	u.chats[chat] = true
	return true
}

func (u *uploads) end(chat string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.chats, chat)
}

func (u *uploads) busy(chat string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.chats[chat]
}
