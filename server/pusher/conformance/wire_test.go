package conformance

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"testing"
	"time"
)

// deaf is a connection that accepts all writes and sends nothing of its own.
type deaf struct{ net.Conn }

func (deaf) Write(b []byte) (int, error)      { return len(b), nil }
func (deaf) SetReadDeadline(time.Time) error  { return nil }
func (deaf) SetWriteDeadline(time.Time) error { return nil }

// FuzzNext: whatever a server sends, reading it ends with a message or a named error,
// and returns no more than came.
func FuzzNext(f *testing.F) {
	f.Add(rawFrame{first: final(opText), unmasked: true, payload: []byte(`{"event":"e"}`)}.encode())
	f.Add(rawFrame{first: final(opClose), unmasked: true, payload: []byte{0x0F, 0xA1, 'n', 'o'}}.encode())
	f.Add(rawFrame{first: opText, unmasked: true, payload: make([]byte, 200)}.encode())
	f.Add([]byte{final(opText), 127, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
	f.Add([]byte{final(opPing), 0, final(opText) | 0x40, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &wire{conn: deaf{}, in: bufio.NewReader(bytes.NewReader(data))}
		for {
			_, message, err := w.next(time.Second)
			var end *closed
			switch {
			case errors.As(err, &end):
				return
			case err != nil:
				t.Fatalf("the end is %v", err)
			case len(message) > len(data):
				t.Fatalf("%d bytes of %d", len(message), len(data))
			}
		}
	})
}
