package media

import (
	"encoding/binary"
	"io"
	"math"
)

// maxBoxes bounds the boxes that are read of one file.
const maxBoxes = 4096

// film is what the boxes of an MP4 tell.
type film struct {
	s             *source
	boxes         int
	moov          bool
	video, audio  bool
	width, height uint32
	seconds       uint32

	trackWidth, trackHeight uint32 // of the track that is being read
}

// mp4 returns the Info of an MP4: of a film, or of a sound when it has no picture. A file
// that ends too early has none. QuickTime's own files are documents to WhatsApp.
func mp4(s *source, size int64, phone, quickTime bool) Info {
	f := film{s: s}
	if !f.read(0, size, 0) || !f.moov || quickTime {
		return Info{}
	}
	info := Info{Seconds: f.seconds}
	switch {
	case f.video && f.width > 0 && f.height > 0 && f.width <= maxSide && f.height <= maxSide:
		info.Width, info.Height, info.Type = f.width, f.height, MP4
		if phone {
			info.Type = GP3
		}
	case f.audio && !f.video:
		info.Type = M4A
	default:
		return Info{}
	}
	return info
}

// read reads the boxes between two offsets. It returns false when one of them does not
// lie between them.
func (f *film) read(from, to int64, depth int) bool {
	for from < to {
		if f.boxes++; f.boxes > maxBoxes {
			return false
		}
		var head [16]byte
		if to-from < 8 || !f.at(from, head[:8]) {
			return false
		}
		size, start := int64(binary.BigEndian.Uint32(head[:])), from+8
		switch {
		case size == 0 && depth == 0:
			size = to - from
		case size == 1:
			if to-from < 16 || !f.at(from+8, head[8:]) {
				return false
			}
			size, start = int64(min(binary.BigEndian.Uint64(head[8:]), math.MaxInt64)), from+16
		}
		if size < start-from || size > to-from {
			return false
		}
		if !f.box(string(head[4:8]), start, from+size, depth) {
			return false
		}
		from += size
	}
	return true
}

// box reads one box that the Info needs, and skips any other.
func (f *film) box(name string, from, to int64, depth int) bool {
	switch {
	case name == "moov" && depth == 0:
		f.moov = true
		return f.read(from, to, 1)
	case name == "trak" && depth == 1, name == "mdia" && depth == 2:
		return f.read(from, to, depth+1)
	case name == "mvhd" && depth == 1:
		return f.movieHeader(f.body(from, to))
	case name == "tkhd" && depth == 2:
		return f.trackHeader(f.body(from, to))
	case name == "hdlr" && depth == 3:
		b := f.body(from, to)
		if len(b) < 12 {
			return false
		}
		f.handler(string(b[8:12]))
	}
	return true
}

func (f *film) handler(kind string) {
	switch kind {
	case "vide":
		if !f.video {
			f.width, f.height = f.trackWidth, f.trackHeight
		}
		f.video = true
	case "soun":
		f.audio = true
	}
}

func (f *film) movieHeader(b []byte) bool {
	if len(b) < 20 {
		return false
	}
	scale, duration, unknown := binary.BigEndian.Uint32(b[12:]), uint64(binary.BigEndian.Uint32(b[16:])), uint64(math.MaxUint32)
	if b[0] == 1 {
		if len(b) < 32 {
			return false
		}
		scale, duration, unknown = binary.BigEndian.Uint32(b[20:]), binary.BigEndian.Uint64(b[24:]), math.MaxUint64
	}
	if scale > 0 && duration > 0 && duration != unknown {
		f.seconds = sensible(duration/uint64(scale) + min(1, duration%uint64(scale)))
	}
	return true
}

// trackHeader reads the size of a track's picture, as it is shown.
func (f *film) trackHeader(b []byte) bool {
	matrix := 40
	if len(b) > 0 && b[0] == 1 {
		matrix = 52
	}
	if len(b) < matrix+44 {
		return false
	}
	b = b[matrix:]
	f.trackWidth, f.trackHeight = binary.BigEndian.Uint32(b[36:])>>16, binary.BigEndian.Uint32(b[40:])>>16
	if binary.BigEndian.Uint32(b) == 0 && binary.BigEndian.Uint32(b[16:]) == 0 { // turned by a quarter
		f.trackWidth, f.trackHeight = f.trackHeight, f.trackWidth
	}
	return true
}

// body returns the first bytes of a box.
func (f *film) body(from, to int64) []byte {
	b := make([]byte, min(to-from, 128))
	if !f.at(from, b) {
		return nil
	}
	return b
}

// at fills b from an offset.
func (f *film) at(offset int64, b []byte) bool {
	if _, err := f.s.Seek(offset, io.SeekStart); err != nil {
		return false
	}
	_, err := io.ReadFull(f.s, b)
	return err == nil
}

// sensible returns a duration in seconds, or 0 for one that no file has.
func sensible(seconds uint64) uint32 {
	if seconds > 7*24*60*60 {
		return 0
	}
	return uint32(seconds)
}
