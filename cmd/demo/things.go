package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
)

// The demo generates the files that customers send, so it contains nobody's pictures.

// cup draws a cup of tea on a table, from above, as a JPEG.
func cup(r *rand.Rand) ([]byte, error) {
	const w, h = 640, 480
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	tea := color.RGBA{uint8(150 + r.IntN(80)), uint8(70 + r.IntN(60)), uint8(20 + r.IntN(30)), 255}
	cx, cy := 250+float64(r.IntN(140)), 200+float64(r.IntN(80))
	for y := range h {
		for x := range w {
			d := math.Hypot(float64(x)-cx, float64(y)-cy)
			grain := int(8 * math.Sin(float64(y)/5+3*math.Sin(float64(x)/90)))
			c := color.RGBA{uint8(168 + grain), uint8(122 + grain), uint8(82 + grain), 255} // the table
			switch {
			case d < 118: // tea, lighter where it reflects the window
				shine := uint8(max(0, 60-math.Hypot(float64(x)-cx+45, float64(y)-cy+45)))
				c = color.RGBA{min(tea.R, 195) + shine, tea.G + shine, tea.B + shine, 255}
			case d < 135:
				c = color.RGBA{250, 248, 244, 255} // the cup
			case d < 145:
				c = color.RGBA{214, 208, 200, 255}
			case d < 195:
				c = color.RGBA{238, 234, 228, 255} // the saucer
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 85})
	return b.Bytes(), err
}

// shelf draws a shelf with tins, as a PNG.
func shelf(r *rand.Rand) ([]byte, error) {
	const w, h = 640, 420
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	fill := func(x0, y0, x1, y1 int, c color.RGBA) {
		for y := max(0, y0); y < min(h, y1); y++ {
			for x := max(0, x0); x < min(w, x1); x++ {
				img.SetRGBA(x, y, c)
			}
		}
	}
	fill(0, 0, w, h, color.RGBA{236, 228, 214, 255})
	colors := []color.RGBA{{46, 110, 90, 255}, {176, 70, 52, 255}, {44, 74, 120, 255}, {205, 160, 60, 255}, {110, 78, 110, 255}}
	for _, board := range []int{190, 390} {
		for x := 24; x < w-80; {
			width, height := 56+r.IntN(40), 90+r.IntN(60)
			c := colors[r.IntN(len(colors))]
			fill(x, board-height, x+width, board, c)
			fill(x, board-height, x+width, board-height+12, color.RGBA{c.R / 2, c.G / 2, c.B / 2, 255}) // lid
			fill(x+8, board-height/2-14, x+width-8, board-height/2+14, color.RGBA{248, 244, 232, 255})  // label
			x += width + 14 + r.IntN(20)
		}
		fill(0, board, w, board+18, color.RGBA{120, 84, 52, 255})
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

// humming generates somebody humming for two seconds, as a WAV.
func humming(r *rand.Rand) []byte {
	const (
		rate = 8000
		note = rate / 4 // samples in one note
	)
	var sound []byte
	phase := 0.0
	for range 8 {
		pitch := 220 * math.Pow(2, float64([]int{0, 2, 4, 7, 9}[r.IntN(5)])/12)
		for i := range note {
			phase += 2 * math.Pi * pitch / rate
			loud := math.Sin(math.Pi * float64(i) / note)
			sound = append(sound, byte(128+70*loud*math.Sin(phase)))
		}
	}
	head := []byte("RIFF\x00\x00\x00\x00WAVEfmt ")
	for _, field := range []any{uint32(16), uint16(1), uint16(1), uint32(rate), uint32(rate), uint16(1), uint16(8)} { // PCM, mono, 8 bits
		head, _ = binary.Append(head, binary.LittleEndian, field) // cannot fail: the fields have fixed size
	}
	head = binary.LittleEndian.AppendUint32(append(head, "data"...), uint32(len(sound)))
	binary.LittleEndian.PutUint32(head[4:], uint32(len(head)+len(sound)-8))
	return append(head, sound...)
}

// receipt generates a page with a few lines, as a PDF.
func receipt(lines ...string) []byte {
	var text bytes.Buffer
	text.WriteString("BT /F1 14 Tf 60 780 Td 20 TL")
	for _, l := range lines {
		fmt.Fprintf(&text, " (%s) Tj T*", l)
	}
	text.WriteString(" ET")
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", text.Len(), text.String()),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}
	var b, table bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	for i, o := range objects {
		fmt.Fprintf(&table, "%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n",
		len(objects)+1, table.String(), len(objects)+1, at)
	return b.Bytes()
}
