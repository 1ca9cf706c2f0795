package multiwa

import (
	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// typing shows that we are writing, or recording. Nothing has to be done to show no longer
// that we do: phones hide it after a few seconds.
func (a *API) typing(c *gin.Context) (any, error) {
	var in struct {
		target
		ChatID string `json:"chatId"`
		State  string `json:"state"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return nil, err
	}
	if in.To == "" {
		in.To = in.ChatID
	}
	at, err := address(of.Line, "to", in.To)
	if err != nil {
		return nil, err
	}
	kinds := map[string]string{"": crm.TypingText, "typing": crm.TypingText, "composing": crm.TypingText, "recording": crm.TypingVoice, "paused": "", "stop": "", "available": ""}
	kind, known := kinds[in.State]
	switch {
	case !known:
		return nil, crm.Invalid("state", "must be typing, composing, recording, paused or stop")
	case kind == "":
		return done{}, nil
	}
	return done{}, a.CRM.Typing(c.Request.Context(), actor(c), at, kind)
}

// markRead marks a chat as read. The messenger knows only whole chats as read, up to the
// last message, so the ids of messages are not needed.
func (a *API) markRead(c *gin.Context) (any, error) {
	var in struct {
		ProfileID string `json:"profileId"`
		ChatID    string `json:"chatId"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return nil, err
	}
	at, err := address(of.Line, "chatId", in.ChatID)
	if err == nil {
		_, err = a.CRM.MarkRead(c.Request.Context(), actor(c), at)
	}
	return done{}, err
}

func (a *API) deleteForEveryone(c *gin.Context) (any, error) {
	var in struct {
		ProfileID string `json:"profileId"`
		ChatID    string `json:"chatId"`
		MessageID string `json:"messageId"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return nil, err
	}
	at, id, err := a.message(c, of, "messageId", in.MessageID, in.ChatID)
	if err == nil {
		err = a.CRM.DeleteMessage(c.Request.Context(), actor(c), at, id)
	}
	return done{}, err
}
