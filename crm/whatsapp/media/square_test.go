package media_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"chatcast/crm/whatsapp/media"
	"chatcast/crm/whatsapp/whatsapptest"
)

// quarters returns a JPEG whose corners are red, green, blue and white, clockwise from the
// upper left one.
func quarters(t *testing.T, side int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			c := color.RGBA{255, 0, 0, 255}
			switch {
			case x >= side/2 && y < side/2:
				c = color.RGBA{0, 255, 0, 255}
			case x >= side/2:
				c = color.RGBA{0, 0, 255, 255}
			case y >= side/2:
				c = color.RGBA{255, 255, 255, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// cornersOf names the colours of a picture's corners, clockwise from the upper left one.
func cornersOf(t *testing.T, b []byte) (names string) {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	last := img.Bounds().Dx() - 8
	for _, at := range []image.Point{{7, 7}, {last, 7}, {last, last}, {7, last}} {
		switch r, g, b, _ := img.At(at.X, at.Y).RGBA(); {
		case r > 0x8000 && g > 0x8000 && b > 0x8000:
			names += "w"
		case r > 0x8000:
			names += "r"
		case g > 0x8000:
			names += "g"
		default:
			names += "b"
		}
	}
	return names
}

// TestSquareIsUpright checks all the ways in which a camera may have been held.
func TestSquareIsUpright(t *testing.T) {
	for how, want := range map[byte]string{1: "rgbw", 2: "grwb", 3: "bwrg", 4: "wbgr", 5: "rwbg", 6: "wrgb", 7: "bgrw", 8: "gbwr"} {
		small, err := media.Square(t.Context(), exif(quarters(t, 128), how))
		if err != nil {
			t.Fatal(err)
		}
		if got := cornersOf(t, small); got != want {
			t.Errorf("orientation %d: the corners are %s, want %s", how, got, want)
		}
	}
}

// TestSquare checks the size of what is sent, and what is refused.
func TestSquare(t *testing.T) {
	var clear bytes.Buffer
	if err := png.Encode(&clear, image.NewNRGBA(image.Rect(0, 0, 40, 90))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file []byte
		side int
	}{
		"large": {whatsapptest.Photo(1200, 900), 640}, "small": {whatsapptest.Photo(300, 200), 200}, "one pixel": {whatsapptest.Photo(1, 1), 1}, "clear": {clear.Bytes(), 40},
	} {
		small, err := media.Square(t.Context(), c.file)
		config, err2 := jpeg.DecodeConfig(bytes.NewReader(small))
		if err != nil || err2 != nil || config.Width != c.side || config.Height != c.side {
			t.Errorf("%s: %d x %d, %v, %v", name, config.Width, config.Height, err, err2)
		}
		if name == "clear" && cornersOf(t, small) != "wwww" {
			t.Errorf("what is transparent is %s", cornersOf(t, small))
		}
	}
	for name, file := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "cut": whatsapptest.Photo(64, 64)[:200], "huge": pngHead(60000, 60000)} {
		if small, err := media.Square(t.Context(), file); !errors.Is(err, media.ErrNoPicture) {
			t.Errorf("%s: %d bytes, %v", name, len(small), err)
		}
	}
}
