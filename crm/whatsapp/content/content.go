package content

import (
	"encoding/json"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/crm"
)

// Message types in addition to those of crm.
const (
	TypeVoice   = crm.MessageVoice
	TypeSticker = crm.MessageSticker
	TypeUnknown = "unknown" // its subtype is WhatsApp's name of the kind
)

// Content is the content of one WhatsApp message in terms of crm. Its texts are within
// the limits of crm.
type Content struct {
	Type    string
	Subtype string // empty: none
	Content crm.Content
	Media   *Media             // the attachment to fetch; nil: none
	Context *waE2E.ContextInfo // the message it answers, and its origin; may be nil
}

// Translate returns the content of a message, whatever envelopes it is in. Content that
// is encrypted a second time (votes, reactions in announcement groups) must be decrypted
// before. Translate returns nil for a message without content, such as a message that
// carries keys or groups other messages. Content of an unknown kind has the type
// TypeUnknown and WhatsApp's name of the kind as its subtype.
func Translate(m *waE2E.Message) *Content {
	m = Unwrap(m)
	if c := m.GetCommentMessage(); c != nil {
		return comment(c)
	}
	for _, kind := range kinds {
		if s := kind(m); s != nil {
			s.Content.Expiration = int64(min(s.Context.GetExpiration(), math.MaxInt32))
			s.fit()
			return s
		}
	}
	name := kindName(m)
	if name == "" || silent[name] {
		return nil
	}
	return &Content{Type: TypeUnknown, Subtype: name, Context: contextOf(m), Content: crm.Content{Original: original(m, name)}}
}

// kinds holds one translator for each family of content. A message has one content;
// text comes last, because some of the others carry a text for old phones.
var kinds = []func(*waE2E.Message) *Content{
	mediaContent, placeContent, contactContent, pollContent, reactionContent, replyContent, interactiveContent, offerContent, textContent,
}

// silent holds the fields without content for people.
var silent = map[string]bool{
	"senderKeyDistributionMessage": true, "fastRatchetKeySenderKeyDistributionMessage": true,
	"messageContextInfo": true, "protocolMessage": true, "stickerSyncRmrMessage": true,
	"albumMessage":      true, // its pictures arrive as messages of their own
	"deviceSentMessage": true, "call": true, "chat": true,
	"keepInChatMessage": true, "pinInChatMessage": true, "messageHistoryBundle": true, "messageHistoryNotice": true,
	"statusNotificationMessage": true,
}

// Unwrap returns the message inside the envelopes that say how it was sent. The depth
// is bounded: a message in more than eight envelopes is an attack.
func Unwrap(m *waE2E.Message) *waE2E.Message {
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

// kindName returns WhatsApp's name of the message's content: the name of the field that
// is set, or its number when the field is newer than this program.
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

// contextOf returns the context of content of an unknown kind, or nil.
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

// Quoted returns the id of the message that this one answers, or "" when there is none.
func (s *Content) Quoted() string { return s.Context.GetStanzaID() }

// Forwarded reports whether the message was forwarded from another chat.
func (s *Content) Forwarded() bool {
	return s.Context.GetIsForwarded() || s.Context.GetForwardingScore() > 0
}

// maxUTM is crm's limit of a UTM, in bytes.
const maxUTM = 4096

// Quote returns what the message tells of the message that it answers, or nil. The author
// is not in it.
func (s *Content) Quote() *crm.Quote {
	if s.Quoted() == "" || s.Context.GetQuotedMessage() == nil {
		return nil
	}
	what := Translate(s.Context.GetQuotedMessage())
	if what == nil || what.Content.Vote != nil || what.Content.Reaction != nil {
		return nil
	}
	return &crm.Quote{Type: what.Type, Message: what.Content}
}

// UTM returns the advertisement or link that led the customer here, as a JSON object of
// strings, or nil when there is none. Its strings are shortened until crm accepts it.
func (s *Content) UTM() json.RawMessage {
	for most := 512; most > 0; most /= 2 {
		if b := s.utm(most); len(b) <= maxUTM {
			return b
		}
	}
	return nil
}

// utm is UTM with strings of at most so many characters.
func (s *Content) utm(most int) json.RawMessage {
	fields := map[string]string{}
	put := func(name, value string) {
		if value = Clip(value, most); value != "" {
			fields[name] = value
		}
	}
	x := s.Context
	put("source", x.GetUtm().GetUtmSource())
	put("campaign", x.GetUtm().GetUtmCampaign())
	ad := x.GetExternalAdReply()
	put("sourceType", ad.GetSourceType())
	put("sourceId", ad.GetSourceID())
	put("sourceApp", ad.GetSourceApp())
	put("clickId", ad.GetCtwaClid())
	put("ref", ad.GetRef())
	put("adPayload", ad.GetCtaPayload())
	put("website", ad.GetWtwaWebsiteURL())
	if ad != nil && ad.AdType != nil {
		put("adType", ad.GetAdType().String())
	}
	put("advertiser", x.GetQuotedAd().GetAdvertiserName())
	put("adCaption", x.GetQuotedAd().GetCaption())
	put("conversionSource", x.GetConversionSource())
	put("entryPoint", x.GetEntryPointConversionSource())
	put("entryPointApp", x.GetEntryPointConversionApp())
	put("entryPointSource", x.GetEntryPointConversionExternalSource())
	put("entryPointMedium", x.GetEntryPointConversionExternalMedium())
	put("clickSignals", x.GetCtwaSignals())
	put("clientCampaignId", x.GetSmbClientCampaignID())
	put("serverCampaignId", x.GetSmbServerCampaignID())
	if len(fields) > 0 || ad.GetShowAdAttribution() || x.GetAlwaysShowAdAttribution() { // else it is the preview of a link
		put("sourceUrl", ad.GetSourceURL())
		put("title", ad.GetTitle())
		if ad != nil && ad.MediaType != nil {
			put("mediaType", ad.GetMediaType().String())
		}
		put("thumbnailUrl", ad.GetThumbnailURL())
		put("body", ad.GetBody())
		put("mediaUrl", FirstNonBlank(ad.GetMediaURL(), ad.GetOriginalImageURL(), ad.GetThumbnailURL()))
	}
	if len(fields) == 0 {
		return nil
	}
	b, err := json.Marshal(fields)
	if err != nil { // cannot happen for a map of strings
		return nil
	}
	return b
}

// MessengerType is the type of the messengers that the ids belong to.
const MessengerType = "grWhatsApp"

// ID returns a WhatsApp id as an id of crm.
func ID(text string) crm.ID { return crm.MakeID(MessengerType, text) }
