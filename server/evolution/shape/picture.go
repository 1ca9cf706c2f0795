package shape

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"

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
	side := (dots + 2*qrQuiet) * qrDot
	picture := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range dots {
		top := picture.Pix[(y+qrQuiet)*qrDot*side:][:side]
		for x := range dots {
			if code.At(x, y) == color.Black {
				for i := range qrDot {
					top[(x+qrQuiet)*qrDot+i] = 1
				}
			}
		}
		for i := 1; i < qrDot; i++ { // the other rows of pixels are the same
			copy(picture.Pix[((y+qrQuiet)*qrDot+i)*side:][:side], top)
		}
	}
	var out bytes.Buffer
	quick := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := quick.Encode(&out, picture); err != nil {
		return ""
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes())
}
