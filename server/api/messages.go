package api

import (
	"math"
	"strconv"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerMessages(line gin.IRouter) {
	line.GET("/messages", on(a, pathLine, a.searchMessages))

	chat := line.Group("/chats/:chatId")
	chat.PATCH("/read", on(a, pathChat, a.markRead))
	chat.POST("/typing", on(a, pathChat, a.typing))

	messages := chat.Group("/messages")
	messages.GET("", on(a, pathChat, a.messages))
	messages.POST("/text", send(a, crm.MessageText, textInput.content))
	messages.POST("/location", send(a, crm.MessageLocation, locationInput.content))
	messages.POST("/contact", send(a, crm.MessageContact, contact))
	messages.POST("/poll", send(a, crm.MessagePoll, poll))
	messages.POST("/reaction", send(a, crm.MessageReaction, reaction))
	messages.POST("/file", on(a, pathChat, a.sendFile))
	messages.PATCH("/:messageId", on(a, pathChat, a.editMessage))
	messages.DELETE("/:messageId", on(a, pathChat, a.deleteMessage))
}

const idempotencyHeader = "Idempotency-Key"

// common holds the fields that the body of every message to send may have. It is
// decoded separately: if it were embedded, its name would appear in errors.
type common struct {
	Tracking        *string `json:"tracking"`
	QuotedMessageID *crm.ID `json:"quotedMessageId"`
}

func (in common) outgoing(c *gin.Context) crm.Outgoing {
	return crm.Outgoing{Tracking: in.Tracking, Quoted: in.QuotedMessageID, IdempotencyKey: c.GetHeader(idempotencyHeader)}
}

type textInput struct {
	Text      string   `json:"text"`
	ParseMode string   `json:"parseMode"`
	Mentions  []crm.ID `json:"mentions"`
}

func (in textInput) content() (crm.Content, error) {
	if in.ParseMode == "plain" || in.ParseMode == "text" {
		in.ParseMode = ""
	}
	m := crm.Content{Text: in.Text, ParseMode: in.ParseMode}
	for _, id := range in.Mentions {
		m.Mentions = append(m.Mentions, crm.Mention{ID: id})
	}
	return m, nil
}

type locationInput struct {
	Latitude  *float64 `json:"latitude"`
	Longitude *float64 `json:"longitude"`
	Name      string   `json:"name"`
	Address   string   `json:"address"`
}

func (in locationInput) content() (crm.Content, error) {
	if in.Latitude == nil {
		return crm.Content{}, crm.Invalid("latitude", "is required")
	}
	if in.Longitude == nil {
		return crm.Content{}, crm.Invalid("longitude", "is required")
	}
	return crm.Content{Location: &crm.Location{
		Latitude: *in.Latitude, Longitude: *in.Longitude, Name: in.Name, Address: in.Address,
	}}, nil
}

func contact(in crm.ContactCard) (crm.Content, error) { return crm.Content{Contact: &in}, nil }
func poll(in crm.Poll) (crm.Content, error)           { return crm.Content{Poll: &in}, nil }

// reactionInput distinguishes a missing emoji from an empty one: a misspelled field
// must not remove a reaction.
type reactionInput struct {
	MessageID crm.ID  `json:"messageId"`
	Emoji     *string `json:"emoji"`
}

func reaction(in reactionInput) (crm.Content, error) {
	if in.Emoji == nil {
		return crm.Content{}, crm.Invalid("emoji", "is required; empty takes the reaction off")
	}
	return crm.Content{Reaction: &crm.Reaction{MessageID: in.MessageID, Emoji: *in.Emoji}}, nil
}

// send serves the sending of messages of one type, whose body is an In.
func send[In any](a *API, typ string, content func(In) (crm.Content, error)) gin.HandlerFunc {
	return on(a, pathChat, func(c *gin.Context, at crm.ChatAddress) (any, error) {
		var in In
		var more common
		err := bodies(c, &in, &more)
		if err != nil {
			return nil, err
		}
		m := more.outgoing(c)
		m.Type = typ
		if m.Content, err = content(in); err != nil {
			return nil, err
		}
		return a.CRM.Send(c.Request.Context(), actor(c), at, m)
	})
}

// bodies decodes the request body into each of the destinations.
func bodies(c *gin.Context, dst ...any) error {
	raw, err := readBody(c)
	for _, d := range dst {
		if err == nil {
			err = decode(raw, d, "")
		}
	}
	return err
}

func (a *API) messages(c *gin.Context, at crm.ChatAddress) (any, error) {
	q := crm.MessageQuery{PageQuery: queryPage(c), Direction: c.Query("direction")}
	var err error
	if q.LastTime, err = queryNumber(c, "lastTime"); err != nil {
		return nil, err
	}
	if q.LastInternalID, err = queryNumber(c, "lastInternalId"); err != nil {
		return nil, err
	}
	return a.CRM.Messages(c.Request.Context(), actor(c), at, q)
}

func (a *API) searchMessages(c *gin.Context, line crm.Line) (any, error) {
	q := crm.SearchQuery{PageQuery: queryPage(c), Search: c.Query("search"), ChatID: c.Query("chatId")}
	var err error
	if q.LastTime, err = queryNumber(c, "lastTime"); err != nil {
		return nil, err
	}
	return a.CRM.SearchMessages(c.Request.Context(), actor(c), line, q)
}

// queryNumber returns a non-negative integer of the query, nil if it is missing.
func queryNumber(c *gin.Context, name string) (*int64, error) {
	text, given := c.GetQuery(name)
	if !given || text == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n == math.MaxInt64 {
		return nil, crm.Invalid(name, "must be an integer from 0 on")
	}
	return &n, nil
}

func (a *API) editMessage(c *gin.Context, at crm.ChatAddress) (any, error) {
	var in struct {
		Text    *string `json:"text"`
		Caption *string `json:"caption"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.EditMessage(c.Request.Context(), actor(c), at, c.Param("messageId"), crm.Edit{Text: in.Text, Caption: in.Caption})
}

func (a *API) deleteMessage(c *gin.Context, at crm.ChatAddress) (any, error) {
	return nil, a.CRM.DeleteMessage(c.Request.Context(), actor(c), at, c.Param("messageId"))
}

func (a *API) markRead(c *gin.Context, at crm.ChatAddress) (any, error) {
	return a.CRM.MarkRead(c.Request.Context(), actor(c), at)
}

func (a *API) typing(c *gin.Context, at crm.ChatAddress) (any, error) {
	var in struct {
		Type string `json:"type"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return nil, a.CRM.Typing(c.Request.Context(), actor(c), at, in.Type)
}
