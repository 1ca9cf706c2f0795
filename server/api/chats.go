package api

import (
	"context"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerChats(keyed, line gin.IRouter) {
	keyed.GET("/chats", a.serve(a.allChats))
	line.GET("/chats", on(a, pathLine, a.chats))
	line.POST("/chats", on(a, pathLine, a.createChat))
	line.GET("/chats/:chatId", on(a, pathChat, a.chat))
	line.PATCH("/chats/:chatId", chatAction(a, nameInput.value, a.CRM.RenameChat))
	line.GET("/contacts", on(a, pathLine, a.contacts))
	line.POST("/contacts/check", on(a, pathLine, a.checkContacts))
	line.POST("/contacts/:contactId/block", on(a, pathContact, a.blockContact(true)))
	line.DELETE("/contacts/:contactId/block", on(a, pathContact, a.blockContact(false)))
	line.PATCH("/contacts/:contactId", on(a, pathContact, a.renameContact))

	chat := line.Group("/chats/:chatId")
	chat.PUT("/status", chatAction(a, typeInput.value, a.CRM.SetChatStatus))
	chat.PUT("/responsible", chatAction(a, idInput.value, a.CRM.SetResponsible))
	chat.PUT("/responsible/pin", chatAction(a, typeInput.value, a.CRM.PinResponsible))
	chat.PUT("/producer", chatAction(a, idInput.value, a.CRM.SetProducer))
	chat.PATCH("/state", chatAction(a, func(in crm.ChatStateChanges) crm.ChatStateChanges { return in }, a.CRM.ChangeChatState))
	chat.PUT("/level", chatAction(a, idInput.value, a.CRM.SetLevel))
	chat.PUT("/process", chatAction(a, processInput.value, a.CRM.SetProcess))
	chat.POST("/tags", chatAction(a, tagIDInput.value, a.CRM.TagChat))
	chat.DELETE("/tags/:tagId", a.chatRemoval("tagId", a.CRM.UntagChat))
	chat.POST("/accomplices", chatAction(a, idInput.value, a.CRM.AddAccomplice))
	chat.DELETE("/accomplices/:userId", a.chatRemoval("userId", a.CRM.RemoveAccomplice))
	chat.POST("/auditors", chatAction(a, idInput.value, a.CRM.AddAuditor))
	chat.DELETE("/auditors/:userId", a.chatRemoval("userId", a.CRM.RemoveAuditor))
}

// The bodies of the actions on a chat, each with one value.
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
	nameInput struct {
		Name crm.Field[string] `json:"name"`
	}
)

func (in typeInput) value() string               { return in.Type }
func (in idInput) value() crm.Field[int64]       { return in.ID }
func (in tagIDInput) value() crm.Field[int64]    { return in.TagID }
func (in processInput) value() crm.Field[string] { return in.Process }
func (in nameInput) value() crm.Field[string]    { return in.Name }

// chatAction serves an action on a chat with the value of its body. It answers with
// the changed chat.
func chatAction[In, V any](a *API, value func(In) V,
	do func(context.Context, crm.Actor, crm.ChatAddress, V) (crm.ChatData, error)) gin.HandlerFunc {
	return on(a, pathChat, func(c *gin.Context, at crm.ChatAddress) (any, error) {
		var in In
		if err := body(c, &in); err != nil {
			return nil, err
		}
		return do(c.Request.Context(), actor(c), at, value(in))
	})
}

// chatRemoval serves the removal, from a chat, of the object that the path names.
func (a *API) chatRemoval(param string, do func(context.Context, crm.Actor, crm.ChatAddress, int64) (crm.ChatData, error)) gin.HandlerFunc {
	return on(a, pathChat, func(c *gin.Context, at crm.ChatAddress) (any, error) {
		id, err := pathID(c, param)
		if err != nil {
			return nil, err
		}
		return do(c.Request.Context(), actor(c), at, id)
	})
}

func (a *API) allChats(c *gin.Context) (any, error) {
	q, err := chatQuery(c)
	if err != nil {
		return nil, err
	}
	if q.CompanyID, err = queryID(c, "companyId"); err != nil {
		return nil, err
	}
	return a.CRM.AllChats(c.Request.Context(), actor(c), q)
}

func (a *API) chats(c *gin.Context, line crm.Line) (any, error) {
	q, err := chatQuery(c)
	if err != nil {
		return nil, err
	}
	return a.CRM.Chats(c.Request.Context(), actor(c), line, q)
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
	q.LastTime, err = queryTime(c, "lastTime")
	return q, err
}

func (a *API) chat(c *gin.Context, at crm.ChatAddress) (any, error) {
	return a.CRM.Chat(c.Request.Context(), actor(c), at)
}

func (a *API) createChat(c *gin.Context, line crm.Line) (any, error) {
	var in crm.ChatInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.CreateChat(c.Request.Context(), actor(c), line, in)
}

func (a *API) contacts(c *gin.Context, line crm.Line) (any, error) {
	return a.CRM.Contacts(c.Request.Context(), actor(c), line, queryPage(c), c.Query("search"))
}

func (a *API) blockContact(blocked bool) func(c *gin.Context, at crm.ContactAddress) (any, error) {
	return func(c *gin.Context, at crm.ContactAddress) (any, error) {
		return a.CRM.BlockContact(c.Request.Context(), actor(c), at, blocked)
	}
}

func (a *API) checkContacts(c *gin.Context, line crm.Line) (any, error) {
	var in struct {
		Numbers []string `json:"numbers"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.CheckContacts(c.Request.Context(), actor(c), line, in.Numbers)
}

func (a *API) renameContact(c *gin.Context, at crm.ContactAddress) (any, error) {
	var in nameInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.RenameContact(c.Request.Context(), actor(c), at, in.Name)
}
