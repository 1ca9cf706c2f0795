package whatsapp

import (
	"encoding/json"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/crm"
)

// Types of messages beside those that crm names.
const (
	typeVoice   = "voice"
	typeSticker = "sticker"
	typeUnknown = "unknown" // its subtype is WhatsApp's name of what it was
)

// content is what one message of WhatsApp's says, in our words.
type content struct {
	Type    string
	Subtype string // empty: none
	Content crm.Content
	Media   *media             // the attachment that is to be fetched; nil: none
	Context *waE2E.ContextInfo // what it answers, where it comes from; may be nil
}

// translate puts a message into our words. It is pure: what is encrypted a second
// time (votes, reactions in announcement groups) was opened before. nil: the
// message says nothing to people, it only carries keys or holds others together.
func translate(m *waE2E.Message) *content {
	m = unwrap(m)
	if c := m.GetCommentMessage(); c != nil {
		return comment(c)
	}
	for _, kind := range kinds {
		if s := kind(m); s != nil {
			s.fit()
			return s
		}
	}
	name := kindName(m)
	if name == "" || silent[name] {
		return nil
	}
	return &content{Type: typeUnknown, Subtype: name, Context: contextOf(m)}
}

// kinds are the families of content, each in its file. A message has one content;
// text comes last, because some of the others carry a text for old phones.
var kinds = []func(*waE2E.Message) *content{
	mediaContent, placeContent, contactContent, pollContent, reactionContent, replyContent, interactiveContent, offerContent, textContent,
}

// silent are the fields that say nothing to people.
var silent = map[string]bool{
	"senderKeyDistributionMessage": true, "fastRatchetKeySenderKeyDistributionMessage": true,
	"messageContextInfo": true, "protocolMessage": true, "stickerSyncRmrMessage": true,
	"albumMessage":      true, // its pictures come as messages of their own
	"deviceSentMessage": true, "call": true, "chat": true,
	"keepInChatMessage": true, "pinInChatMessage": true, "messageHistoryBundle": true, "messageHistoryNotice": true,
	"statusNotificationMessage": true,
}

// unwrap takes a message out of the envelopes that say how it was sent. The
// depth is bounded: who wraps deeper wants to do harm.
func unwrap(m *waE2E.Message) *waE2E.Message {
	for range 8 {
		inner := envelope(m)
		if inner == nil {
			break
		}
		m = inner
	}
	return m
}

func envelope(m *waE2E.Message) *waE2E.Message {
	if inner := m.GetDeviceSentMessage().GetMessage(); inner != nil {
		return inner
	}
	for _, e := range []*waE2E.FutureProofMessage{
		m.GetEphemeralMessage(), m.GetViewOnceMessage(), m.GetViewOnceMessageV2(), m.GetViewOnceMessageV2Extension(),
		m.GetDocumentWithCaptionMessage(), m.GetEditedMessage(), m.GetBotInvokeMessage(), m.GetLottieStickerMessage(),
		m.GetGroupMentionedMessage(), m.GetAssociatedChildMessage(), m.GetPollCreationMessageV4(), m.GetLimitSharingMessage(),
		m.GetBotForwardedMessage(), m.GetQuestionMessage(), m.GetQuestionReplyMessage(), m.GetBotTaskMessage(),
	} {
		if inner := e.GetMessage(); inner != nil {
			return inner
		}
	}
	return nil
}

// kindName is WhatsApp's name of the message's content: the field that is set,
// or its number when the protocol has it from after this program.
func kindName(m *waE2E.Message) (name string) {
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		n := f.JSONName()
		if name == "" || silent[name] && !silent[n] {
			name = n
		}
		return true
	})
	if name != "" && !silent[name] {
		return name
	}
	if raw := m.ProtoReflect().GetUnknown(); len(raw) > 0 {
		if number, _, n := protowire.ConsumeTag(raw); n > 0 {
			return "field" + strconv.Itoa(int(number))
		}
	}
	return name
}

// contextOf finds the context of a content that this file does not know.
func contextOf(m *waE2E.Message) (found *waE2E.ContextInfo) {
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Kind() != protoreflect.MessageKind || f.IsList() || f.IsMap() {
			return true
		}
		if with, ok := v.Message().Interface().(interface{ GetContextInfo() *waE2E.ContextInfo }); ok {
			found = with.GetContextInfo()
		}
		return found == nil
	})
	return found
}

// quoted is the id of the message that this one answers; empty: none.
func (s *content) quoted() string { return s.Context.GetStanzaID() }

// forwarded says whether the message was passed on from another chat.
func (s *content) forwarded() bool {
	return s.Context.GetIsForwarded() || s.Context.GetForwardingScore() > 0
}

// utm is what advertisement or link led the customer here; nil: none.
func (s *content) utm() json.RawMessage {
	fields := map[string]string{}
	put := func(name, value string) {
		if value = clip(value, 512); value != "" {
			fields[name] = value
		}
	}
	if u := s.Context.GetUtm(); u != nil {
		put("source", u.GetUtmSource())
		put("campaign", u.GetUtmCampaign())
	}
	if ad := s.Context.GetExternalAdReply(); ad.GetSourceType() != "" || ad.GetSourceID() != "" || ad.GetCtwaClid() != "" {
		put("sourceType", ad.GetSourceType())
		put("sourceId", ad.GetSourceID())
		put("sourceUrl", ad.GetSourceURL())
		put("sourceApp", ad.GetSourceApp())
		put("clickId", ad.GetCtwaClid())
		put("ref", ad.GetRef())
		put("title", ad.GetTitle())
	}
	if len(fields) == 0 {
		return nil
	}
	b, err := json.Marshal(fields)
	if err != nil { // a map of strings has a JSON
		return nil
	}
	return b
}
