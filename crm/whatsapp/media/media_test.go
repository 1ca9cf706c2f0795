package media_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"testing"

	"chatcast/crm/whatsapp/media"
	"chatcast/crm/whatsapp/whatsapptest"
)

func inspect(t testing.TB, b []byte) media.Info {
	t.Helper()
	info, err := media.Inspect(t.Context(), bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func ogg(t testing.TB, seconds int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := media.Remux(&b, bytes.NewReader(whatsapptest.Recording(seconds))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pngHead returns the beginning of a PNG that says it has this size.
func pngHead(w, h uint32) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		panic(err)
	}
	raw := b.Bytes()
	binary.BigEndian.PutUint32(raw[16:], w)
	binary.BigEndian.PutUint32(raw[20:], h)
	binary.BigEndian.PutUint32(raw[29:], crc(raw[12:29]))
	return raw
}

func TestInspect(t *testing.T) {
	for name, c := range map[string]struct {
		file                   []byte
		typ                    string
		width, height, seconds uint32
	}{
		"photo":              {whatsapptest.Photo(640, 480), media.JPEG, 640, 480, 0},
		"photo held upright": {exif(whatsapptest.Photo(640, 480), 6), media.JPEG, 480, 640, 0},
		"photo upside down":  {exif(whatsapptest.Photo(640, 480), 3), media.JPEG, 640, 480, 0},
		"png":                {pngHead(1, 1), media.PNG, 1, 1, 0},
		"webp":               {whatsapptest.StickerFile(), media.WebP, 1, 1, 0},
		"film":               {whatsapptest.Film(320, 240, 5), media.MP4, 320, 240, 5},
		"film without time":  {whatsapptest.Film(320, 240, 0), media.MP4, 320, 240, 0},
		"voice":              {ogg(t, 3), media.Opus, 0, 0, 3},
		"recording":          {whatsapptest.Recording(3), media.WebM, 0, 0, 3},
		"mp3":                {[]byte("ID3\x04rest"), media.MP3, 0, 0, 0},
		"amr":                {[]byte("#!AMR\n"), media.AMR, 0, 0, 0},
		"aac":                {[]byte{0xff, 0xf1, 0x50}, media.AAC, 0, 0, 0},

		"empty":                  {},
		"text":                   {file: []byte("just a text")},
		"photo cut off":          {file: whatsapptest.Photo(640, 480)[:2000]},
		"film cut off":           {file: whatsapptest.Film(320, 240, 5)[:500]},
		"film without a picture": {file: whatsapptest.Film(0, 0, 5)},
		"voice without sound":    {file: ogg(t, 3)[:120]},
		"recording without":      {file: whatsapptest.Recording(0)},
		"huge png":               {file: pngHead(60_000, 60_000)},
		"wide png":               {file: pngHead(1<<31-1, 1)},
		"png of nothing":         {file: pngHead(0, 5)},
		"png that is none":       {file: []byte("\x89PNG\r\n\x1a\npixels")},
	} {
		got := inspect(t, c.file)
		if got.Type != c.typ || got.Width != c.width || got.Height != c.height || got.Seconds != c.seconds {
			t.Errorf("%s is %+v, want %+v", name, got, c.typ)
		}
	}
}

// TestLargePictureHasNoThumbnail checks that a picture that would take much memory is not
// decoded.
func TestLargePictureHasNoThumbnail(t *testing.T) {
	got := inspect(t, pngHead(9000, 9000))
	if got.Type != media.PNG || got.Width != 9000 || got.Thumbnail != nil {
		t.Errorf("a picture of 81 megapixels is %+v", got)
	}
}

func TestThumbnail(t *testing.T) {
	got := inspect(t, whatsapptest.Photo(800, 200))
	small, err := jpeg.Decode(bytes.NewReader(got.Thumbnail))
	if err != nil || small.Bounds().Dx() != 100 || small.Bounds().Dy() != 25 || len(got.Thumbnail) > 8<<10 {
		t.Fatalf("the thumbnail has %d bytes and is %v, %v", len(got.Thumbnail), small.Bounds(), err)
	}
	clear := image.NewNRGBA(image.Rect(0, 0, 50, 50))
	var b bytes.Buffer
	if err := png.Encode(&b, clear); err != nil {
		t.Fatal(err)
	}
	small, err = jpeg.Decode(bytes.NewReader(inspect(t, b.Bytes()).Thumbnail))
	if err != nil {
		t.Fatal(err)
	}
	if r, _, _, _ := small.At(25, 25).RGBA(); color.Gray16Model.Convert(small.At(25, 25)).(color.Gray16).Y < 0xf000 {
		t.Errorf("what is transparent is shown as %x", r)
	}
	if media.Thumbnail(got.Thumbnail) == nil {
		t.Error("a thumbnail is refused")
	}
	for _, bad := range [][]byte{nil, []byte("text"), pngHead(1, 1), whatsapptest.Photo(1500, 2), append(whatsapptest.Photo(2, 2), make([]byte, 1<<15)...)} {
		if media.Thumbnail(bad) != nil {
			t.Errorf("%.10q of %d bytes is taken as a thumbnail", bad, len(bad))
		}
	}
}

func TestWaveform(t *testing.T) {
	wave := inspect(t, ogg(t, 4)).Waveform
	if len(wave) != 64 || slices.Max(wave) != 100 || slices.Min(wave) != 0 || wave[32] < 90 || wave[0] > 10 || wave[63] > 10 {
		t.Errorf("the loudness is %v", wave)
	}
}

// TestRemux checks that a recording keeps its duration and its packets, and that each page
// has its number and its sum.
func TestRemux(t *testing.T) {
	file := ogg(t, 130)
	if got := inspect(t, file); got.Type != media.Opus || got.Seconds != 130 {
		t.Errorf("it is %+v", got)
	}
	number, last := uint32(0), byte(0)
	for len(file) > 0 {
		size := 27 + int(file[26])
		for _, n := range file[27:size] {
			size += int(n)
		}
		page := slices.Clone(file[:size])
		sum := binary.LittleEndian.Uint32(page[22:])
		binary.LittleEndian.PutUint32(page[22:], 0)
		if string(page[:4]) != "OggS" || binary.LittleEndian.Uint32(page[18:]) != number || sum != pageSum(page) {
			t.Fatalf("page %d is %x", number, page[:27])
		}
		last = page[5]
		number, file = number+1, file[size:]
	}
	if number < 4 || last != 4 {
		t.Errorf("%d pages, the last with the flags %d", number, last)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "text": []byte("text"), "no packets": whatsapptest.Recording(0), "another codec": bytes.Replace(whatsapptest.Recording(1), []byte("A_OPUS"), []byte("A_VORB"), 1),
	} {
		if err := media.Remux(io.Discard, bytes.NewReader(b)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	cut := whatsapptest.Recording(4)
	if got := inspect(t, cut[:len(cut)/2]); got.Type != media.WebM || got.Seconds < 1 || got.Seconds > 3 {
		t.Errorf("half of a recording is %+v", got)
	}
}

// TestReaderFails checks that an error of the store is no verdict on the file.
func TestReaderFails(t *testing.T) {
	away := errors.New("the store is away")
	for _, b := range [][]byte{whatsapptest.Photo(640, 480), whatsapptest.Film(320, 240, 5), ogg(t, 2)} {
		if _, err := media.Inspect(t.Context(), &failing{bytes.NewReader(b), 100, away}); !errors.Is(err, away) {
			t.Errorf("the error is %v", err)
		}
	}
}

// failing is a reader that fails after so many bytes.
type failing struct {
	*bytes.Reader
	left int
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	if f.left <= 0 {
		return 0, f.err
	}
	n, err := f.Reader.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}

// TestInspectGivesUp checks that who waits while another picture is decoded does not wait
// for ever.
func TestInspectGivesUp(t *testing.T) {
	slow := &stalling{Reader: bytes.NewReader(whatsapptest.Photo(64, 64)), decoding: make(chan struct{}), resume: make(chan struct{})}
	ended := make(chan media.Info, 1)
	go func() {
		got, _ := media.Inspect(t.Context(), slow)
		ended <- got
	}()
	<-slow.decoding
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := media.Inspect(ctx, bytes.NewReader(whatsapptest.Photo(64, 64))); !errors.Is(err, context.Canceled) {
		t.Errorf("it is %+v, %v", got, err)
	}
	close(slow.resume)
	if got := <-ended; got.Thumbnail == nil {
		t.Errorf("the first picture is %+v", got)
	}
	if got := inspect(t, whatsapptest.Photo(64, 64)); got.Thumbnail == nil {
		t.Errorf("the next picture is %+v", got)
	}
}

// stalling is a reader that stops where its picture is decoded: after its size and its
// orientation were read.
type stalling struct {
	*bytes.Reader
	rewinds          int
	decoding, resume chan struct{}
}

func (s *stalling) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		s.rewinds++
	}
	return s.Reader.Seek(offset, whence)
}

func (s *stalling) Read(p []byte) (int, error) {
	if s.rewinds == 4 {
		s.rewinds++
		close(s.decoding)
		<-s.resume
	}
	return s.Reader.Read(p)
}

// TestLargePackets checks that what fits into no page of Ogg is not taken as sound.
func TestLargePackets(t *testing.T) {
	for size, fits := range map[int]bool{255 * 254: true, 255*255 - 1: true, 255 * 255: false, 65_530: false} {
		packet := slices.Concat([]byte{0x81, 0, 0, 0x80, 0xf8}, bytes.Repeat([]byte{7}, size-1))
		file := slices.Concat(whatsapptest.Recording(1), []byte{0xa3}, binary.BigEndian.AppendUint32(nil, uint32(len(packet))|0x10000000), packet)
		var out bytes.Buffer
		err := media.Remux(&out, bytes.NewReader(file))
		got := inspect(t, file)
		if !fits {
			if err == nil || got.Type != "" {
				t.Errorf("%d bytes: it is %q, and written with %v", size, got.Type, err)
			}
			continue
		}
		if again := inspect(t, out.Bytes()); err != nil || got.Type != media.WebM || again.Type != media.Opus || again.Seconds != got.Seconds || !bytes.Equal(again.Waveform, got.Waveform) {
			t.Errorf("%d bytes: %v; it is %+v, and written %+v", size, err, got, again)
		}
	}
}

func FuzzInspect(f *testing.F) {
	for _, b := range [][]byte{
		whatsapptest.Photo(8, 8), exif(whatsapptest.Photo(8, 8), 6), pngHead(1, 1), whatsapptest.StickerFile(), whatsapptest.Film(16, 16, 1), whatsapptest.Recording(1), ogg(f, 1),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got := inspect(t, b)
		if got.Type == "" && (got.Width != 0 || got.Height != 0 || got.Seconds != 0 || got.Thumbnail != nil || got.Waveform != nil) {
			t.Errorf("nothing is known and yet %+v", got)
		}
		if got.Type == media.WebM {
			var out bytes.Buffer
			if err := media.Remux(&out, bytes.NewReader(b)); err != nil {
				t.Fatal(err)
			}
			again := inspect(t, out.Bytes())
			if again.Type != media.Opus || again.Seconds != got.Seconds || !bytes.Equal(again.Waveform, got.Waveform) {
				t.Errorf("%+v became %+v", got, again)
			}
		}
	})
}
