package api

import (
	"context"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerChats(signedIn, line gin.IRouter) {
	signedIn.GET("/chats", a.allChats)
	line.GET("/chats", a.chats)
	line.POST("/chats", a.createChat)
	line.GET("/chats/:chatId", a.chat)
	line.GET("/contacts", a.contacts)

	chat := line.Group("/chats/:chatId")
	chat.PUT("/status", chatAction(a, typeInput.value, a.CRM.SetChatStatus))
	chat.PUT("/responsible", chatAction(a, idInput.value, a.CRM.SetResponsible))
	chat.PUT("/responsible/pin", chatAction(a, typeInput.value, a.CRM.PinResponsible))
	chat.PUT("/producer", chatAction(a, idInput.value, a.CRM.SetProducer))
	chat.PUT("/level", chatAction(a, idInput.value, a.CRM.SetLevel))
	chat.PUT("/process", chatAction(a, processInput.value, a.CRM.SetProcess))
	chat.POST("/tags", chatAction(a, tagIDInput.value, a.CRM.TagChat))
	chat.DELETE("/tags/:tagId", a.chatRemoval("tagId", a.CRM.UntagChat))
	chat.POST("/accomplices", chatAction(a, idInput.value, a.CRM.AddAccomplice))
	chat.DELETE("/accomplices/:userId", a.chatRemoval("userId", a.CRM.RemoveAccomplice))
	chat.POST("/auditors", chatAction(a, idInput.value, a.CRM.AddAuditor))
	chat.DELETE("/auditors/:userId", a.chatRemoval("userId", a.CRM.RemoveAuditor))
}

// The bodies of the actions on a chat: each has one value.
type (
	typeInput struct {
		Type string `json:"type"`
	}
	idInput struct {
		ID crm.Field[int64] `json:"id"`
	}
	tagIDInput struct {
		TagID crm.Field[int64] `json:"tagId"`
	}
	processInput struct {
		Process crm.Field[string] `json:"process"`
	}
)

func (in typeInput) value() string               { return in.Type }
func (in idInput) value() crm.Field[int64]       { return in.ID }
func (in tagIDInput) value() crm.Field[int64]    { return in.TagID }
func (in processInput) value() crm.Field[string] { return in.Process }

// chatAction serves an action on a chat with the value of its body: it answers
// with the chat as it is then.
func chatAction[In, V any](a *API, value func(In) V,
	do func(context.Context, crm.Actor, crm.ChatAddress, V) (crm.ChatData, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		at, err := onChat(c)
		if err != nil {
			a.fail(c, err)
			return
		}
		var in In
		if err := body(c, &in); err != nil {
			a.fail(c, err)
			return
		}
		data, err := do(c.Request.Context(), actor(c), at, value(in))
		a.reply(c, data, err)
	}
}

// chatRemoval serves the removal of what the path names from a chat.
func (a *API) chatRemoval(param string, do func(context.Context, crm.Actor, crm.ChatAddress, int64) (crm.ChatData, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		at, err := onChat(c)
		if err != nil {
			a.fail(c, err)
			return
		}
		id, err := pathID(c, param)
		if err != nil {
			a.fail(c, err)
			return
		}
		data, err := do(c.Request.Context(), actor(c), at, id)
		a.reply(c, data, err)
	}
}

func (a *API) allChats(c *gin.Context) {
	q, err := chatQuery(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	page, err := a.CRM.AllChats(c.Request.Context(), actor(c), q)
	a.reply(c, page, err)
}

func (a *API) chats(c *gin.Context) {
	line, err := onLine(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	q, err := chatQuery(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	page, err := a.CRM.Chats(c.Request.Context(), actor(c), line, q)
	a.reply(c, page, err)
}

// chatQuery reads limit, nextPage, lastTime, status, responsibleId (an id, or
// none), tagId, unread and search.
func chatQuery(c *gin.Context) (q crm.ChatQuery, err error) {
	q.PageQuery = queryPage(c)
	q.Status, q.Search = c.Query("status"), c.Query("search")
	if q.NoResponsible = c.Query("responsibleId") == "none"; !q.NoResponsible {
		id, err := queryID(c, "responsibleId")
		if err != nil {
			return q, err
		}
		if id != 0 {
			q.ResponsibleID = &id
		}
	}
	if q.TagID, err = queryID(c, "tagId"); err != nil {
		return q, err
	}
	if q.Unread, err = queryBool(c, "unread"); err != nil {
		return q, err
	}
	if _, given := c.GetQuery("lastTime"); given {
		at, err := queryInt(c, "lastTime")
		if err != nil {
			return q, err
		}
		q.LastTime = &at
	}
	return q, nil
}

func (a *API) chat(c *gin.Context) {
	at, err := onChat(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	data, err := a.CRM.Chat(c.Request.Context(), actor(c), at)
	a.reply(c, data, err)
}

func (a *API) createChat(c *gin.Context) {
	line, err := onLine(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	var in crm.ChatInput
	if err := body(c, &in); err != nil {
		a.fail(c, err)
		return
	}
	data, err := a.CRM.CreateChat(c.Request.Context(), actor(c), line, in)
	a.reply(c, data, err)
}

func (a *API) contacts(c *gin.Context) {
	line, err := onLine(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	page, err := a.CRM.Contacts(c.Request.Context(), actor(c), line, queryPage(c), c.Query("search"))
	a.reply(c, page, err)
}
