package api

import (
	"strconv"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// on is like serve, for a route about the object that its path names.
func on[T any](a *API, named func(*gin.Context) (T, error), do func(c *gin.Context, at T) (any, error)) gin.HandlerFunc {
	return a.serve(func(c *gin.Context) (any, error) {
		at, err := named(c)
		if err != nil {
			return nil, err
		}
		return do(c, at)
	})
}

// withID is like on, for a numeric parameter of the path.
func (a *API) withID(param string, do func(c *gin.Context, id int64) (any, error)) gin.HandlerFunc {
	return on(a, func(c *gin.Context) (int64, error) { return pathID(c, param) }, do)
}

// withIDs is like withID, for two parameters.
func (a *API) withIDs(param, param2 string, do func(c *gin.Context, id, id2 int64) (any, error)) gin.HandlerFunc {
	return a.withID(param, func(c *gin.Context, id int64) (any, error) {
		id2, err := pathID(c, param2)
		if err != nil {
			return nil, err
		}
		return do(c, id, id2)
	})
}

// pathID returns a numeric path parameter. It returns not found for an invalid id.
func pathID(c *gin.Context, name string) (int64, error) {
	id, err := strconv.ParseInt(c.Param(name), 10, 64)
	if err != nil || id <= 0 {
		return 0, &crm.Error{Code: crm.CodeNotFound, Message: "not found"}
	}
	return id, nil
}

// pathLine returns the messenger of a licence that the path names.
func pathLine(c *gin.Context) (crm.Line, error) {
	id, err := pathID(c, "licenseId")
	return crm.Line{LicenseID: id, Messenger: c.Param("messengerType")}, err
}

// pathChat returns the chat that the path names.
func pathChat(c *gin.Context) (crm.ChatAddress, error) {
	line, err := pathLine(c)
	return crm.ChatAddress{Line: line, ChatID: c.Param("chatId")}, err
}

// pathContact returns the contact that the path names.
func pathContact(c *gin.Context) (crm.ContactAddress, error) {
	line, err := pathLine(c)
	return crm.ContactAddress{Line: line, ContactID: c.Param("contactId")}, err
}
