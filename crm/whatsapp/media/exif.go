package media

import (
	"bufio"
	"encoding/binary"
	"io"
)

// sideways reports whether a JPEG is to be shown turned by a quarter, as the pictures of
// phones that were held upright are.
func sideways(r *bufio.Reader) bool {
	o := turned(r)
	return o >= 5 && o <= 8
}

// turned returns how a JPEG is to be turned, as Exif numbers it: 1 to 8, or 0 when it does
// not say so.
func turned(r *bufio.Reader) uint16 {
	if _, err := r.Discard(2); err != nil {
		return 0
	}
	for range 32 { // segments before the picture
		var head [4]byte
		if _, err := io.ReadFull(r, head[:]); err != nil || head[0] != 0xff || head[1] == 0xda {
			return 0
		}
		size := int(binary.BigEndian.Uint16(head[2:])) - 2
		if size < 0 {
			return 0
		}
		if head[1] != 0xe1 {
			if _, err := r.Discard(size); err != nil {
				return 0
			}
			continue
		}
		segment := make([]byte, size)
		if _, err := io.ReadFull(r, segment); err != nil {
			return 0
		}
		if o := orientation(segment); o > 0 {
			return o
		}
	}
	return 0
}

// orientation returns the orientation in an Exif segment, or 0.
func orientation(b []byte) uint16 {
	if len(b) < 14 || string(b[:6]) != "Exif\x00\x00" {
		return 0
	}
	b = b[6:]
	var order binary.ByteOrder = binary.BigEndian
	if string(b[:2]) == "II" {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 0
	}
	entries := int(order.Uint16(b[at:]))
	for i := range entries {
		entry := at + 2 + 12*int64(i)
		if entry+12 > int64(len(b)) {
			return 0
		}
		if order.Uint16(b[entry:]) == 0x0112 {
			return order.Uint16(b[entry+8:])
		}
	}
	return 0
}
