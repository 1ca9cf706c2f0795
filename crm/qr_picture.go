package crm

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"github.com/boombuler/barcode"
	codes "github.com/boombuler/barcode/qr"
)

const (
	qrDot   = 8 // pixels of one dot
	qrQuiet = 4 // dots of quiet zone; cameras do not find a code without it
)

// QRPicture returns a QR code as a picture, with the quiet zone around it that the
// standard requires.
func QRPicture(text string) ([]byte, error) {
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

// QRPictureURL is QRPicture as a data URL, or "" for a text that is too long for a code.
func QRPictureURL(text string) string {
	picture, err := QRPicture(text)
	if err != nil {
		return ""
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture)
}
