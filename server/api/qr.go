package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// qr answers with the pairing code, as connect does, or with its picture. The code is a
// secret while it is valid, so the answer must not be cached.
func (a *API) qr(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	format := c.Query("format")
	if format == "" || format == "json" {
		on(a, pathLine, a.pair)(c)
		return
	}
	picture, err := a.qrPicture(c, format)
	if err != nil {
		a.fail(c, err)
		return
	}
	c.Data(http.StatusOK, "image/png", picture)
}

func (a *API) qrPicture(c *gin.Context, format string) ([]byte, error) {
	line, err := pathLine(c)
	if err != nil {
		return nil, err
	}
	if format != "png" {
		return nil, crm.Invalid("format", "must be json or png")
	}
	p, err := a.CRM.Pair(c.Request.Context(), actor(c), line, nil)
	if err != nil {
		return nil, err
	}
	if p.QR == nil {
		return nil, crm.Unavailable("there is no QR code to show now")
	}
	return crm.QRPicture(*p.QR)
}
