package pusher_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
)

// These tests write bytes that no library would send.

// bytesSocket is a socket without any library on the client's side.
type bytesSocket struct {
	t  *testing.T
	nc net.Conn
	br *bufio.Reader
}

// handshakeOf returns the handshake request of a socket.
func handshakeOf(extra string) string {
	return "GET " + connectPath + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + extra + "\r\n"
}

// bytes opens a socket, with first sent together with the handshake, and reads the
// greeting.
func (h *harness) bytes(t *testing.T, extra, first string) *bytesSocket {
	t.Helper()
	nc, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(testwait.Long))
	b := &bytesSocket{t: t, nc: nc, br: bufio.NewReader(nc)}
	b.write([]byte(handshakeOf(extra) + first))
	res, err := http.ReadResponse(b.br, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v, %v", res, err)
	}
	for _, name := range []string{"Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"} {
		if v := res.Header.Get(name); v != "" {
			t.Errorf("%s: %s", name, v)
		}
	}
	if op, text := b.read(); op != 0x81 || !established.Match(text) {
		t.Fatalf("the greeting is %x %s", op, text)
	}
	return b
}

func (b *bytesSocket) write(p []byte) {
	b.t.Helper()
	if _, err := b.nc.Write(p); err != nil {
		b.t.Fatal(err)
	}
}

// read returns the first byte of a frame and its payload. Frames from servers are not
// masked.
func (b *bytesSocket) read() (first byte, payload []byte) {
	b.t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(b.br, head[:]); err != nil {
		b.t.Fatalf("no frame: %v", err)
	}
	n := int(head[1])
	if n == 126 {
		var long [2]byte
		if _, err := io.ReadFull(b.br, long[:]); err != nil {
			b.t.Fatal(err)
		}
		n = int(binary.BigEndian.Uint16(long[:]))
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(b.br, payload); err != nil {
		b.t.Fatal(err)
	}
	return head[0], payload
}

func (b *bytesSocket) expect(first byte, payload string) {
	b.t.Helper()
	if op, got := b.read(); op != first || string(got) != payload {
		b.t.Errorf("got %x %.200q, want %x %.200q", op, got, first, payload)
	}
}

// ends checks that the next frame is a close frame with code (0: none), and that the
// connection ends after it.
func (b *bytesSocket) ends(code int) {
	b.t.Helper()
	op, got := b.read()
	if op != 0x88 || code == 0 && len(got) > 0 || code > 0 && (len(got) < 2 || int(binary.BigEndian.Uint16(got)) != code) {
		b.t.Errorf("got %x %q, want a close frame with %d", op, got, code)
	}
	if _, err := b.br.ReadByte(); err == nil {
		b.t.Error("more comes after the close frame")
	}
}

// masked returns a frame as clients send it.
func masked(first byte, payload string) []byte {
	f := []byte{first}
	switch n := len(payload); {
	case n < 126:
		f = append(f, 0x80|byte(n))
	case n < 1<<16:
		f = append(f, 0x80|126, byte(n>>8), byte(n))
	default:
		f = binary.BigEndian.AppendUint64(append(f, 0x80|127), uint64(n))
	}
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	f = append(f, key[:]...)
	for i := range len(payload) {
		f = append(f, payload[i]^key[i%4])
	}
	return f
}

const (
	pingText = `{"event":"pusher:ping","data":"{}"}`
	pongText = `{"event":"pusher:pong","data":"{}"}`
)

// Valid input is accepted, however it is split into frames and packets.
func TestWireGood(t *testing.T) {
	h := newHarness(t)
	join := func(frames ...[]byte) []byte { return bytes.Join(frames, nil) }
	const subscribe = `{"event":"pusher:subscribe","data":{"channel":"news"}}`
	padded := func(n int) string { return pingText + strings.Repeat(" ", n-len(pingText)) }
	for name, test := range map[string]struct {
		sent []byte
		want []string // text frames; one that begins with \x8a is a pong
	}{
		"one frame":         {masked(0x81, pingText), []string{pongText}},
		"a pong":            {join(masked(0x8a, "x"), masked(0x81, pingText)), []string{pongText}},
		"a ping":            {masked(0x89, "hello"), []string{"\x8ahello"}},
		"an empty ping":     {masked(0x89, ""), []string{"\x8a"}},
		"a ping of 125":     {masked(0x89, strings.Repeat("p", 125)), []string{"\x8a" + strings.Repeat("p", 125)}},
		"three fragments":   {join(masked(0x01, pingText[:5]), masked(0x00, pingText[5:20]), masked(0x80, pingText[20:])), []string{pongText}},
		"an empty fragment": {join(masked(0x01, ""), masked(0x00, ""), masked(0x80, pingText)), []string{pongText}},
		"a ping between":    {join(masked(0x01, pingText[:5]), masked(0x89, "p"), masked(0x80, pingText[5:])), []string{"\x8ap", pongText}},
		"two in one packet": {join(masked(0x81, subscribe), masked(0x81, pingText)), []string{succeeded("news"), pongText}},
		"a rune in two":     {join(masked(0x01, `{"event":"pusher:ping","data":"`+"\xc3"), masked(0x80, "\xbc"+`"}`)), []string{pongText}},
		"125 bytes":         {masked(0x81, padded(125)), []string{pongText}},
		"126 bytes":         {masked(0x81, padded(126)), []string{pongText}},
		"the limit less 1":  {masked(0x81, padded(16<<10-1)), []string{pongText}},
		"the limit":         {masked(0x81, padded(16<<10)), []string{pongText}},
		"a length too long": {append([]byte{0x81, 0x80 | 126, 0, byte(len(pingText)), 0, 0, 0, 0}, pingText...), []string{pongText}},
		"the limit in many": {func() (b []byte) {
			b = masked(0x01, pingText)
			for range 16<<10 - len(pingText) {
				b = append(b, masked(0x00, " ")...)
			}
			return append(b, masked(0x80, "")...)
		}(), []string{pongText}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 7, len(test.sent)} {
				if len(test.sent)/size > 1000 {
					continue
				}
				b := h.bytes(t, "", "")
				for p := range bytesIn(test.sent, size) {
					b.write(p)
				}
				for _, want := range test.want {
					if pong, ok := strings.CutPrefix(want, "\x8a"); ok {
						b.expect(0x8a, pong)
					} else {
						b.expect(0x81, want)
					}
				}
				b.write(masked(0x88, "\x03\xe8"))
				b.ends(1000)
			}
		})
	}
}

// bytesIn splits p into pieces.
func bytesIn(p []byte, size int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(p) > 0 {
			n := min(size, len(p))
			if !yield(p[:n]) {
				return
			}
			p = p[n:]
		}
	}
}

// A violation of RFC 6455, or of the protocol's "text frames only", ends only this
// socket, with the matching code.
func TestWireBad(t *testing.T) {
	h := newHarness(t)
	other := h.bytes(t, "", "")
	join := func(frames ...[]byte) []byte { return bytes.Join(frames, nil) }
	length := func(b ...byte) []byte { return append([]byte{0x81, 0x80 | 127}, append(b, 0, 0, 0, 0)...) }
	for name, test := range map[string]struct {
		sent []byte
		code int
	}{
		"binary":                   {masked(0x82, pingText), 1003},
		"binary in two":            {join(masked(0x02, "x"), masked(0x80, "y")), 1003},
		"empty binary":             {masked(0x82, ""), 1003},
		"unmasked":                 {append([]byte{0x81, byte(len(pingText))}, pingText...), 1002},
		"unmasked ping":            {[]byte{0x89, 0}, 1002},
		"reserved bit 1":           {masked(0xc1, pingText), 1002}, // compressed, which was not negotiated
		"reserved bit 2":           {masked(0xa1, pingText), 1002},
		"reserved bit 3":           {masked(0x91, pingText), 1002},
		"reserved bit of a ping":   {masked(0xc9, ""), 1002},
		"opcode 3":                 {masked(0x83, pingText), 1002},
		"opcode 7":                 {masked(0x87, pingText), 1002},
		"opcode 11":                {masked(0x8b, ""), 1002},
		"opcode 15":                {masked(0x8f, ""), 1002},
		"a ping of 126":            {masked(0x89, strings.Repeat("p", 126)), 1002},
		"a pong of 126":            {masked(0x8a, strings.Repeat("p", 126)), 1002},
		"a close of 126":           {masked(0x88, "\x03\xe8"+strings.Repeat("p", 124)), 1002},
		"a ping in fragments":      {masked(0x09, "p"), 1002},
		"a close in fragments":     {masked(0x08, ""), 1002},
		"continuation of nothing":  {masked(0x80, pingText), 1002},
		"text within fragments":    {join(masked(0x01, "{"), masked(0x81, pingText)), 1002},
		"close with one byte":      {masked(0x88, "\x03"), 0}, // it ends either way
		"close with code 1005":     {masked(0x88, "\x03\xed"), 1002},
		"close with code 999":      {masked(0x88, "\x03\xe7"), 1002},
		"close with bad text":      {masked(0x88, "\x03\xe8\xff"), 1002},
		"not UTF-8":                {masked(0x81, "\xff"), 1007},
		"not UTF-8 in fragments":   {join(masked(0x01, "\xc3"), masked(0x80, "\x28")), 1007},
		"half a rune":              {masked(0x81, "\xc3"), 1007},
		"a surrogate":              {masked(0x81, "\xed\xa0\x80"), 1007},
		"over the limit":           {masked(0x81, strings.Repeat(" ", 16<<10+1)), 1009},
		"over the limit, 2 frames": {join(masked(0x01, strings.Repeat(" ", 16<<10)), masked(0x80, " ")), 1009},
		"over the limit, 70,000":   {masked(0x81, strings.Repeat(" ", 70_000)), 1009},
		"a length of 2^63":         {length(0x80, 0, 0, 0, 0, 0, 0, 0), 1002},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, len(test.sent)} {
				if len(test.sent)/size > 1000 {
					continue
				}
				b := h.bytes(t, "", "")
				for p := range bytesIn(test.sent, size) {
					if _, err := b.nc.Write(p); err != nil {
						break // it has already been closed, as it should
					}
				}
				b.ends(test.code)
			}
		})
	}
	other.write(masked(0x81, pingText))
	other.expect(0x81, pongText)
}

// An absurd length allocates no memory, and an incomplete frame is dropped.
func TestWireUnfinished(t *testing.T) {
	h := newHarness(t)
	for name, sent := range map[string][]byte{
		"a frame of 2^62 bytes": {0x81, 0x80 | 127, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'x'},
		"half a head":           {0x81},
		"half a length":         {0x81, 0x80 | 126, 1},
		"half a mask":           {0x81, 0x82, 1, 2},
		"half a message":        masked(0x81, pingText)[:10],
		"a fragment":            masked(0x01, pingText),
	} {
		b := h.bytes(t, "", "")
		b.write(sent)
		if err := b.nc.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		// nothing is answered after the end, except for a close frame
		rest, err := io.ReadAll(b.br)
		if err != nil || len(rest) > 0 && rest[0] != 0x88 {
			t.Errorf("%s: %x %v", name, rest, err)
		}
	}
	h.stop()
	if st := h.engine.Stats(); st.Sockets != 0 {
		t.Errorf("left: %+v", st)
	}
}

// Offered compression and subprotocols are not accepted; a message sent together with
// the handshake is not lost.
func TestWireHandshake(t *testing.T) {
	h := newHarness(t)
	b := h.bytes(t, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nSec-WebSocket-Protocol: chat\r\n", "")
	b.write(masked(0x81, pingText))
	b.expect(0x81, pongText)
	for name, want := range map[string]int{
		handshakeOf(""): 101,
		strings.Replace(handshakeOf(""), "Version: 13", "Version: 8", 1):                           400,
		strings.Replace(handshakeOf(""), "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", "", 1): 400,
		strings.Replace(handshakeOf(""), "AAAAAAAAAAAAAAAAAAAAAA==", "short", 1):                   400,
		strings.Replace(handshakeOf(""), "GET", "POST", 1):                                         405,
	} {
		nc, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = nc.SetDeadline(time.Now().Add(testwait.Long))
		_, _ = io.WriteString(nc, name)
		res, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil || res.StatusCode != want {
			t.Errorf("%s: %v %v, want %d", name, res, err, want)
		}
		_ = nc.Close()
	}
}
