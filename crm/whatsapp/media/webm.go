package media

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
)

var (
	ebmlMagic = []byte{0x1a, 0x45, 0xdf, 0xa3}
	errFormat = errors.New("media: the file is not what it seems")
)

// Elements of WebM that are looked at.
const (
	idSegment      = 0x18538067
	idTracks       = 0x1654ae6b
	idTrack        = 0xae
	idTrackNumber  = 0xd7
	idTrackType    = 0x83
	idCodec        = 0x86
	idCodecPrivate = 0x63a2
	idCluster      = 0x1f43b675
	idBlockGroup   = 0xa0
	idBlock        = 0xa1
	idSimpleBlock  = 0xa3
)

const (
	maxElement = 1 << 16 // bytes of an element that is read; no packet of Opus has more
	maxTracks  = 16
)

type track struct {
	number, kind uint64
	codec        string
	private      []byte
}

// webmInfo returns the Info of a recording in WebM: Opus and nothing else.
func webmInfo(s *source) Info {
	var r recording
	if err := readWebM(s.buffered(), &r, func([]byte, uint64) {}); err != nil {
		return Info{}
	}
	return r.info(WebM)
}

// Remux writes a recording for which Inspect returned WebM as Ogg.
func Remux(w io.Writer, file io.Reader) error {
	var r recording
	var out *oggWriter
	err := readWebM(bufio.NewReader(file), &r, func(packet []byte, samples uint64) {
		if out == nil {
			out = newOggWriter(w, r.head)
		}
		out.packet(packet, samples)
	})
	if err != nil {
		return err
	}
	if out == nil {
		return errFormat
	}
	return out.close()
}

// readWebM calls packet for each packet of a recording. It stops without an error where
// the file is cut off. The elements that hold others are not taken as trees but read
// through, because browsers do not write their sizes.
func readWebM(r *bufio.Reader, rec *recording, packet func(b []byte, samples uint64)) error {
	var tracks []track
	var sound uint64
	for {
		id, size, ok := element(r)
		if !ok {
			return nil
		}
		switch id {
		case idSegment, idTracks, idBlockGroup:
			continue
		case idTrack:
			if tracks = append(tracks, track{}); len(tracks) > maxTracks {
				return errFormat
			}
			continue
		case idCluster:
			if sound == 0 {
				if sound, ok = soundOf(tracks, rec); !ok {
					return errFormat
				}
			}
			continue
		case idTrackNumber, idTrackType, idCodec, idCodecPrivate, idBlock, idSimpleBlock:
		default:
			if size == unknownSize {
				return errFormat
			}
			if !discard(r, size) {
				return nil
			}
			continue
		}
		if size > maxElement {
			return errFormat
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil
		}
		if id != idBlock && id != idSimpleBlock {
			if len(tracks) == 0 {
				return errFormat
			}
			tracks[len(tracks)-1].set(id, b)
			continue
		}
		if !block(b, sound, rec, packet) {
			return errFormat
		}
	}
}

func (t *track) set(id uint64, b []byte) {
	switch id {
	case idTrackNumber:
		t.number = number(b)
	case idTrackType:
		t.kind = number(b)
	case idCodec:
		t.codec = string(bytes.TrimRight(b, "\x00"))
	case idCodecPrivate:
		t.private = b
	}
}

// soundOf returns the number of the only track, when it is Opus.
func soundOf(tracks []track, rec *recording) (number uint64, ok bool) {
	if len(tracks) != 1 || tracks[0].codec != "A_OPUS" || tracks[0].kind != 2 || tracks[0].number == 0 {
		return 0, false
	}
	rec.head, ok = parseOpusHead(tracks[0].private)
	return tracks[0].number, ok
}

// block adds the packet of a block. It returns false for what is no packet of Opus.
func block(b []byte, sound uint64, rec *recording, packet func(b []byte, samples uint64)) bool {
	in := bufio.NewReaderSize(bytes.NewReader(b), 16)
	of, length, ok := vint(in, true)
	if !ok || sound == 0 || of != sound || len(b) < length+3 || b[length+2]&0x06 != 0 { // packets laced together
		return false
	}
	b = b[length+3:]
	samples, ok := rec.add(b[:min(len(b), 2)], len(b))
	if ok {
		packet(b, samples)
	}
	return ok
}

const unknownSize = 1<<64 - 1

// element reads the head of an element.
func element(r *bufio.Reader) (id, size uint64, ok bool) {
	if id, _, ok = vint(r, false); !ok {
		return 0, 0, false
	}
	size, _, ok = vint(r, true)
	return id, size, ok
}

// vint reads a number of EBML, without its marker when it is a value. A value with all
// bits set is unknownSize.
func vint(r *bufio.Reader, value bool) (n uint64, length int, ok bool) {
	first, err := r.ReadByte()
	if err != nil || first == 0 {
		return 0, 0, false
	}
	length = bits.LeadingZeros8(first) + 1
	n = uint64(first)
	if value {
		n &= 1<<(8-length) - 1
	}
	for range length - 1 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, 0, false
		}
		n = n<<8 | uint64(b)
	}
	if value && n == 1<<(7*length)-1 {
		n = unknownSize
	}
	return n, length, true
}

// number returns the value of an element that is an unsigned integer.
func number(b []byte) uint64 {
	if len(b) > 8 {
		return 0
	}
	var whole [8]byte
	copy(whole[8-len(b):], b)
	return binary.BigEndian.Uint64(whole[:])
}

// discard skips so many bytes, and reports whether they were there.
func discard(r *bufio.Reader, n uint64) bool {
	const most = 1 << 30
	for n > 0 {
		part := min(n, most)
		if _, err := r.Discard(int(part)); err != nil {
			return false
		}
		n -= part
	}
	return true
}
