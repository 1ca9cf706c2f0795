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
	chat.PUT("/status", a.chatAction(func(ctx context.Context, who crm.Actor, at crm.ChatAddress, in chatInput) (crm.ChatData, error) {
		return a.CRM.SetChatStatus(ctx, who, at, in.Type)
	}))
	chat.PUT("/responsible", a.chatAction(func(ctx context.Context, who crm.Actor, at crm.ChatAddress, in chatInput) (crm.ChatData, error) {
		return a.CRM.SetResponsible(ctx, who, at, in.ID)
	}))
	chat.PUT("/responsible/pin", a.chatAction(func(ctx context.Context, who crm.Actor, at crm.ChatAddress, in chatInput) (crm.ChatData, error) {
		return a.CRM.PinResponsible(ctx, who, at, in.Type)
	}))
	chat.PUT("/producer", a.chatAction(func(ctx context.Context, who crm.Actor, at crm.ChatAddress, in chatInput) (crm.ChatData, error) {
		return a.CRM.SetProducer(ctx, who, at, in.ID)
	}))
	chat.PUT("/level", a.chatAction(func(ctx context.Context, who crm.Actor, at crm.ChatAddress, in chatInput) (crm.ChatData, error) {
		return a.CRM.SetLevel(ctx, who, at, in.ID)
	}))
	chat.PUT("/process", a.chatAction(func(ctx context.Context, who crm.Actor, at crm.ChatAddress, in chatInput) (crm.ChatData, error) {
		return a.CRM.SetProcess(ctx, who, at, in.Process)
	}))
	chat.POST("/tags", a.chatAction(func(ctx context.Context, who crm.Actor, at crm.ChatAddress, in chatInput) (crm.ChatData, error) {
		return a.CRM.TagChat(ctx, who, at, in.TagID)
	}))
	chat.POST("/accomplices", a.chatAction(func(ctx context.Context, who crm.Actor, at crm.ChatAddress, in chatInput) (crm.ChatData, error) {
		return a.CRM.AddAccomplice(ctx, who, at, in.ID)
	}))
	chat.POST("/auditors", a.chatAction(func(ctx context.Context, who crm.Actor, at crm.ChatAddress, in chatInput) (crm.ChatData, error) {
		return a.CRM.AddAuditor(ctx, who, at, in.ID)
	}))
	chat.DELETE("/tags/:tagId", a.chatRemoval("tagId", a.CRM.UntagChat))
	chat.DELETE("/accomplices/:userId", a.chatRemoval("userId", a.CRM.RemoveAccomplice))
	chat.DELETE("/auditors/:userId", a.chatRemoval("userId", a.CRM.RemoveAuditor))
}

// chatInput is the body of every action on a chat; each reads its own field.
type chatInput struct {
	Type    string            `json:"type"`
	ID      crm.Field[int64]  `json:"id"`
	TagID   crm.Field[int64]  `json:"tagId"`
	Process crm.Field[string] `json:"process"`
}

// chatAction serves an action on a chat: it answers with the chat as it is then.
func (a *API) chatAction(do func(context.Context, crm.Actor, crm.ChatAddress, chatInput) (crm.ChatData, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		at, err := onChat(c)
		if err != nil {
			a.fail(c, err)
			return
		}
		var in chatInput
		if err := body(c, &in); err != nil {
			a.fail(c, err)
			return
		}
		data, err := do(c.Request.Context(), actor(c), at, in)
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
