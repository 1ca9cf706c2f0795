package whatsapp

import (
	"cmp"
	"context"
	"time"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

// ringing is how long after its offer a call may still be rejected.
const ringing = time.Minute

// call ingests an incoming call as a message of type "call", and rejects it if the line
// is set to do so. Calls cannot be answered here.
func (s *session) call(ctx context.Context, cli *whatsmeow.Client, c types.BasicCallMeta, media string) (kept bool) {
	if !fitsID(c.CallID) {
		return true
	}
	info := &types.MessageInfo{ID: c.CallID, Timestamp: c.Timestamp}
	info.Chat, info.Sender, info.SenderAlt = c.From.ToNonAD(), c.CallCreator.ToNonAD(), c.CallCreatorAlt
	if info.Sender.IsEmpty() {
		info.Sender = info.Chat
	}
	if !c.GroupJID.IsEmpty() {
		info.Chat, info.IsGroup = c.GroupJID, true
	}
	if !s.ours(info) {
		return true
	}
	in := s.envelope(ctx, cli, info, &content.Content{Type: "call", Subtype: media})
	by := crm.InboundUser{ID: in.Chat.ID}
	if in.FromUser != nil {
		by = *in.FromUser
	}
	offer := crm.InboundCall{ID: in.ID, Chat: in.Chat, By: by, Type: crm.CallOffer, Video: media == "video", Time: in.Time}
	if !s.ingest(ctx, crm.InboundBatch{Messages: []crm.InboundMessage{in}, Calls: []crm.InboundCall{offer}}) {
		return false
	}
	if !info.IsGroup && time.Since(c.Timestamp) < ringing {
		s.rejectCall(ctx, cli, c, in.Chat.ID.String())
	}
	return true
}

// rejectCall rejects a call, and lets the rules answer the caller, if the line is set to
// do so. A rejection may be lost: then the phone goes on ringing, as without the setting.
func (s *session) rejectCall(ctx context.Context, cli *whatsmeow.Client, c types.BasicCallMeta, chat string) {
	settings, err := s.m.rules.AccountSettings(ctx, s.on)
	if err == nil && settings.RejectCalls {
		if err = cli.RejectCall(ctx, c.From, c.CallID); err == nil {
			s.callStep(ctx, c, crm.CallReject)
			err = s.m.rules.CallRejected(ctx, s.on, chat, c.CallID)
		}
	}
	if err != nil {
		s.log.Warn("a call was not rejected, or its caller not answered", "error", err)
	}
}

// callStep ingests what has become of a call.
func (s *session) callStep(ctx context.Context, c types.BasicCallMeta, typ string) (kept bool) {
	if !fitsID(c.CallID) {
		return true
	}
	when := sensible(c.Timestamp)
	return s.ingest(ctx, crm.InboundBatch{Calls: []crm.InboundCall{{ID: content.ID(c.CallID), Type: typ, Time: &when}}})
}

// callEnded ingests the end of a call. WhatsApp tells the account's other devices by it that
// one of them has taken the call.
func (s *session) callEnded(ctx context.Context, e *events.CallTerminate) (kept bool) {
	typ := map[string]string{"timeout": crm.CallTimeout, "accepted_elsewhere": crm.CallAccept, "rejected_elsewhere": crm.CallReject}[e.Reason]
	return s.callStep(ctx, e.BasicCallMeta, cmp.Or(typ, crm.CallTerminate))
}

// callMedia returns "video" for a video call and "audio" otherwise.
func callMedia(n *binary.Node) string {
	if n != nil {
		if _, video := n.GetOptionalChildByTag("video"); video {
			return "video"
		}
	}
	return "audio"
}
