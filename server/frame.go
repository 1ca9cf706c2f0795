package server

import (
	"encoding/binary"
	"unicode/utf8"
)

// HeaderRoom is the space before a payload that Frame needs for its header.
const HeaderRoom = 10

// Opcodes of RFC 6455, with the FIN bit.
const (
	finText  = 0x81
	finClose = 0x88
	finPing  = 0x89
	finPong  = 0x8A
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
