package whatsapp

import (
	"context"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

// maxDisappearing is the longest time after which messages may disappear, in seconds. A
// longer one is not believed.
const maxDisappearing = 366 * 24 * 60 * 60

// disappearing returns the setting of a chat as a message or its history tells it, or nil
// when that cannot be. since is when it was set, in unix seconds, or 0 when only when it
// was told is known.
func disappearing(after uint32, since int64, told time.Time, mode *waE2E.DisappearingMode, mine bool) *crm.Disappearing {
	if after > maxDisappearing {
		return nil
	}
	if since <= 0 {
		since = told.Unix()
	}
	d := &crm.Disappearing{After: int64(after), Since: sensible(time.Unix(since, 0))}
	if after > 0 {
		d.Mode = modeText(mode, mine)
	}
	return d
}

// modeText returns who set a chat's messages to disappear, as we would tell it: the other
// side says "me" of themselves.
func modeText(mode *waE2E.DisappearingMode, mine bool) string {
	kept := &waE2E.DisappearingMode{Initiator: waE2E.DisappearingMode_CHANGED_IN_CHAT.Enum()}
	if mode != nil {
		kept.Initiator, kept.Trigger = mode.GetInitiator().Enum(), mode.GetTrigger().Enum()
		if mode.InitiatedByMe != nil {
			kept.InitiatedByMe = proto.Bool(mode.GetInitiatedByMe() == mine)
		}
	}
	b, err := protojson.Marshal(kept)
	if err != nil { // cannot happen: the fields are plain
		return ""
	}
	return string(b)
}

// messageSetting returns the setting that a message in a private chat tells, or nil. A
// group's is its admins' to change, so there only the group itself is believed.
func messageSetting(info *types.MessageInfo, c *waE2E.ContextInfo) *crm.Disappearing {
	if c == nil || c.Expiration == nil || info.Chat.Server == types.GroupServer {
		return nil
	}
	return disappearing(c.GetExpiration(), c.GetEphemeralSettingTimestamp(), info.Timestamp, c.GetDisappearingMode(), info.IsFromMe)
}

// disappearingSet ingests that somebody changed the setting of a private chat.
func (s *session) disappearingSet(ctx context.Context, cli *whatsmeow.Client, info *types.MessageInfo, p *waE2E.ProtocolMessage) (kept bool) {
	if info.Chat.Server == types.GroupServer {
		return true
	}
	mode := p.GetDisappearingMode()
	if mode == nil {
		mode = &waE2E.DisappearingMode{Initiator: waE2E.DisappearingMode_CHANGED_IN_CHAT.Enum(), InitiatedByMe: proto.Bool(true)}
	}
	chat := s.chat(ctx, cli, info)
	chat.Disappearing = disappearing(p.GetEphemeralExpiration(), p.GetEphemeralSettingTimestamp(), info.Timestamp, mode, info.IsFromMe)
	if chat.Disappearing == nil {
		s.log.Info("a chat's messages are said to disappear after a time that cannot be", "seconds", p.GetEphemeralExpiration())
		return true
	}
	return s.ingest(ctx, crm.InboundBatch{Aliases: s.aliases(info), Chats: []crm.InboundChat{chat}})
}

// groupSetting returns the setting of a group.
func groupSetting(e types.GroupEphemeral, told time.Time) *crm.Disappearing {
	if !e.IsEphemeral {
		e.DisappearingTimer = 0
	}
	return disappearing(e.DisappearingTimer, 0, told, nil, false)
}

// disappear returns a context with the setting of the chat. info may be nil, and is
// returned as it is when messages stay.
func (o outgoing) disappear(info *waE2E.ContextInfo) *waE2E.ContextInfo {
	d := o.item.Disappearing
	if d.After <= 0 || d.After > maxDisappearing {
		return info
	}
	if info == nil {
		info = &waE2E.ContextInfo{}
	}
	info.Expiration, info.EphemeralSettingTimestamp = proto.Uint32(uint32(d.After)), &d.Since
	mode := new(waE2E.DisappearingMode)
	if d.Mode == "" { // of an account, for a chat that it begins
		info.DisappearingMode = &waE2E.DisappearingMode{
			Initiator: waE2E.DisappearingMode_INITIATED_BY_ME.Enum(), Trigger: waE2E.DisappearingMode_ACCOUNT_SETTING.Enum(), InitiatedByMe: proto.Bool(true),
		}
	} else if (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(d.Mode), mode) == nil {
		info.DisappearingMode = mode
	}
	return info
}
