package api

import (
	"encoding/json"
	"fmt"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/server"
)

func (a *API) registerLine(line gin.IRouter) {
	line.POST("/inbound", on(a, pathLine, a.inbound))
	line.GET("/status", on(a, pathLine, a.lineStatus))
	line.POST("/connect", on(a, pathLine, a.pair))
	line.GET("/qr", server.RefuseHead, a.qr)
	line.POST("/pairingCode", on(a, pathLine, a.pairingCode))
	line.GET("/settings", on(a, pathLine, a.lineSettings))
	line.PATCH("/settings", on(a, pathLine, a.changeLineSettings))
	line.POST("/passkey", on(a, pathLine, a.answerPasskey))
	line.DELETE("/passkey", on(a, pathLine, a.cancelPasskey))
	line.DELETE("/session", on(a, pathLine, a.logout))
}

func (a *API) inbound(c *gin.Context, line crm.Line) (any, error) {
	in, err := inboundBody(c)
	if err != nil {
		return nil, err
	}
	return a.CRM.IngestAs(c.Request.Context(), actor(c), line, in)
}

// inboundBody decodes item by item, so that an error of a wrong type names its place,
// such as "messages[3].chat.id".
func inboundBody(c *gin.Context) (in crm.InboundRequest, err error) {
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

// decodeAll returns nil for a list that is absent.
func decodeAll[T any](raw []json.RawMessage, name string) ([]T, error) {
	if raw == nil {
		return nil, nil
	}
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

func (a *API) lineStatus(c *gin.Context, line crm.Line) (any, error) {
	return a.CRM.LineStatus(c.Request.Context(), actor(c), line)
}

func (a *API) pair(c *gin.Context, line crm.Line) (any, error) {
	return a.CRM.Pair(c.Request.Context(), actor(c), line, nil)
}

func (a *API) pairingCode(c *gin.Context, line crm.Line) (any, error) {
	var in struct {
		Phone string `json:"phone"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.Pair(c.Request.Context(), actor(c), line, &in.Phone)
}

func (a *API) lineSettings(c *gin.Context, line crm.Line) (any, error) {
	return a.CRM.LineSettings(c.Request.Context(), actor(c), line)
}

func (a *API) changeLineSettings(c *gin.Context, line crm.Line) (any, error) {
	var in crm.LineSettingsChanges
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.ChangeLineSettings(c.Request.Context(), actor(c), line, in)
}

func (a *API) answerPasskey(c *gin.Context, line crm.Line) (any, error) {
	var in crm.PasskeyAnswer
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return nil, a.CRM.AnswerPasskey(c.Request.Context(), actor(c), line, in)
}

func (a *API) cancelPasskey(c *gin.Context, line crm.Line) (any, error) {
	return nil, a.CRM.CancelPasskey(c.Request.Context(), actor(c), line)
}

func (a *API) logout(c *gin.Context, line crm.Line) (any, error) {
	return nil, a.CRM.Logout(c.Request.Context(), actor(c), line)
}
