package whatsapptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/coder/websocket"
	"go.mau.fi/whatsmeow/socket"
)

// A frame is a length in three bytes, followed by that many bytes. A stream of
// frames runs over binary WebSocket messages, whose boundaries mean nothing. The
// client opens its stream with "WA" and two version bytes.

// frameReader splits the client's stream into frames. The reader owns it.
type frameReader struct {
	ws     *websocket.Conn
	buffer []byte
	opened bool
}

func (r *frameReader) read(ctx context.Context) ([]byte, error) {
	for {
		if frame, ok, err := r.cut(); ok || err != nil {
			return frame, err
		}
		kind, data, err := r.ws.Read(ctx)
		if err != nil {
			return nil, err
		}
		if kind != websocket.MessageBinary {
			return nil, errors.New("a WebSocket message that is not binary")
		}
		r.buffer = append(r.buffer, data...)
	}
}

func (r *frameReader) cut() (frame []byte, ok bool, err error) {
	if !r.opened {
		if len(r.buffer) < len(socket.WAConnHeader) {
			return nil, false, nil
		}
		head := r.buffer[:len(socket.WAConnHeader)]
		if !bytes.Equal(head, socket.WAConnHeader) {
			return nil, false, fmt.Errorf("the stream opens with % x", head)
		}
		r.buffer, r.opened = r.buffer[len(head):], true
	}
	if len(r.buffer) < socket.FrameLengthSize {
		return nil, false, nil
	}
	n := int(r.buffer[0])<<16 | int(r.buffer[1])<<8 | int(r.buffer[2])
	if len(r.buffer) < socket.FrameLengthSize+n {
		return nil, false, nil
	}
	frame = bytes.Clone(r.buffer[socket.FrameLengthSize : socket.FrameLengthSize+n])
	r.buffer = r.buffer[socket.FrameLengthSize+n:]
	return frame, true, nil
}

// framed returns a frame as it is written to the wire.
func framed(data []byte) []byte {
	n := len(data)
	return append([]byte{byte(n >> 16), byte(n >> 8), byte(n)}, data...)
}
