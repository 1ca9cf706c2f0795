package multiwa

import (
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// conversationAt finds a conversation by its UUID, or by the id of its chat with profileId.
func (a *API) conversationAt(c *gin.Context) (of *crm.Instance, at crm.ChatAddress, err error) {
	ctx, id := c.Request.Context(), c.Param("id")
	if n, ok := parseUUID(nounConversation, strings.ToLower(id)); ok {
		if at, err = a.CRM.ChatNumbered(ctx, actor(c), n); err != nil {
			return nil, at, err
		}
		of, err = a.CRM.InstanceOf(ctx, actor(c), at.Line)
		return of, at, noProfile(err)
	}
	if of, err = a.profile(c, c.Query("profileId")); err == nil {
		at, err = address(of.Line, "id", id)
	}
	return of, at, err
}

// messagesOfConversation lists the messages of a conversation before one of them, or before a
// time, the newest first.
func (a *API) messagesOfConversation(c *gin.Context) (any, error) {
	w, err := windowOf(c)
	if err != nil {
		return nil, err
	}
	of, at, err := a.conversationAt(c)
	if err != nil {
		return nil, err
	}
	q := crm.MessageQuery{PageQuery: crm.PageQuery{Limit: w.limit}}
	if err := before(c, &q); err != nil {
		return nil, err
	}
	page, err := a.CRM.Messages(c.Request.Context(), actor(c), at, q)
	if err != nil {
		return nil, err
	}
	list := []listedMessage{}
	for i := range page.Items {
		list = append(list, a.listed(of, &page.Items[i]))
	}
	return list, nil
}

// before reads the parameter before: the UUID of a message, or a time.
func before(c *gin.Context, q *crm.MessageQuery) error {
	text := c.Query("before")
	if text == "" {
		return nil
	}
	if n, ok := parseUUID(nounMessage, strings.ToLower(text)); ok {
		q.LastInternalID = &n
		return nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return crm.Invalid("before", "must be the messageId of a message of the conversation, or a time such as 2026-03-01T09:00:00Z")
	}
	last := t.Unix() - 1 // messages have times in whole seconds
	if t.Nanosecond() > 0 {
		last++
	}
	q.LastTime = given(true, max(0, last))
	return nil
}

// conversationData is a chat, as answers show it.
type conversationData struct {
	ID            string       `json:"id"`
	ProfileID     string       `json:"profileId"`
	ChatID        string       `json:"chatId"`
	Name          string       `json:"name"`
	Phone         *string      `json:"phone"`
	IsGroup       bool         `json:"isGroup"`
	UnreadCount   int64        `json:"unreadCount"`
	ProfilePicURL *string      `json:"profilePicUrl"`
	LastMessageAt *string      `json:"lastMessageAt"`
	LastMessage   *lastMessage `json:"lastMessage"`
}

type lastMessage struct {
	ID        string `json:"id"`
	Body      string `json:"body"`
	Type      string `json:"type"`
	FromMe    bool   `json:"fromMe"`
	Timestamp string `json:"timestamp"`
}

func conversationOf(of *crm.Instance, chat *crm.ChatData) *conversationData {
	d := &conversationData{
		ID: uuid(nounConversation, chat.Number), ProfileID: of.ID, ChatID: chatID(of.Line.Messenger, chat.ID), Name: chat.Name, Phone: chat.Phone,
		IsGroup: chat.Type == "group", UnreadCount: chat.Unread, ProfilePicURL: chat.Image,
	}
	if chat.LastTime > 0 {
		d.LastMessageAt = given(true, isoSeconds(chat.LastTime))
	}
	if m := chat.LastMessage; m != nil {
		item := crm.MessageItem{
			ID: m.ID, FromMe: m.FromMe, Time: m.Time, Type: m.Type, Subtype: m.Subtype, Message: m.Message, FromUser: m.FromUser,
			Chat: crm.ChatCard{ID: chat.ID, Type: chat.Type},
		}
		shown := scene{messenger: of.Line.Messenger}.messageData(&item)
		if m.DeletedAt != nil {
			shown.Type = typeRevoked
		}
		d.LastMessage = &lastMessage{shown.ID, shown.Body, shown.Type, shown.FromMe, shown.Timestamp}
	}
	return d
}

func (a *API) conversations(c *gin.Context) (any, error) {
	w, err := windowOf(c)
	if err != nil {
		return nil, err
	}
	of, err := a.profile(c, c.Query("profileId"))
	if err != nil {
		return nil, err
	}
	chats, err := pages(w, func(q crm.PageQuery) (crm.Page[crm.ChatData], error) {
		return a.CRM.Chats(c.Request.Context(), actor(c), of.Line, crm.ChatQuery{PageQuery: q, Search: c.Query("search")})
	})
	if err != nil {
		return nil, err
	}
	list := []*conversationData{}
	for i := range chats {
		list = append(list, conversationOf(of, &chats[i]))
	}
	return list, nil
}

func (a *API) conversation(c *gin.Context) (any, error) {
	of, at, err := a.conversationAt(c)
	if err != nil {
		return nil, err
	}
	chat, err := a.CRM.Chat(c.Request.Context(), actor(c), at)
	if err != nil {
		return nil, err
	}
	return conversationOf(of, &chat), nil
}
