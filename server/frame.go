package server

import (
	"encoding/binary"
	"iter"
	"unicode/utf8"
)

// HeaderRoom is the space before a payload that Frame needs for its header.
const HeaderRoom = 10

// Opcodes of RFC 6455, with the FIN bit.
const (
	finText   = 0x81
	finBinary = 0x82
	finClose  = 0x88
	finPing   = 0x89
	finPong   = 0x8A
)

// Frame makes a complete text frame of the payload that follows HeaderRoom bytes in
// buf. The frame is a part of buf: it may be shared but must not be changed.
func Frame(buf []byte) []byte {
	n := len(buf) - HeaderRoom
	switch {
	case n < 126:
		buf = buf[HeaderRoom-2:]
		buf[1] = byte(n)
	case n < 1<<16:
		buf = buf[HeaderRoom-4:]
		buf[1] = 126
		binary.BigEndian.PutUint16(buf[2:], uint16(n))
	default:
		buf[1] = 127
		binary.BigEndian.PutUint64(buf[2:], uint64(n))
	}
	buf[0] = finText
	return buf
}

// AppendHeader appends the header of a text frame whose payload has n bytes. The payload
// must follow. Several frames may stand in one slice, which is queued as one frame.
func AppendHeader(b []byte, n int) []byte { return appendHeader(b, finText, n) }

// AppendBinaryHeader is AppendHeader for a binary frame.
func AppendBinaryHeader(b []byte, n int) []byte { return appendHeader(b, finBinary, n) }

func appendHeader(b []byte, op byte, n int) []byte {
	switch {
	case n < 126:
		return append(b, op, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, op, 126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(b, op, 127), uint64(n))
}

// IsBinary reports whether a frame is binary.
func IsBinary(frame []byte) bool { return len(frame) > 0 && frame[0] == finBinary }

// Split yields the frames in b one by one. Each of them is a part of b. What is left in the
// end and is no whole frame is not yielded.
func Split(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			size := frameSize(b)
			if size == 0 || size > len(b) || !yield(b[:size]) {
				return
			}
			b = b[size:]
		}
	}
}

// frameSize returns the size of the frame that b begins with, or 0 if its header is not
// complete.
func frameSize(b []byte) int {
	switch {
	case len(b) >= 2 && b[1] < 126:
		return 2 + int(b[1])
	case len(b) >= 4 && b[1] == 126:
		return 4 + int(binary.BigEndian.Uint16(b[2:]))
	case len(b) >= 10 && b[1] == 127:
		return 10 + int(binary.BigEndian.Uint64(b[2:])&(1<<40-1))
	}
	return 0
}

// Payload returns the payload of a frame made by Frame, as a part of the frame.
func Payload(frame []byte) []byte {
	if len(frame) < 2 {
		return nil
	}
	switch frame[1] {
	case 126:
		return frame[4:]
	case 127:
		return frame[10:]
	}
	return frame[2:]
}

// control makes a control frame. It drops data beyond 125 bytes, which the protocol
// does not allow.
func control(op byte, data []byte) []byte {
	data = data[:min(len(data), 125)]
	b := make([]byte, 0, 2+len(data))
	b = append(b, op, byte(len(data)))
	return append(b, data...)
}

// closeFrame makes a close frame. A message that is too long is cut between two
// characters; code 0 makes a frame without a code.
func closeFrame(code int, message string) []byte {
	if code == 0 {
		return control(finClose, nil)
	}
	if len(message) > 123 {
		message = message[:123]
		for !utf8.ValidString(message) {
			message = message[:len(message)-1]
		}
	}
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(message)), uint16(code))
	return control(finClose, append(b, message...))
}
