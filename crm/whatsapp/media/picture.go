package media

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png" // registers the decoder
	"io"
	"time"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // registers the decoder
)

const (
	maxSide    = 20_000      // pixels: WhatsApp shows no larger picture
	maxPixels  = 100_000_000 // the same
	maxDecoded = 1 << 24     // pixels: larger ones get no thumbnail
	thumbSide  = 100         // pixels
	thumbBytes = 16 << 10    // what a thumbnail may have at most
)

// decoding holds a value while a picture is decoded, which may take some 200 MB. So one
// picture at a time is.
var decoding = make(chan struct{}, 1)

// picture returns the Info of a picture. It waits for its turn until ctx ends. A picture that cannot be decoded has none, unless
// it was not tried because of its size, or because it is an animation.
func picture(ctx context.Context, s *source, typ string) Info {
	c, _, err := image.DecodeConfig(s.buffered())
	if err != nil || c.Width <= 0 || c.Height <= 0 || c.Width > maxSide || c.Height > maxSide || c.Width*c.Height > maxPixels {
		return Info{}
	}
	info := Info{Type: typ, Width: uint32(c.Width), Height: uint32(c.Height)}
	s.rewind()
	if typ == JPEG && sideways(s.buffered()) {
		info.Width, info.Height = info.Height, info.Width
	}
	if c.Width*c.Height > maxDecoded {
		return info
	}
	s.rewind()
	select {
	case decoding <- struct{}{}:
		defer func() { <-decoding }()
	case <-ctx.Done():
		s.fail(context.Cause(ctx))
		return Info{}
	}
	full, _, err := image.Decode(&timely{s.buffered(), time.Now().Add(decodeTime)})
	if err != nil {
		if typ == WebP && animated(s) {
			return info
		}
		return Info{}
	}
	info.Thumbnail = thumbnail(full)
	return info
}

// decodeTime is how long a picture may be read while it is decoded. A progressive JPEG
// may go over all of itself again for each few bytes.
const decodeTime = 5 * time.Second

// timely is a Reader that fails after a time. It hides the other methods of the Reader,
// so that little is read at once.
type timely struct {
	r     io.Reader
	until time.Time
}

func (t *timely) Read(p []byte) (int, error) {
	if time.Now().After(t.until) {
		return 0, errors.New("the picture takes too long")
	}
	return t.r.Read(p[:min(len(p), 512)])
}

// animated reports whether a WebP has several pictures, which are not decoded here.
func animated(s *source) bool {
	head := make([]byte, 21)
	s.rewind()
	n, _ := s.buffered().Read(head)
	return n == len(head) && string(head[12:16]) == "VP8X" && head[20]&2 != 0
}

// thumbnail returns a small JPEG of a picture, on white where it is transparent.
func thumbnail(full image.Image) []byte {
	b := full.Bounds()
	w, h := b.Dx(), b.Dy()
	if most := max(w, h); most > thumbSide {
		w, h = max(1, w*thumbSide/most), max(1, h*thumbSide/most)
	}
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(small, small.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(small, small.Bounds(), full, b, draw.Over, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: 60}); err != nil { // cannot happen: the sides are small
		return nil
	}
	return out.Bytes()
}

// Thumbnail returns data when it is a small JPEG, as a message carries it, and otherwise
// nil.
func Thumbnail(data []byte) []byte {
	if len(data) == 0 || len(data) > thumbBytes {
		return nil
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width > 1000 || c.Height > 1000 {
		return nil
	}
	return data
}
