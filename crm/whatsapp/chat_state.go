package whatsapp

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
)

var _ crm.ChatStateMessenger = (*Messenger)(nil)

// stateArgs is the one change that a crm.ChatStateChanges has here.
type stateArgs struct {
	At                       crm.ChatPlace
	Archived, Pinned, Unread *bool
	MutedUntil               *int64 // 0: not muted
}

var chatStateMethod = method[stateArgs, none]{"chat state", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a stateArgs) (none, error) {
	return none{}, m.ask(ctx, l, func(q asked) error {
		patch, err := q.statePatch(a)
		if err != nil {
			return err
		}
		for _, mutation := range patch.Mutations { // WhatsApp tells us of them again
			q.ownLabels.add(mutation.Index, patch.Timestamp)
		}
		return q.changeState(patch)
	})
}}

// SetChatState implements crm.ChatStateMessenger.
func (m *Messenger) SetChatState(ctx context.Context, l crm.Line, at crm.ChatPlace, ch crm.ChatStateChanges) error {
	a := stateArgs{At: at, Archived: valueOf(ch.Archived), Pinned: valueOf(ch.Pinned), Unread: valueOf(ch.Unread)}
	if ch.MutedUntil.Set {
		a.MutedUntil = &ch.MutedUntil.Value
	}
	_, err := chatStateMethod.call(ctx, m, l, a)
	return err
}

// statePatch returns what tells the phone of a change.
func (q asked) statePatch(a stateArgs) (patch appstate.PatchInfo, err error) {
	to, err := phoneChat(q.cli, a.At.ChatID, a.At.LID)
	if err != nil {
		return patch, err
	}
	at, key := q.lastMessage(to, a.At.Last)
	switch {
	case a.Archived != nil:
		patch = appstate.BuildArchive(to, *a.Archived, at, key)
	case a.Pinned != nil:
		patch = appstate.BuildPin(to, *a.Pinned)
	case a.Unread != nil:
		patch = appstate.BuildMarkChatAsRead(to, !*a.Unread, at, key)
	case a.MutedUntil != nil:
		end := *a.MutedUntil
		if end > 0 {
			end *= 1000
		}
		patch = appstate.BuildMuteAbs(to, end != 0, &end)
	}
	patch.Timestamp = time.Now()
	return patch, nil
}

// phoneChat returns the address by which the phone knows a chat: those with people by hidden
// id, once they were moved.
func phoneChat(cli *whatsmeow.Client, id, lid string) (types.JID, error) {
	if lid != "" && cli.Store.LIDMigrationTimestamp > 0 {
		id = lid
	}
	return jidOf(id)
}

// lastMessage returns the time and the key of the last message of a chat, up to which a
// change goes.
func (q asked) lastMessage(chat types.JID, last *crm.LastRef) (at time.Time, key *waCommon.MessageKey) {
	if last == nil {
		return time.Now(), nil
	}
	key = &waCommon.MessageKey{RemoteJID: proto.String(chat.String()), FromMe: &last.FromMe, ID: &last.ID}
	if chat.Server == types.GroupServer && !last.FromMe {
		if author, err := jidOf(last.AuthorID); err == nil {
			key.Participant = proto.String(q.outgoingTo(q.ctx, q.cli, chat).name(author).String())
		}
	}
	return time.Unix(last.Time, 0), key
}

// ownState reports whether a change of a chat is the last of ours.
func (s *session) ownState(index string, j types.JID, at time.Time) bool {
	return s.ownLabels.is(at, index, j.String())
}

// arranged ingests how the account's owner arranges a chat on the phone.
func (s *session) arranged(ctx context.Context, cli *whatsmeow.Client, j types.JID, whole bool, ch crm.ChatStateChanges) (kept bool) {
	chat, ok := s.place(ctx, cli, j)
	if !ok {
		return true
	}
	s.awaitChat(ctx, cli, j)
	return s.ingest(ctx, crm.InboundBatch{History: s.ofThePast(whole), States: []crm.InboundChatState{{Chat: chat, Changes: ch}}})
}

// chatGone ingests that the account's owner deleted a chat on the phone.
func (s *session) chatGone(ctx context.Context, cli *whatsmeow.Client, e *events.DeleteChat) (kept bool) {
	chat, ok := s.place(ctx, cli, e.JID)
	if !ok {
		return true
	}
	s.awaitChat(ctx, cli, e.JID)
	return s.ingest(ctx, crm.InboundBatch{History: s.ofThePast(e.FromFullSync), Gone: []crm.InboundChat{chat}})
}

func (s *session) pinned(ctx context.Context, cli *whatsmeow.Client, e *events.Pin) (kept bool) {
	if s.ownState(appstate.IndexPin, e.JID, e.Timestamp) {
		return true
	}
	return s.arranged(ctx, cli, e.JID, e.FromFullSync, crm.ChatStateChanges{Pinned: crm.Value(e.Action.GetPinned())})
}

func (s *session) muted(ctx context.Context, cli *whatsmeow.Client, e *events.Mute) (kept bool) {
	if s.ownState(appstate.IndexMute, e.JID, e.Timestamp) {
		return true
	}
	until := int64(0)
	if end := e.Action.GetMuteEndTimestamp(); e.Action.GetMuted() && end > 0 {
		until = end / 1000
	} else if e.Action.GetMuted() {
		until = crm.MutedForEver
	}
	return s.arranged(ctx, cli, e.JID, e.FromFullSync, crm.ChatStateChanges{MutedUntil: crm.Value(until)})
}
