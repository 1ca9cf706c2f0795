package media

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"time"

	"golang.org/x/image/draw"
)

// squareSide is the side of a profile picture at WhatsApp, at most, in pixels.
const squareSide = 640

// ErrNoPicture means that a file cannot be made a profile picture.
var ErrNoPicture = errors.New("media: the file cannot be decoded as a picture")

// Square returns the middle of a picture as WhatsApp takes a profile picture: a square JPEG
// of at most 640 pixels. It waits for its turn until ctx ends.
func Square(ctx context.Context, data []byte) ([]byte, error) {
	c, kind, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width <= 0 || c.Height <= 0 || c.Width > maxSide || c.Height > maxSide || c.Width*c.Height > maxDecoded {
		return nil, ErrNoPicture
	}
	select {
	case decoding <- struct{}{}:
		defer func() { <-decoding }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	full, _, err := image.Decode(&timely{bytes.NewReader(data), time.Now().Add(decodeTime)})
	if err != nil {
		return nil, ErrNoPicture
	}
	how := uint16(0)
	if kind == "jpeg" {
		how = turned(bufio.NewReader(bytes.NewReader(data)))
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, upright(middle(full), how), &jpeg.Options{Quality: 85}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// middle returns the square in the middle of a picture, on white where it is transparent.
func middle(full image.Image) *image.RGBA {
	b := full.Bounds()
	side := min(b.Dx(), b.Dy())
	from := image.Rect(0, 0, side, side).Add(image.Pt(b.Min.X+(b.Dx()-side)/2, b.Min.Y+(b.Dy()-side)/2))
	to := image.NewRGBA(image.Rect(0, 0, min(side, squareSide), min(side, squareSide)))
	draw.Draw(to, to.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.CatmullRom.Scale(to, to.Bounds(), full, from, draw.Over, nil)
	return to
}

// upright turns a square as Exif's number says.
func upright(in *image.RGBA, how uint16) *image.RGBA {
	if how < 2 || how > 8 {
		return in
	}
	last := in.Bounds().Dx() - 1
	out := image.NewRGBA(in.Bounds())
	for y := range last + 1 {
		for x := range last + 1 {
			fromX, fromY := x, y
			if how >= 5 { // the sides are swapped
				fromX, fromY = y, x
			}
			if how == 2 || how == 3 || how == 7 || how == 8 {
				fromX = last - fromX
			}
			if how == 3 || how == 4 || how == 6 || how == 7 {
				fromY = last - fromY
			}
			out.SetRGBA(x, y, in.RGBAAt(fromX, fromY))
		}
	}
	return out
}
