package conformance

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// The WebSocket protocol (RFC 6455), as far as needed by a client that also violates it
// on purpose.

// Opcodes of frames.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// wire is one WebSocket connection. It is used by one goroutine.
type wire struct {
	conn       net.Conn
	in         *bufio.Reader
	extensions string // accepted by the server
}

// refusal is a response to an upgrade that does not open a WebSocket.
type refusal struct{ status string }

func (r *refusal) Error() string { return "the upgrade was answered with HTTP " + r.status }

// dialWire opens a WebSocket within timeout.
func dialWire(target string, header http.Header, timeout time.Duration) (*wire, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	conn, err := dialTCP(u, timeout)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(timeout))
	w := &wire{conn: conn, in: bufio.NewReader(conn)}
	if err := w.upgrade(u, header); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return w, nil
}

func dialTCP(u *url.URL, timeout time.Duration) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: timeout}
	switch address := u.Host; u.Scheme {
	case "ws":
		if u.Port() == "" {
			address = net.JoinHostPort(u.Hostname(), "80")
		}
		return dialer.Dial("tcp", address)
	case "wss":
		if u.Port() == "" {
			address = net.JoinHostPort(u.Hostname(), "443")
		}
		return tls.DialWithDialer(dialer, "tcp", address, &tls.Config{ServerName: u.Hostname(), NextProtos: []string{"http/1.1"}})
	default:
		return nil, fmt.Errorf("the target %s has neither the scheme ws nor wss", u)
	}
}

func (w *wire) upgrade(u *url.URL, header http.Header) error {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // it never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	req := &http.Request{Method: "GET", URL: &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}, Host: u.Host, Header: http.Header{
		"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {key},
	}}
	for name, values := range header {
		req.Header[name] = values
	}
	if err := req.Write(w.conn); err != nil {
		return err
	}
	res, err := http.ReadResponse(w.in, req)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		return &refusal{res.Status}
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if got := res.Header.Get("Sec-Websocket-Accept"); got != base64.StdEncoding.EncodeToString(sum[:]) {
		return fmt.Errorf("the answer has %q as Sec-WebSocket-Accept, not what belongs to the key", got)
	}
	if got := res.Header.Get("Sec-Websocket-Protocol"); got != "" {
		return fmt.Errorf("the server chose the subprotocol %q, though none was offered", got)
	}
	w.extensions = res.Header.Get("Sec-Websocket-Extensions")
	return nil
}

// rawFrame is one frame as it is on the wire.
type rawFrame struct {
	first    byte // FIN, reserved bits, opcode
	unmasked bool
	payload  []byte
}

// encode returns the bytes of f, with a mask as clients must.
func (f rawFrame) encode() []byte {
	mask := byte(0x80)
	if f.unmasked {
		mask = 0
	}
	b := []byte{f.first}
	switch n := len(f.payload); {
	case n <= 125:
		b = append(b, mask|byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, mask|127), uint64(n))
	}
	if f.unmasked {
		return append(b, f.payload...)
	}
	var key [4]byte
	_, _ = rand.Read(key[:]) // it never fails
	b = append(b, key[:]...)
	for i, c := range f.payload {
		b = append(b, c^key[i%4])
	}
	return b
}

// final returns the first byte of a message of one frame.
func final(opcode byte) byte { return 0x80 | opcode }

func (w *wire) write(b []byte, timeout time.Duration) error {
	_ = w.conn.SetWriteDeadline(time.Now().Add(timeout))
	_, err := w.conn.Write(b)
	return err
}

// maxFrame is the most that a server may send in one frame, in bytes.
const maxFrame = 16 << 20

// readFrame reads one frame. Servers do not mask, and use no reserved bits.
func (w *wire) readFrame() (first byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(w.in, head[:]); err != nil {
		return 0, nil, err
	}
	if head[1]&0x80 != 0 || head[0]&0x70 != 0 {
		return 0, nil, fmt.Errorf("the server sent a frame that begins with % x: masked, or with reserved bits", head)
	}
	length := uint64(head[1])
	if length >= 126 {
		size := map[uint64]int{126: 2, 127: 8}[length]
		var long [8]byte
		if _, err := io.ReadFull(w.in, long[8-size:]); err != nil {
			return 0, nil, err
		}
		length = binary.BigEndian.Uint64(long[:])
	}
	if length > maxFrame {
		return 0, nil, fmt.Errorf("the server sent a frame of %d bytes", length)
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(w.in, payload)
	return head[0], payload, err
}

// closed is how a connection ended: with a close frame (code 1005 if it has none) or
// without one (1006).
type closed struct {
	code   int
	reason string
	cause  error // of 1006
}

func (c *closed) Error() string {
	if c.code == 1006 {
		return fmt.Sprintf("the connection was cut without a close frame (%v)", c.cause)
	}
	return fmt.Sprintf("the connection was closed with %d %q", c.code, c.reason)
}

func closeOf(payload []byte) *closed {
	if len(payload) < 2 {
		return &closed{code: 1005}
	}
	return &closed{code: int(binary.BigEndian.Uint16(payload)), reason: string(payload[2:])}
}

// errSilent means that nothing came in time.
var errSilent = errors.New("nothing came")

// next reads one message or the payload of a pong, and answers pings. Its errors are
// errSilent and *closed.
func (w *wire) next(timeout time.Duration) (opcode byte, message []byte, err error) {
	_ = w.conn.SetReadDeadline(time.Now().Add(timeout))
	for opcode = opContinuation; ; {
		first, payload, err := w.readFrame()
		var late net.Error
		switch {
		case errors.As(err, &late) && late.Timeout():
			return 0, nil, errSilent
		case err != nil:
			return 0, nil, &closed{code: 1006, cause: err}
		}
		switch op := first & 0xF; op {
		case opClose:
			_ = w.write(rawFrame{first: final(opClose), payload: payload}.encode(), timeout)
			return 0, nil, closeOf(payload)
		case opPing:
			_ = w.write(rawFrame{first: final(opPong), payload: payload}.encode(), timeout)
			continue
		case opPong:
			return opPong, payload, nil
		case opContinuation:
		default:
			opcode = op
		}
		message = append(message, payload...)
		if first&0x80 != 0 {
			return opcode, bytes.Clone(message), nil
		}
	}
}
