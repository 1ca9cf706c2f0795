package api

import (
	"encoding/json"
	"fmt"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerLine(line gin.IRouter) {
	line.POST("/inbound", a.inbound)
	line.GET("/status", a.lineStatus)
	line.POST("/connect", a.pair)
	line.GET("/qr", a.pair)
	line.POST("/pairingCode", a.pairingCode)
	line.DELETE("/session", a.logout)
}

func (a *API) inbound(c *gin.Context) {
	line, err := onLine(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	in, err := inboundBody(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	answer, err := a.CRM.Receive(c.Request.Context(), actor(c), line, in)
	a.reply(c, answer, err)
}

// inboundBody decodes item by item, so that a wrong type is named with its place:
// "messages[3].chat.id".
func inboundBody(c *gin.Context) (in crm.Inbound, err error) {
	var items struct {
		Messages []json.RawMessage `json:"messages"`
		Statuses []json.RawMessage `json:"statuses"`
	}
	if err := body(c, &items); err != nil {
		return in, err
	}
	if n := len(items.Messages) + len(items.Statuses); n > crm.MaxInbound {
		return in, crm.Invalid("messages", "and statuses must not be more than %d together", crm.MaxInbound)
	}
	if in.Messages, err = decodeAll[crm.InboundMessage](items.Messages, "messages"); err != nil {
		return in, err
	}
	in.Statuses, err = decodeAll[crm.InboundStatus](items.Statuses, "statuses")
	return in, err
}

func decodeAll[T any](raw []json.RawMessage, name string) ([]T, error) {
	all := make([]T, len(raw))
	for i := range raw {
		path := fmt.Sprintf("%s[%d]", name, i)
		if string(raw[i]) == "null" {
			return nil, crm.Invalid(path, "must be an object, not null")
		}
		if err := decode(raw[i], &all[i], path); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (a *API) lineStatus(c *gin.Context) {
	line, err := onLine(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	status, err := a.CRM.LineStatus(c.Request.Context(), actor(c), line)
	a.reply(c, status, err)
}

func (a *API) pair(c *gin.Context) {
	line, err := onLine(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	pairing, err := a.CRM.Pair(c.Request.Context(), actor(c), line, nil)
	a.reply(c, pairing, err)
}

func (a *API) pairingCode(c *gin.Context) {
	line, err := onLine(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	var in struct {
		Phone string `json:"phone"`
	}
	if err := body(c, &in); err != nil {
		a.fail(c, err)
		return
	}
	pairing, err := a.CRM.Pair(c.Request.Context(), actor(c), line, &in.Phone)
	a.reply(c, pairing, err)
}

func (a *API) logout(c *gin.Context) {
	line, err := onLine(c)
	if err == nil {
		err = a.CRM.Logout(c.Request.Context(), actor(c), line)
	}
	a.reply(c, nil, err)
}
