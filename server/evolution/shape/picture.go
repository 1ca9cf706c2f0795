package shape

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

const (
	qrDot   = 6 // pixels of one dot
	qrQuiet = 4 // dots of quiet zone; cameras do not find a code without it
)

// QRPicture returns a QR code as the data URL of a PNG, or "" for a text that is too long
// for one.
func QRPicture(text string) string {
	code, err := qr.Encode(text, qr.L, qr.Auto)
	if err != nil {
		return ""
	}
	dots := code.Bounds().Dx()
	if code, err = barcode.Scale(code, dots*qrDot, dots*qrDot); err != nil {
		return ""
	}
	side := (dots + 2*qrQuiet) * qrDot
	picture := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	draw.Draw(picture, code.Bounds().Add(image.Pt(qrQuiet*qrDot, qrQuiet*qrDot)), code, image.Point{}, draw.Src)
	var out bytes.Buffer
	quick := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := quick.Encode(&out, picture); err != nil {
		return ""
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes())
}
