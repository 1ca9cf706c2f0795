package bench

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// raw is a WebSocket that costs its client little more than a file descriptor, so that one
// process can hold many.
type raw struct {
	net.Conn
	in *bufio.Reader
}

// dialRaw opens a WebSocket.
func dialRaw(b *testing.B, base, path string) *raw {
	c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	r := &raw{c, bufio.NewReaderSize(c, 1024)}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path)
	if res, err := http.ReadResponse(r.in, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		b.Fatal(res, err)
	}
	return r
}

// size returns the size of the next frame, whose payload is next.
func (r *raw) size() (n int, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r.in, head[:2]); err != nil {
		return 0, err
	}
	switch head[1] {
	case 126:
		_, err = io.ReadFull(r.in, head[:2])
		return int(binary.BigEndian.Uint16(head[:2])), err
	case 127:
		_, err = io.ReadFull(r.in, head[:])
		return int(binary.BigEndian.Uint64(head[:])), err
	}
	return int(head[1]), nil
}

// next returns the text of the next frame.
func (r *raw) next() (string, error) {
	n, err := r.size()
	if err != nil {
		return "", err
	}
	text := make([]byte, n)
	_, err = io.ReadFull(r.in, text)
	return string(text), err
}

// skip reads the next frame, and returns its size.
func (r *raw) skip() (n int, err error) {
	if n, err = r.size(); err == nil {
		_, err = r.in.Discard(n)
	}
	return n, err
}

// sizeWith returns the size of the next frame with a text.
func (r *raw) sizeWith(b *testing.B, part string) int {
	for {
		if text := r.read(b, ""); strings.Contains(text, part) {
			return len(text)
		}
	}
}

// count tells of each frame of a size, until the socket ends; had is whether one was read
// before. An event may become several frames, of which this is one.
func (r *raw) count(size int, had bool, came chan<- struct{}) {
	if had {
		came <- struct{}{}
	}
	for {
		n, err := r.skip()
		if err != nil {
			return
		}
		if n == size {
			came <- struct{}{}
		}
	}
}

// stay answers the pings of both protocols until the socket ends.
func (r *raw) stay() {
	r.in = bufio.NewReaderSize(r.Conn, 16)
	for {
		text, err := r.next()
		switch {
		case err != nil:
			return
		case text == "2":
			_, err = r.Write(masked("3"))
		case strings.HasPrefix(text, `{"event":"pusher:ping"`):
			_, err = r.Write(masked(`{"event":"pusher:pong","data":{}}`))
		}
		if err != nil {
			return
		}
	}
}

// read is next, and expects that the text begins with something.
func (r *raw) read(b *testing.B, begin string) string {
	text, err := r.next()
	if err != nil || !strings.HasPrefix(text, begin) {
		b.Fatalf("a socket got %.300q, %v, want %s", text, err, begin)
	}
	return text
}

// send sends a text.
func (r *raw) send(b *testing.B, text string) {
	if _, err := r.Write(masked(text)); err != nil {
		b.Fatal(err)
	}
}

// masked returns the frame of a client. Nobody needs to hide it from proxies here.
func masked(text string) []byte {
	head := []byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}
	if len(text) > 125 {
		head = append(binary.BigEndian.AppendUint16([]byte{0x81, 0x80 | 126}, uint16(len(text))), 0, 0, 0, 0)
	}
	return append(head, text...)
}

// kinds are the sockets that are compared: each opens one that gets the events of the line.
var kinds = []struct {
	name    string
	resumes bool
	open    func(b *testing.B, owner *e2e.Client, key string) *raw
}{
	{"Pusher", false, openPusher},
	{"Socket.IO", true, openSocketIO},
}

func openPusher(b *testing.B, owner *e2e.Client, _ string) *raw {
	r := dialRaw(b, owner.Base, "/app/ChatsAppApiProdKey?protocol=7")
	var hello struct{ Data string }
	var established struct {
		SocketID string `json:"socket_id"`
	}
	_ = json.Unmarshal([]byte(r.read(b, `{"event":"pusher:connection_established"`)), &hello)
	if err := json.Unmarshal([]byte(hello.Data), &established); err != nil {
		b.Fatal(err)
	}
	status, answer := owner.Call("POST", "/broadcasting/auth", map[string]string{"socket_id": established.SocketID, "channel_name": e2e.LineChannel})
	var signed struct{ Auth string }
	if err := json.Unmarshal(answer, &signed); err != nil || status != http.StatusOK {
		b.Fatalf("/broadcasting/auth: %d %s", status, answer)
	}
	r.send(b, fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":%q,"auth":%q}}`, e2e.LineChannel, signed.Auth))
	r.read(b, `{"event":"pusher_internal:subscription_succeeded"`)
	return r
}

func openSocketIO(b *testing.B, owner *e2e.Client, key string) *raw {
	r := dialRaw(b, owner.Base, "/socket.io/?EIO=4&transport=websocket")
	r.read(b, `0{"sid":`)
	r.send(b, `40/1229-grWhatsApp,{"apikey":"`+key+`"}`)
	r.read(b, `40/1229-grWhatsApp,{"sid":`)
	return r
}

// lineKey makes a key that may read the line.
func lineKey(owner *e2e.Client) string {
	var made struct{ Key string }
	owner.Must("POST", "/v1/keys", map[string]any{"name": "bench", "rights": []string{"read"}, "licenseId": 1229, "messengerType": "grWhatsApp"}, &made)
	return made.Key
}
