package whatsapp

import (
	"context"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// call ingests an incoming call as a message of type "call". Calls cannot be answered
// here.
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
	return s.ingest(ctx, crm.InboundBatch{Messages: []crm.InboundMessage{in}})
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
