package whatsapptest

import (
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
)

// kind is what the stanza around a ciphertext says about its content.
type kind struct {
	stanza string // text, media, reaction, poll
	media  string // of <enc>
	edit   string
	hide   bool // a client that cannot read the message shows nothing
}

func kindOf(m *waE2E.Message) kind {
	if m == nil {
		return kind{stanza: "text"}
	}
	if inner := wrapped(m); inner != nil {
		return kindOf(inner)
	}
	if media := mediaOf(m); media != "" {
		return kind{stanza: "media", media: media}
	}
	switch {
	case m.ReactionMessage != nil:
		k := kind{stanza: "reaction", hide: true}
		if m.ReactionMessage.GetText() == "" {
			k.edit = string(types.EditAttributeSenderRevoke)
		}
		return k
	case m.PollCreationMessage != nil, m.PollCreationMessageV2 != nil, m.PollCreationMessageV3 != nil:
		return kind{stanza: "poll"}
	case m.PollUpdateMessage != nil:
		return kind{stanza: "poll", hide: true}
	case m.GetProtocolMessage().GetKey() != nil && m.GetProtocolMessage().GetType() == waE2E.ProtocolMessage_REVOKE:
		edit := types.EditAttributeSenderRevoke
		if !m.GetProtocolMessage().GetKey().GetFromMe() {
			edit = types.EditAttributeAdminRevoke
		}
		return kind{stanza: "text", edit: string(edit), hide: true}
	case m.GetProtocolMessage().GetType() == waE2E.ProtocolMessage_MESSAGE_EDIT:
		return kind{stanza: "text", edit: string(types.EditAttributeMessageEdit), hide: true}
	}
	return kind{stanza: "text"}
}

// wrapped returns the message inside a wrapper, which says how to show it, or nil.
func wrapped(m *waE2E.Message) *waE2E.Message {
	for _, w := range []*waE2E.FutureProofMessage{
		m.EphemeralMessage, m.ViewOnceMessage, m.ViewOnceMessageV2, m.ViewOnceMessageV2Extension,
		m.DocumentWithCaptionMessage, m.LottieStickerMessage, m.EditedMessage,
	} {
		if w.GetMessage() != nil {
			return w.GetMessage()
		}
	}
	return m.GetDeviceSentMessage().GetMessage()
}

// unwrap returns the content without its wrappers.
func unwrap(m *waE2E.Message) *waE2E.Message {
	for inner := wrapped(m); inner != nil; inner = wrapped(m) {
		m = inner
	}
	return m
}

func mediaOf(m *waE2E.Message) string {
	switch {
	case m.ImageMessage != nil:
		return "image"
	case m.StickerMessage != nil:
		return "sticker"
	case m.DocumentMessage != nil:
		return "document"
	case m.AudioMessage.GetPTT():
		return "ptt"
	case m.AudioMessage != nil:
		return "audio"
	case m.VideoMessage.GetGifPlayback():
		return "gif"
	case m.VideoMessage != nil, m.PtvMessage != nil:
		return "video"
	case m.ContactMessage != nil:
		return "vcard"
	case m.ContactsArrayMessage != nil:
		return "contact_array"
	case m.LocationMessage != nil:
		return "location"
	case m.LiveLocationMessage != nil:
		return "livelocation"
	case m.ListResponseMessage != nil:
		return "list_response"
	case m.ButtonsResponseMessage != nil:
		return "buttons_response"
	}
	return ""
}
