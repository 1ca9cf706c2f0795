package e2e

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/server/api/apitest"
)

// Dial opens a socket, which is closed at the end of the test.
func Dial(t testing.TB, base string) *Socket {
	t.Helper()
	conn, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(base, "http")+"/app/ChatsAppApiProdKey?protocol=7", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	ws := &Socket{conn, t}
	t.Cleanup(func() { ws.Close() })
	return ws
}

// Socket is a connection that checks its frames against the schemas of the events.
type Socket struct {
	*websocket.Conn
	t testing.TB
}

// checked holds the frames already checked: many sockets receive the same one.
var checked sync.Map

// ReadMessage reads a frame and checks it against the schema of its event. The deadline is
// that of the next frame: a test may take longer.
func (s *Socket) ReadMessage() (int, []byte, error) {
	if err := s.SetReadDeadline(time.Now().Add(testwait.Long)); err != nil {
		return 0, nil, err
	}
	kind, frame, err := s.Conn.ReadMessage()
	if _, measured := s.t.(*testing.B); err != nil || measured {
		return kind, frame, err
	}
	if _, again := checked.LoadOrStore(string(frame), true); !again {
		if err := apitest.CheckFrame(frame); err != nil {
			s.t.Errorf("a socket received %s: %v", frame, err)
		}
	}
	return kind, frame, nil
}

// ReadJSON reads a frame as JSON.
func (s *Socket) ReadJSON(v any) error {
	_, frame, err := s.ReadMessage()
	if err != nil {
		return err
	}
	return json.Unmarshal(frame, v)
}

// ConnectSocket opens a socket, which is closed at the end of the test, and returns
// its id.
func ConnectSocket(t testing.TB, base string) (*Socket, string) {
	t.Helper()
	ws := Dial(t, base)
	var hello struct{ Data string }
	var established struct {
		SocketID string `json:"socket_id"`
	}
	if err := errors.Join(ws.ReadJSON(&hello), json.Unmarshal([]byte(hello.Data), &established)); err != nil {
		t.Fatal(err)
	}
	return ws, established.SocketID
}

// Subscribe opens a socket and subscribes it to a channel as the client's user. The
// socket is closed at the end of the test.
func (c *Client) Subscribe(channel string) *Socket {
	c.T.Helper()
	ws, socketID := ConnectSocket(c.T, c.Base)
	status, answer := c.Call("POST", "/broadcasting/auth", map[string]string{"socket_id": socketID, "channel_name": channel})
	var signed struct{ Auth string }
	if err := json.Unmarshal(answer, &signed); err != nil || status != http.StatusOK {
		c.T.Fatalf("/broadcasting/auth for %s: %d %s", channel, status, answer)
	}
	err := ws.WriteJSON(map[string]any{"event": "pusher:subscribe", "data": map[string]string{"channel": channel, "auth": signed.Auth}})
	var succeeded struct{ Event string }
	if err := errors.Join(err, ws.ReadJSON(&succeeded)); err != nil || succeeded.Event != "pusher_internal:subscription_succeeded" {
		c.T.Fatalf("subscribing to %s: %v %v", channel, succeeded, err)
	}
	return ws
}

// SubscribeMany opens n sockets on the line's channel.
func SubscribeMany(c *Client, n int) []*Socket {
	conns := make([]*Socket, n)
	var opening sync.WaitGroup
	queue := make(chan int)
	for range 16 {
		opening.Go(func() {
			for i := range queue {
				conns[i] = c.Subscribe(LineChannel)
			}
		})
	}
	for i := range conns {
		queue <- i
	}
	close(queue)
	opening.Wait()
	return conns
}

// Orders is a socket subscribed to the public channel orders.
type Orders struct {
	t *testing.T
	*Socket
}

// OnOrders subscribes a socket to the public channel orders.
func OnOrders(t *testing.T, p *Running) Orders {
	t.Helper()
	ws := Dial(t, p.Base)
	if err := ws.WriteJSON(map[string]any{"event": "pusher:subscribe", "data": map[string]string{"channel": "orders"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the greeting, and the subscription
		if _, _, err := ws.ReadMessage(); err != nil {
			t.Fatal(err)
		}
	}
	return Orders{t, ws}
}

// Shipped expects the event that the documentation's examples publish.
func (o Orders) Shipped() {
	o.t.Helper()
	var frame struct{ Event, Channel, Data string }
	if err := o.ReadJSON(&frame); err != nil || frame.Event != "shipped" || frame.Channel != "orders" || frame.Data != `{"order":7}` {
		o.t.Errorf("the socket received %+v, %v", frame, err)
	}
}
