package api

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net/http"

	"github.com/boombuler/barcode"
	codes "github.com/boombuler/barcode/qr"
	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

const (
	qrDot   = 8 // pixels of one dot
	qrQuiet = 4 // dots of quiet zone; cameras do not find a code without it
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
	return drawQR(*p.QR)
}

// drawQR returns a QR code as a picture, with the quiet zone around it that the
// standard requires.
func drawQR(text string) ([]byte, error) {
	code, err := codes.Encode(text, codes.L, codes.Auto)
	if err != nil {
		return nil, err
	}
	dots := code.Bounds().Dx()
	if code, err = barcode.Scale(code, dots*qrDot, dots*qrDot); err != nil {
		return nil, err
	}
	side := (dots + 2*qrQuiet) * qrDot
	picture := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	draw.Draw(picture, code.Bounds().Add(image.Pt(qrQuiet*qrDot, qrQuiet*qrDot)), code, image.Point{}, draw.Src)
	var out bytes.Buffer
	err = png.Encode(&out, picture)
	return out.Bytes(), err
}
