package media

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
)

// Types that Inspect finds. Files of other types are only documents to WhatsApp.
const (
	JPEG = "image/jpeg"
	PNG  = "image/png"
	WebP = "image/webp"
	MP4  = "video/mp4"
	GP3  = "video/3gpp"
	MP3  = "audio/mpeg"
	M4A  = "audio/mp4"
	AAC  = "audio/aac"
	AMR  = "audio/amr"
	Opus = "audio/ogg; codecs=opus"
	WebM = "audio/webm" // a recording of a browser, see Remux
)

// Info is what a file says about itself. Fields that are zero are not known.
type Info struct {
	Type          string // empty: nothing that WhatsApp shows or plays
	Width, Height uint32 // in pixels, as shown
	Seconds       uint32 // at least 1 when known
	Thumbnail     []byte // JPEG
	Waveform      []byte // the loudness of a recording, 64 values from 0 to 100
	Animated      bool   // of a WebP
}

// Inspect reads a file. It leaves the file's offset somewhere. Only an error of the file's
// reader, or the end of ctx while it waits for its turn, is an error: a file that is not
// what it seems has an empty Info.
func Inspect(ctx context.Context, file io.ReadSeeker) (Info, error) {
	s := &source{ReadSeeker: file}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return Info{}, err
	}
	head := make([]byte, 32)
	s.rewind()
	n, _ := io.ReadFull(s, head)
	s.rewind()
	info := inspect(ctx, s, head[:n], size)
	if s.err != nil {
		return Info{}, s.err
	}
	return info, nil
}

func inspect(ctx context.Context, s *source, head []byte, size int64) Info {
	has := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	switch {
	case has(0, "\xff\xd8\xff"):
		return picture(ctx, s, JPEG)
	case has(0, "\x89PNG\r\n\x1a\n"):
		return picture(ctx, s, PNG)
	case has(0, "RIFF") && has(8, "WEBP"):
		info := picture(ctx, s, WebP)
		info.Animated = info.Type != "" && has(12, "VP8X") && len(head) > 20 && head[20]&2 != 0
		return info
	case has(4, "ftyp"):
		return mp4(s, size, has(8, "3gp"), has(8, "qt  "))
	case has(0, "OggS"):
		return oggInfo(s)
	case bytes.HasPrefix(head, ebmlMagic):
		return webmInfo(s)
	case has(0, "#!AMR"):
		return Info{Type: AMR}
	case has(0, "ID3"):
		return Info{Type: MP3}
	case len(head) > 1 && head[0] == 0xff && head[1]&0xf6 == 0xf0:
		return Info{Type: AAC}
	case len(head) > 1 && head[0] == 0xff && head[1]&0xe0 == 0xe0:
		return Info{Type: MP3}
	}
	return Info{}
}

// source remembers an error of the file's reader, to tell it from a file that is cut off.
type source struct {
	io.ReadSeeker
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.ReadSeeker.Read(p)
	if !errors.Is(err, io.EOF) {
		s.fail(err)
	}
	return n, err
}

// fail remembers the first error.
func (s *source) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// rewind sets the offset to the beginning of the file.
func (s *source) rewind() {
	_, err := s.Seek(0, io.SeekStart)
	s.fail(err)
}

// buffered returns a reader of the file from where it is now.
func (s *source) buffered() *bufio.Reader { return bufio.NewReaderSize(s, 32<<10) }
