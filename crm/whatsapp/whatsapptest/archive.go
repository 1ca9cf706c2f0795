package whatsapptest

import (
	"slices"

	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waWeb"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// archived is a message in the database of the account's phone, which the phone can
// send again to a client that missed it.
type archived struct {
	info *waWeb.WebMessageInfo
	lost bool // the phone no longer has the file
}

func (a *Account) archived(id string) *archived {
	for _, m := range a.archive {
		if m.info.GetKey().GetID() == id {
			return m
		}
	}
	return nil
}

// keep stores a message that another person wrote to the account.
func (a *Account) keep(chat types.JID, sender *person, m *sentMessage) {
	if m.message == nil || m.peer {
		return
	}
	key := &waCommon.MessageKey{RemoteJID: proto.String(chat.String()), FromMe: proto.Bool(sender == a.person), ID: &m.id}
	info := &waWeb.WebMessageInfo{
		Key: key, Message: m.message, MessageTimestamp: proto.Uint64(uint64(m.time.Unix())), PushName: &sender.name,
	}
	if m.group != nil {
		key.Participant = proto.String(m.group.as(sender).String())
		info.Participant = key.Participant
	}
	info.MessageSecret = m.message.GetMessageContextInfo().GetMessageSecret()
	a.archive = append(a.archive, &archived{info: info})
}

// keepOwn stores a message that a client of the account wrote.
func (a *Account) keepOwn(r *Received) {
	a.archive = append(a.archive, &archived{info: &waWeb.WebMessageInfo{
		Key:     &waCommon.MessageKey{RemoteJID: proto.String(r.Chat.String()), FromMe: proto.Bool(true), ID: &r.ID},
		Message: r.Message, MessageTimestamp: proto.Uint64(uint64(r.Time.Unix())),
	}})
}

// IgnoreRequests stops the phone from answering its clients' requests for messages
// that they could not read, as if the phone were off.
func (a *Account) IgnoreRequests(on bool) {
	defer a.srv.lock()()
	a.stingy = on
}

// onPeer handles a request from a client to the phone.
func (a *Account) onPeer(d *Device, pm *waE2E.ProtocolMessage, id string) {
	switch pm.GetType() {
	case waE2E.ProtocolMessage_APP_STATE_SYNC_KEY_REQUEST:
		a.sendPeer(d, a.appState.keyShare())
	case waE2E.ProtocolMessage_PEER_DATA_OPERATION_REQUEST_MESSAGE:
		a.onDataRequest(d, pm.GetPeerDataOperationRequestMessage(), id)
	default:
		a.srv.note("the phone was asked for %s", pm.GetType())
	}
}

func (a *Account) onDataRequest(d *Device, request *waE2E.PeerDataOperationRequestMessage, id string) {
	if request.GetPeerDataOperationRequestType() == waE2E.PeerDataOperationRequestType_COMPANION_SYNCD_SNAPSHOT_FATAL_RECOVERY {
		a.appState.requests++
	}
	if a.stingy {
		return
	}
	switch request.GetPeerDataOperationRequestType() {
	case waE2E.PeerDataOperationRequestType_PLACEHOLDER_MESSAGE_RESEND:
		a.resend(d, request, id)
	case waE2E.PeerDataOperationRequestType_HISTORY_SYNC_ON_DEMAND:
		a.onHistoryRequest(d, request.GetHistorySyncOnDemandRequest())
	case waE2E.PeerDataOperationRequestType_COMPANION_SYNCD_SNAPSHOT_FATAL_RECOVERY:
		a.onStateRequest(d, request, id)
	default:
		a.srv.note("the phone was asked for %s", request.GetPeerDataOperationRequestType())
	}
}

// resend sends the phone's copies of messages that the client could not read.
func (a *Account) resend(d *Device, request *waE2E.PeerDataOperationRequestMessage, id string) {
	answer := &waE2E.PeerDataOperationRequestResponseMessage{
		PeerDataOperationRequestType: request.PeerDataOperationRequestType, StanzaID: &id,
	}
	for _, wanted := range request.GetPlaceholderMessageResendRequest() {
		m := a.archived(wanted.GetMessageKey().GetID())
		if m == nil {
			continue
		}
		data, err := proto.Marshal(m.info)
		if err != nil {
			a.srv.note("%v", err)
			return
		}
		answer.PeerDataOperationResult = append(answer.PeerDataOperationResult,
			&waE2E.PeerDataOperationRequestResponseMessage_PeerDataOperationResult{
				PlaceholderMessageResendResponse: &waE2E.PeerDataOperationRequestResponseMessage_PeerDataOperationResult_PlaceholderMessageResendResponse{
					WebMessageInfoBytes: data,
				},
			})
	}
	if len(answer.PeerDataOperationResult) == 0 {
		return
	}
	a.sendPeer(d, &waE2E.ProtocolMessage{
		Type:                                    waE2E.ProtocolMessage_PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE.Enum(),
		PeerDataOperationRequestResponseMessage: answer,
	})
}

// Write sends a message from the phone itself, as the account's owner would. The
// other side receives it, and every linked client receives a copy. chat is a number
// or a hidden id.
func (a *Account) Write(chat types.JID, msg *waE2E.Message, opts ...SendOpts) string {
	defer a.srv.lock()()
	m := a.newMessage(msg, opts)
	m.recipient = chat
	plain := m.plain
	if plain == nil { // copies for clients of the same account name the destination
		copyOf := &waE2E.Message{
			DeviceSentMessage:  &waE2E.DeviceSentMessage{DestinationJID: proto.String(chat.String()), Message: msg},
			MessageContextInfo: msg.GetMessageContextInfo(),
		}
		m.message = copyOf
	}
	for _, d := range a.linked() {
		a.sendTo(d, m, 0)
	}
	name := chat
	if other := a.srv.find(chat); other != nil {
		name = other.number
		other.hear(a.person, m, msg)
	}
	a.keep(name, a.person, &sentMessage{id: m.id, time: m.time, message: msg})
	return m.id
}

// hear delivers a message from one simulated phone to another. No client is
// involved, so the message is not encrypted.
func (p *person) hear(from *person, m *sentMessage, msg *waE2E.Message) {
	k := kindOf(msg)
	p.inbox = append(p.inbox, &Received{
		ID: m.id, From: from.number, To: m.recipient, Chat: from.number, Type: k.stanza, Edit: k.edit,
		Raw: msg, Message: unwrap(msg), Time: m.time, Copies: 1,
	})
}

// Archive returns the ids of all messages that the account's phone has, in order.
func (a *Account) Archive() []string {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	ids := make([]string, len(a.archive))
	for i, m := range a.archive {
		ids[i] = m.info.GetKey().GetID()
	}
	return slices.Clip(ids)
}
