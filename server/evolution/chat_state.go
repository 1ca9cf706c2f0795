package evolution

import (
	"errors"
	"net/http"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

// chatOfBody returns the chat that the body names: by its JID, or by its last message.
func (q *request) chatOfBody() (crm.ChatAddress, error) {
	key := inner(inner(q.body, "lastMessage"), "key")
	jid := text(q.body, "chat")
	if jid == "" {
		jid = text(key, "remoteJid")
	}
	at := crm.ChatAddress{Line: q.line(), ChatID: shape.ID(jid)}
	if jid != "" {
		return at, nil
	}
	m, err := q.e.CRM.LineMessage(q.ctx, q.actor, q.line(), text(key, "id"))
	if err == nil {
		at.ChatID = m.Chat.ID
	}
	return at, err
}

type archiveFailure struct {
	Archived bool     `json:"archived"`
	Message  []string `json:"message"`
}

// archiveChat puts a chat into the archive of the account's phone, or takes it out.
func archiveChat(q *request) (answer, error) {
	archive := isTrue(q.body, "archive")
	at, err := q.chatOfBody()
	var chat crm.ChatData
	if err == nil {
		chat, err = q.e.CRM.ChangeChatState(q.ctx, q.actor, at, crm.ChatStateChanges{Archived: crm.Value(archive)})
	}
	var of *crm.Error
	if errors.As(err, &of) && of.Code != crm.CodeDenied && of.Code != crm.CodeThrottled {
		return answer{}, &refusal{status: http.StatusInternalServerError, message: []archiveFailure{{
			Message: []string{"An error occurred while archiving the chat. Open a calling.", of.Message},
		}}}
	}
	return made(struct {
		ChatID   string `json:"chatId"`
		Archived bool   `json:"archived"`
	}{chatJID(&chat), archive}), err
}

func markChatUnread(q *request) (answer, error) {
	at, err := q.chatOfBody()
	if err != nil {
		return answer{}, err
	}
	chat, err := q.e.CRM.ChangeChatState(q.ctx, q.actor, at, crm.ChatStateChanges{Unread: crm.Value(true)})
	return made(struct {
		ChatID string `json:"chatId"`
		Unread bool   `json:"markedChatUnread"`
	}{chatJID(&chat), true}), err
}

// profilePicture answers with the picture of a person or a group: what the messenger shows the
// account now, or else our link to what it showed before.
func profilePicture(q *request) (answer, error) {
	to, err := q.address(text(q.body, "number"))
	if err != nil {
		return answer{}, err
	}
	out := struct {
		WUID    string  `json:"wuid"`
		Picture *string `json:"profilePictureUrl"`
	}{WUID: to.jid}
	if !to.group() {
		p, err := q.e.CRM.ContactProfile(q.ctx, q.actor, crm.ContactAddress{Line: q.line(), ContactID: to.chat})
		var of *crm.Error
		switch {
		case err == nil && p.PictureURL != nil:
			out.Picture = p.PictureURL
			return ok(out), nil
		case err != nil && !errors.As(err, &of):
			return answer{}, err
		}
	}
	chat, err := q.chatNamed(to.jid)
	if chat != nil {
		out.Picture = chat.Image
	}
	return ok(out), err
}
