package whatsapp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

// inFlight holds the messages that are being sent. The receipt of such a message waits
// until its sending is recorded, so that its statuses appear in order.
type inFlight struct {
	mu  sync.Mutex
	ids map[string]chan struct{} // guarded by mu; closed when the message is done
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

// wait waits for those of the messages that are in flight, at most 2 seconds: the receipt
// proves more than the missing answer would.
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

// protobuf returns the protobuf of an item and its id, which is the same at each try, so
// that a second try sends nothing twice. A message has the id from our table.
func (s *session) protobuf(ctx context.Context, cli *whatsmeow.Client, to types.JID, item *crm.OutboxItem) (*waE2E.Message, types.MessageID, error) {
	o := s.outgoingTo(ctx, cli, to)
	o.item, o.quoted, o.target = item.Message, item.Quoted, item.Reaction
	switch item.Kind {
	case crm.OutEdit:
		ref := *item.Message
		o.item = &ref
		err := s.typeSent(ctx, o.item)
		return o.edit(), changeID(item), err
	case crm.OutDelete:
		return o.revoke(), changeID(item), nil
	}
	m, err := s.complete(ctx, cli, o)
	return m, item.Message.ID, err
}

// changeID returns the id under which an edit or a deletion is sent. It has the form of
// WhatsApp Web's ids. What it is made of belongs to this item alone: the number in our
// outbox may come again, in another database or, after a restore, in this one.
func changeID(item *crm.OutboxItem) types.MessageID {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %s %s", item.Kind, item.ID, item.CreatedAt.Unix(), item.ChatID, item.Message.ID))
	return whatsmeow.WebMessageIDPrefix + strings.ToUpper(hex.EncodeToString(sum[:9]))
}

// complete builds a message after it uploaded its file or got its poll's secret.
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
	for _, card := range cardsOf(&ref.Content) {
		if o.waids == nil {
			o.waids = map[string]string{}
		}
		for _, phone := range numbersOf(card) {
			o.waids[phone] = s.cardNumber(ctx, cli, phone)
		}
	}
	if ref.Content.Poll != nil {
		o.secret = s.pollSecret(ctx, cli, o, ref.ID)
	}
	return o.build()
}

// pollSecret returns the secret that votes of the poll are encrypted with: the existing
// one when the poll was sent before, else a new one.
func (s *session) pollSecret(ctx context.Context, cli *whatsmeow.Client, o outgoing, id string) []byte {
	known, _, err := cli.Store.MsgSecrets.GetMessageSecret(ctx, o.chat, o.self, id)
	if err == nil && len(known) == 32 {
		return known
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return secret
}

// ownID returns the account's id of the kind that the chat uses.
func ownID(cli *whatsmeow.Client, chat types.JID) types.JID {
	if chat.Server == types.HiddenUserServer {
		return cli.Store.GetLID().ToNonAD()
	}
	return cli.Store.GetJID().ToNonAD()
}

// forRetry rebuilds a message of ours for a device that could not decrypt it. whatsmeow
// keeps the last few in memory; ours survive a restart. It returns nil when the message
// is not known or cannot be built.
func (s *session) forRetry(ctx context.Context, to types.JID, id types.MessageID) *waE2E.Message {
	cli := s.client()
	if cli == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	chat := chatID(to.ToNonAD())
	ref, err := s.m.rules.SentMessage(ctx, s.on, chat, id)
	if err != nil && to.Server != types.GroupServer { // devices ask under the hidden id, which the chat may not have
		ref, err = s.m.rules.SentMessage(ctx, s.on, s.person(ctx, cli, to, types.EmptyJID).id(), id)
	}
	if err != nil || !ref.FromMe {
		s.log.Info("a message that a device asks for again is not known", "message", id, "error", err)
		return nil
	}
	o := s.outgoingTo(ctx, cli, to.ToNonAD())
	o.item = ref
	var m *waE2E.Message
	if !unlessPanics(s.log, "making a message again", func() { m, err = s.complete(ctx, cli, o) }) {
		return nil
	}
	if err != nil {
		s.log.Warn("a message that a device asks for again could not be made", "message", id, "error", err)
		return nil
	}
	return m
}

// uploads holds the chats that a file is being sent to.
type uploads struct {
	mu    sync.Mutex
	chats map[string]string // guarded by mu: what begin called the chat, by each of its ids
}

// maxUploads is the number of files that a line sends at once.
const maxUploads = 3

// begin starts an upload to the chat. It reports false when the chat has one already or
// maxUploads are running.
func (u *uploads) begin(chat string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.chats == nil {
		u.chats = map[string]string{}
	}
	if _, busy := u.chats[chat]; busy || len(u.chats) >= maxUploads {
		return false
	}
	u.chats[chat] = chat
	return true
}

// rename adds the id that a chat has now. It does nothing for a chat without an upload.
func (u *uploads) rename(chat, now string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	first, ours := u.chats[chat]
	if _, busy := u.chats[now]; ours && !busy {
		u.chats[now] = first
	}
}

// end ends the upload of a chat, under each of its ids.
func (u *uploads) end(chat string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	maps.DeleteFunc(u.chats, func(_, first string) bool { return first == chat })
}

func (u *uploads) busy(chat string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, busy := u.chats[chat]
	return busy
}
