package shape

import (
	"encoding/json"
	"strings"

	"chatcast/crm"
)

// Names of the members of message that are treated in a special way.
const (
	nameConversation = "conversation"
	nameExtended     = "extendedTextMessage"
	nameViewOnce     = "viewOnceMessageV2"
	nameUnknown      = "unknown"
)

// content is what a message says, in the form in which WhatsApp has it.
type content struct {
	name    string // messageType, and the member of message
	inner   string // within an envelope that shows it once: the name of its member
	fill    func(c *content, w *writer)
	m       *crm.Content
	subtype string
	chat    string // JID
	time    int64  // unix seconds, of the message; 0: not known
	r       *rendering
	context *contextInfo
}

// content returns a content of the CRM. context is that of its message; nil: it has none.
func (r *rendering) content(typ, subtype string, m *crm.Content, chat string, context *contextInfo) content {
	c := content{m: m, subtype: subtype, chat: chat, r: r, context: context}
	c.name, c.fill = c.kind(typ)
	if subtype == crm.SubtypeViewOnce && c.name != nameConversation {
		c.inner, c.name = c.name, nameViewOnce
	}
	return c
}

// kind returns the name of the content's member, and what writes its members.
func (c *content) kind(typ string) (name string, fill func(c *content, w *writer)) {
	switch typ {
	case crm.MessageText:
		return c.textKind()
	case crm.MessageImage:
		return "imageMessage", (*content).image
	case crm.MessageVideo:
		if c.subtype == "videoNote" {
			return "ptvMessage", (*content).video
		}
		return "videoMessage", (*content).video
	case crm.MessageAudio, crm.MessageVoice:
		if typ == crm.MessageVoice {
			return "audioMessage", (*content).voice
		}
		return "audioMessage", (*content).audio
	case crm.MessageDocument:
		return "documentMessage", (*content).document
	case crm.MessageSticker:
		return "stickerMessage", (*content).sticker
	case crm.MessageLocation:
		if c.subtype == "liveLocation" {
			return "liveLocationMessage", (*content).liveLocation
		}
		return "locationMessage", (*content).location
	case crm.MessageContact:
		if len(c.m.Contacts) > 1 {
			return "contactsArrayMessage", (*content).contacts
		}
		return "contactMessage", (*content).contact
	case crm.MessagePoll:
		return c.pollKind()
	case crm.MessageReaction:
		return "reactionMessage", (*content).reaction
	}
	return c.otherKind()
}

// textKind returns the kind of a text: plain, or the answer to buttons or a list.
func (c *content) textKind() (string, func(c *content, w *writer)) {
	switch c.subtype {
	case "buttonReply":
		return "buttonsResponseMessage", (*content).buttonReply
	case "templateReply":
		return "templateButtonReplyMessage", (*content).templateReply
	case "listReply":
		return "listResponseMessage", (*content).listReply
	case "interactiveReply":
		if c.m.Choice != nil {
			return "interactiveResponseMessage", (*content).flowReply
		}
	case "groupInvite":
		if c.m.Invite != nil {
			return "groupInviteMessage", (*content).invite
		}
	}
	if c.r.shape == V1 && c.context != nil {
		return nameExtended, (*content).extended
	}
	return nameConversation, nil
}

func (c *content) pollKind() (string, func(c *content, w *writer)) {
	switch p := c.m.Poll; {
	case p == nil:
		return "pollUpdateMessage", (*content).vote
	case p.Multiple:
		return "pollCreationMessage", (*content).poll
	}
	return "pollCreationMessageV3", (*content).poll
}

// otherKind returns WhatsApp's name of a kind that the CRM has none for. Kinds of bridges
// are texts if they have any.
func (c *content) otherKind() (string, func(c *content, w *writer)) {
	switch {
	case c.m.Text != "":
		return nameConversation, nil
	case strings.HasSuffix(c.subtype, "Message"), c.subtype != "" && len(c.m.Original) > 0:
		return memberName(c.subtype), (*content).original
	}
	return nameUnknown, nil
}

// write writes the member of message.
func (c *content) write(w *writer) {
	switch c.name {
	case nameConversation:
		w.str(nameConversation, c.m.Text)
		return
	case nameUnknown:
		return
	case nameViewOnce:
		w.object(nameViewOnce)
		w.object("message")
		if c.inner != nameUnknown {
			c.member(w, c.inner)
		}
		w.end()
		w.end()
		return
	}
	c.member(w, c.name)
}

func (c *content) member(w *writer, name string) {
	w.object(name)
	c.fill(c, w)
	if c.inner != "" {
		w.bool("viewOnce", true)
	}
	if c.context != nil && name != "reactionMessage" && name != "pollUpdateMessage" {
		c.context.write(w)
	}
	w.end()
}

// original writes the members that a message of an unknown kind had.
func (c *content) original(w *writer) {
	var members map[string]json.RawMessage
	renamed, ok := renameMembers(c.m.Original)
	if !ok || len(renamed) < 3 || renamed[0] != '{' || json.Unmarshal(renamed, &members) != nil {
		return
	}
	inside := renamed[1 : len(renamed)-1]
	if _, has := members["contextInfo"]; has && c.context != nil {
		c.context = nil // it is there already
	}
	w.b = append(w.b, inside...)
}

func (c *content) extended(w *writer) { w.str("text", c.m.Text) }

func (c *content) buttonReply(w *writer) {
	w.str("selectedButtonId", c.choice())
	w.str("selectedDisplayText", c.m.Text)
}

// flowReply writes the choice in a native flow, whose id Evolution's clients read from the parameters.
func (c *content) flowReply(w *writer) {
	w.object("body")
	w.str("text", c.m.Text)
	w.end()
	w.object("nativeFlowResponseMessage")
	parameters, _ := json.Marshal(struct { // strings always encode
		ID string `json:"id"`
	}{c.choice()})
	w.str("paramsJson", string(parameters))
	w.end()
}

func (c *content) templateReply(w *writer) {
	w.str("selectedId", c.choice())
	w.str("selectedDisplayText", c.m.Text)
}

func (c *content) listReply(w *writer) {
	w.str("title", c.m.Text)
	w.object("singleSelectReply")
	w.str("selectedRowId", c.choice())
	w.end()
}

// choice returns the id of what was chosen. A message from before ids were kept has only
// the text.
func (c *content) choice() string {
	if c.m.Choice == nil {
		return c.m.Text
	}
	return c.m.Choice.ID
}

func (c *content) invite(w *writer) {
	i := c.m.Invite
	w.str("groupJid", JID(i.GroupID))
	w.str("inviteCode", i.Code)
	if i.Expires > 0 {
		w.long("inviteExpiration", i.Expires)
	}
	w.str("groupName", i.Name)
	w.optional("caption", i.Caption)
}
