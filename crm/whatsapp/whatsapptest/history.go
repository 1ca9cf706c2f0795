package whatsapptest

import (
	"bytes"
	"compress/zlib"
	"slices"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waHistorySync"
	"go.mau.fi/whatsmeow/proto/waWeb"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// A phone sends its history to a newly linked client in chunks. Each chunk is a
// zlib stream, in the message itself or on the media host.

// Past is one message of the history.
type Past struct {
	ID     string
	FromMe bool
	Sender types.JID // in groups
	Name   string    // the sender's push name
	Time   time.Time
	What   *waE2E.Message
}

// PastChat is a chat of the history with its messages, oldest first.
type PastChat struct {
	Chat     types.JID
	Name     string
	Username string
	Other    types.JID // the other id of the person
	Unread   int
	Archived bool
	Messages []Past
}

// Conversation returns the chat in the form of a history chunk.
func (p PastChat) Conversation() *waHistorySync.Conversation {
	c := &waHistorySync.Conversation{
		ID: proto.String(p.Chat.String()), Name: orNil(p.Name), UnreadCount: proto.Uint32(uint32(p.Unread)),
		Archived: &p.Archived, EndOfHistoryTransfer: proto.Bool(true),
	}
	c.Username = orNil(p.Username)
	switch p.Other.Server {
	case types.HiddenUserServer:
		c.LidJID = proto.String(p.Other.String())
	case types.DefaultUserServer:
		c.PnJID = proto.String(p.Other.String())
	}
	for _, m := range slices.Backward(p.Messages) { // phones send the newest first
		info := &waWeb.WebMessageInfo{
			Key:     &waCommon.MessageKey{RemoteJID: c.ID, FromMe: &m.FromMe, ID: &m.ID},
			Message: m.What, MessageTimestamp: proto.Uint64(uint64(m.Time.Unix())), PushName: orNil(m.Name),
		}
		if !m.Sender.IsEmpty() {
			info.Participant = proto.String(m.Sender.String())
			info.Key.Participant = info.Participant
		}
		c.Messages = append(c.Messages, &waHistorySync.HistorySyncMsg{Message: info, MsgOrderID: proto.Uint64(uint64(len(c.Messages)))})
	}
	if n := len(p.Messages); n > 0 {
		c.ConversationTimestamp = proto.Uint64(uint64(p.Messages[n-1].Time.Unix()))
	}
	return c
}

// SetHistory sets the history for clients linked from now on: push names, chats,
// and which hidden id belongs to which number. With inline, the chunk is sent in
// the message, otherwise through the media host.
func (a *Account) SetHistory(inline bool, chats ...PastChat) {
	defer a.srv.lock()()
	names := &waHistorySync.HistorySync{SyncType: waHistorySync.HistorySync_PUSH_NAME.Enum()}
	bootstrap := &waHistorySync.HistorySync{
		SyncType: waHistorySync.HistorySync_INITIAL_BOOTSTRAP.Enum(), ChunkOrder: proto.Uint32(1), Progress: proto.Uint32(100),
	}
	for _, chat := range chats {
		bootstrap.Conversations = append(bootstrap.Conversations, chat.Conversation())
		p := a.srv.find(chat.Chat)
		if p == nil || p.private {
			continue
		}
		names.Pushnames = append(names.Pushnames, &waHistorySync.Pushname{ID: proto.String(p.number.String()), Pushname: &p.name})
		if !p.hidden.IsEmpty() {
			bootstrap.PhoneNumberToLidMappings = append(bootstrap.PhoneNumberToLidMappings, &waHistorySync.PhoneNumberToLIDMapping{
				PnJID: proto.String(p.number.String()), LidJID: proto.String(p.hidden.String()),
			})
		}
	}
	a.history = []*waE2E.ProtocolMessage{
		a.historyMessage(names, true), a.historyMessage(bootstrap, inline),
	}
}

// SendHistory sends one chunk to all linked clients.
func (a *Account) SendHistory(chunk *waHistorySync.HistorySync, inline bool) {
	defer a.srv.lock()()
	for _, d := range a.linked() {
		a.sendPeer(d, a.historyMessage(chunk, inline))
	}
}

func (a *Account) historyMessage(chunk *waHistorySync.HistorySync, inline bool) *waE2E.ProtocolMessage {
	raw, err := proto.Marshal(chunk)
	if err != nil {
		a.srv.note("a chunk of history: %v", err)
	}
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	w.Write(raw)
	w.Close()
	n := &waE2E.HistorySyncNotification{
		SyncType:   waE2E.HistorySyncType(chunk.GetSyncType()).Enum(),
		ChunkOrder: chunk.ChunkOrder, Progress: chunk.Progress,
	}
	if inline {
		n.InitialHistBootstrapInlinePayload = packed.Bytes()
	} else {
		f := a.srv.Upload(packed.Bytes(), whatsmeow.MediaHistory)
		n.FileSHA256, n.FileEncSHA256, n.MediaKey = f.SHA256, f.EncryptedSHA256, f.Key
		n.FileLength, n.DirectPath = &f.Length, &f.DirectPath
	}
	return &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_HISTORY_SYNC_NOTIFICATION.Enum(), HistorySyncNotification: n}
}

// onHistoryRequest answers a client that asks for the messages before a given one.
func (a *Account) onHistoryRequest(d *Device, r *waE2E.PeerDataOperationRequestMessage_HistorySyncOnDemandRequest) {
	c := &waHistorySync.Conversation{ID: r.ChatJID}
	chat, err := types.ParseJID(r.GetChatJID())
	if err != nil {
		a.srv.note("a request for the history of %q", r.GetChatJID())
		return
	}
	name := chat.String()
	if p := a.srv.find(chat); p != nil {
		name = p.number.String()
	}
	var before []*waWeb.WebMessageInfo
	for _, m := range a.archive {
		if m.info.GetKey().GetID() == r.GetOldestMsgID() {
			break
		}
		if m.info.GetKey().GetRemoteJID() == name {
			before = append(before, m.info)
		}
	}
	if extra := len(before) - int(r.GetOnDemandMsgCount()); extra > 0 {
		before = before[extra:]
	}
	for _, info := range slices.Backward(before) {
		c.Messages = append(c.Messages, &waHistorySync.HistorySyncMsg{Message: info})
	}
	a.sendPeer(d, a.historyMessage(&waHistorySync.HistorySync{
		SyncType: waHistorySync.HistorySync_ON_DEMAND.Enum(), Conversations: []*waHistorySync.Conversation{c},
	}, true))
}
