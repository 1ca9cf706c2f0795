package evolution

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

func chatRoutes() []route {
	return []route{
		{methods: "POST", path: "/chat/getBase64FromMediaMessage/:instance", do: getBase64,
			body: schema{obj("message", obj("key", str("id").must().some()).must()).must(), flag("convertToMp4")}},
		{methods: "POST", path: "/chat/whatsappNumbers/:instance", flatErrors: true, do: whatsappNumbers,
			body: schema{list("numbers", str("").some()).must().size(1, maxNumbers).distinct()}},
		{methods: "POST PUT", path: "/chat/markMessageAsRead/:instance", do: markRead, fail: failing("Read messages fail"),
			body: schema{list("readMessages", keyOfBody("")).must().some()}, lifts: []lift{{"read_messages", "readMessages"}}},
		{methods: "DELETE", path: "/chat/deleteMessageForEveryone/:instance", do: deleteMessage, fail: failing("Error while deleting message for everyone"),
			body: schema{str("id").must().some(), flag("fromMe").must(), str("remoteJid").must().some(), str("participant")}},
		{methods: "POST PUT", path: "/chat/updateMessage/:instance", do: updateMessage,
			body: schema{numberField(), keyOfBody("key").must(), str("text").must().some()}},
		{methods: "POST", path: "/chat/sendPresence/:instance", within: sendTime, do: sendPresence, lifts: same("options", "presence", "delay"),
			body: schema{numberField(), str("presence").must().one("unavailable", "available", "composing", "recording", "paused"),
				integer("delay").must().between(0, maxDelay).says("Enter a value in milliseconds")}},
		{methods: "POST PUT", path: "/chat/updateBlockStatus/:instance", do: updateBlock, fail: failing("Error blocking user"), body: blockBody()},
		{methods: "POST PUT", path: "/message/updateBlockStatus/:instance", do: updateBlock, fail: failing("Error blocking user"), body: blockBody()},
		{methods: "POST PUT", path: "/chat/archiveChat/:instance", do: archiveChat,
			body: schema{obj("lastMessage"), str("chat"), flag("archive").must()}},
		{methods: "POST PUT", path: "/chat/markChatUnread/:instance", do: markChatUnread, fail: failing("An error occurred while marking the chat as unread."),
			body: schema{obj("lastMessage"), str("chat")}},
		{methods: "POST", path: "/chat/fetchProfilePictureUrl/:instance", do: profilePicture, body: schema{str("number").like(numberForm).says(textNumber)}},
	}
}

// maxNumbers is how many numbers one request may ask about.
const maxNumbers = 100

func keyOfBody(name string) field {
	return obj(name, str("id").must().some(), flag("fromMe"), str("remoteJid"))
}

func blockBody() schema {
	return schema{numberField(), str("status").must().one("block", "unblock")}
}

// failing returns what makes of an error of the rules one with a text before it, with status 500.
func failing(text string) func(*request, error) error {
	return func(_ *request, err error) error {
		var of *crm.Error
		if errors.As(err, &of) && of.Code != crm.CodeThrottled && of.Code != crm.CodeDenied {
			return failed(text, of.Message)
		}
		return err
	}
}

// maxBase64 is the largest file that an answer holds, in bytes.
const maxBase64 = 32 << 20

type base64Size struct {
	FileLength string `json:"fileLength"`
	Height     *int64 `json:"height,omitempty"`
	Width      *int64 `json:"width,omitempty"`
}

type base64Answer struct {
	MediaType string     `json:"mediaType"`
	FileName  string     `json:"fileName"`
	Caption   string     `json:"caption,omitempty"`
	Size      base64Size `json:"size"`
	Mimetype  string     `json:"mimetype"`
	Base64    string     `json:"base64"`
	Buffer    *string    `json:"buffer"` // null
}

func getBase64(q *request) (answer, error) {
	id := text(inner(inner(q.body, "message"), "key"), "id")
	m, file, err := q.e.CRM.MessageFile(q.ctx, q.actor, q.line(), id)
	switch {
	case m == nil && hasCode(err, crm.CodeNotFound):
		return answer{}, bad("Message not found")
	case hasCode(err, crm.CodeInvalid):
		return answer{}, bad("The message is not of the media type")
	case hasCode(err, crm.CodeNotFound):
		return answer{}, bad("The file of the message is not there")
	case err != nil:
		return answer{}, err
	}
	defer file.Content.Close()
	if file.Size > maxBase64 {
		return answer{}, &refusal{status: http.StatusRequestEntityTooLarge, message: []string{"the file is too large for an answer; fetch message.mediaUrl"}}
	}
	if err := q.hold(4 * file.Size); err != nil { // with its base64 and the answer
		return answer{}, err
	}
	content, err := io.ReadAll(io.LimitReader(file.Content, maxBase64))
	if err != nil {
		return answer{}, err
	}
	out := base64Answer{
		MediaType: shape.Kind(&m.MessageItem, shape.V2), FileName: file.Name, Caption: m.Message.Caption, Mimetype: file.MimeType,
		Base64: base64.StdEncoding.EncodeToString(content), Size: base64Size{FileLength: itoa(file.Size)},
	}
	if _, sub, has := strings.Cut(file.MimeType, "/"); has && m.Type != crm.MessageDocument {
		out.FileName = m.ID.String() + "." + sub
	}
	if f := m.Message.File; f.Height > 0 && f.Width > 0 {
		out.Size.Height, out.Size.Width = &f.Height, &f.Width
	}
	return made(out), nil
}

// markRead marks the chats of messages as read.
func markRead(q *request) (answer, error) {
	done := map[string]bool{}
	for _, key := range objects(q.body, "readMessages") {
		chat := shape.ID(text(key, "remoteJid"))
		if chat == "" {
			m, err := q.e.CRM.LineMessage(q.ctx, q.actor, q.line(), text(key, "id"))
			if err != nil {
				return answer{}, err
			}
			chat = m.Chat.ID
		}
		if done[chat] {
			continue
		}
		done[chat] = true
		if _, err := q.e.CRM.MarkRead(q.ctx, q.actor, crm.ChatAddress{Line: q.line(), ChatID: chat}); err != nil {
			return answer{}, err
		}
	}
	return made(struct {
		Message string `json:"message"`
		Read    string `json:"read"`
	}{"Read messages", "success"}), nil
}

// messageAt returns a message of a chat, or nil when it is not there.
func (q *request) messageAt(jid, id string) (*crm.HistoryItem, error) {
	list, err := q.messages(crm.LineMessageQuery{ID: id, ChatID: shape.ID(jid)}, window{1, 0, 1})
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}

// wrote reports whether a participant that a key names, by either id, wrote a message of a group. Other
// keys need not name one, and clients write anything there.
func wrote(m *crm.HistoryItem, participant string) bool {
	if participant == "" || m.FromMe || !shape.IsGroup(m.Chat.ID) {
		return true
	}
	_, author := shape.RemoteJID(&m.MessageItem)
	jid, forms, valid := jidOf(participant)
	for _, form := range forms {
		if form+"@s.whatsapp.net" == author {
			return true
		}
	}
	return valid && (jid == author || m.FromUser.LID != nil && jid == *m.FromUser.LID)
}

func deleteMessage(q *request) (answer, error) {
	id := text(q.body, "id")
	m, err := q.messageAt(text(q.body, "remoteJid"), id)
	if err != nil {
		return answer{}, err
	}
	if m == nil || !wrote(m, text(q.body, "participant")) {
		return answer{}, failed("Error while deleting message for everyone", "Message not found")
	}
	if err := q.e.CRM.DeleteMessage(q.ctx, q.actor, crm.ChatAddress{Line: q.line(), ChatID: m.Chat.ID}, id); err != nil {
		return answer{}, err
	}
	return made(raw(shape.RevokeObject(m, id, time.Now(), q.rendered(), shape.Shape(q.shape)))), nil
}

// editTime is for how long after a message WhatsApp accepts an edit.
const editTime = 15 * time.Minute

func updateMessage(q *request) (answer, error) {
	to, err := q.address(text(q.body, "number"))
	if err != nil {
		return answer{}, err
	}
	id, said := text(inner(q.body, "key"), "id"), text(q.body, "text")
	m, err := q.e.CRM.LineMessage(q.ctx, q.actor, q.line(), id)
	if hasCode(err, crm.CodeNotFound) {
		return answer{}, bad("Message not found")
	}
	if err != nil {
		return answer{}, err
	}
	chat, _ := shape.RemoteJID(&m.MessageItem)
	lid := m.Chat.LID != nil && *m.Chat.LID == to.jid
	switch {
	case chat != to.jid && !lid:
		return answer{}, bad("RemoteJid does not match")
	case !m.FromMe || m.Type != crm.MessageText && m.Message.File == nil || m.DeletedAt != nil:
		return answer{}, bad("Message not compatible")
	case q.e.CRM.Now().Sub(time.Unix(m.Time, 0)) > editTime:
		return answer{}, bad("Message is older than 15 minutes")
	}
	edit := crm.Edit{Text: &said}
	if m.Message.File != nil {
		edit = crm.Edit{Caption: &said}
	}
	after, err := q.e.CRM.EditMessage(q.ctx, q.actor, crm.ChatAddress{Line: q.line(), ChatID: m.Chat.ID}, id, edit)
	if err != nil {
		return answer{}, err
	}
	return ok(raw(shape.EditObject(&after, id, time.Now(), q.rendered(), shape.Shape(q.shape)))), nil
}

type presenceAnswer struct {
	Presence string `json:"presence"`
}

// sendPresence shows that somebody types or records, for as long as the body says; or that the
// account is online, or not. When nobody types WhatsApp shows what paused asks for by itself.
func sendPresence(q *request) (answer, error) {
	to, err := q.address(text(q.body, "number"))
	if err != nil {
		return answer{}, err
	}
	presence := text(q.body, "presence")
	switch presence {
	case "composing", "recording":
		kind := crm.TypingText
		if presence == "recording" {
			kind = crm.TypingVoice
		}
		if err := q.e.CRM.Typing(q.ctx, q.actor, q.chat(to), kind); err != nil {
			return answer{}, err
		}
		if err := q.delay(outgoing{to: to, voice: presence == "recording"}); err != nil {
			return answer{}, err
		}
	case crm.PresencePaused:
		if err := q.e.CRM.Typing(q.ctx, q.actor, q.chat(to), crm.TypingPaused); err != nil {
			return answer{}, err
		}
	case crm.PresenceAvailable, crm.PresenceUnavailable:
		if err := q.e.CRM.SetPresence(q.ctx, q.actor, q.line(), presence); err != nil {
			return answer{}, err
		}
	}
	return made(presenceAnswer{presence}), nil
}

func updateBlock(q *request) (answer, error) {
	to, err := q.address(text(q.body, "number"))
	if err != nil {
		return answer{}, err
	}
	_, err = q.e.CRM.BlockContact(q.ctx, q.actor, crm.ContactAddress{Line: q.line(), ContactID: to.chat}, text(q.body, "status") == "block")
	return made(struct {
		Block string `json:"block"`
	}{"success"}), err
}
