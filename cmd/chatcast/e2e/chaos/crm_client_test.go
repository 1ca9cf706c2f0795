package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// crmClient is a program that resumes the channel of a line, or one that does not.
type crmClient struct {
	// static
	balancer *balancer
	token    string
	slow     bool           // it stops reading again and again
	heard    func(id int64) // is called for each event

	mu     sync.Mutex
	stream stream // guarded by mu
	last   int64  // guarded by mu
}

// received returns a copy of what the client has got.
func (c *crmClient) received() stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stream
	s.sockets = nil
	for _, ids := range c.stream.sockets {
		s.sockets = append(s.sockets, append([]int64(nil), ids...))
	}
	return s
}

// at returns the position of the client.
func (c *crmClient) at() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// errResume means that the server could not go on from the client's position.
var errResume = errors.New("chatcast:resume_failed")

// run connects again and again until ctx ends. It returns an error that no client should
// have.
func (c *crmClient) run(ctx context.Context) error {
	for wait := time.Duration(0); ctx.Err() == nil; rest(ctx, wait) {
		switch err := c.session(ctx); {
		case errors.Is(err, errResume):
			return err
		case err == nil:
			wait = 50 * time.Millisecond
		default:
			wait = min(wait+50*time.Millisecond, 500*time.Millisecond)
		}
	}
	return nil
}

// rest waits, unless ctx ends.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// session is one socket. It returns nil when the channel was entered.
func (c *crmClient) session(ctx context.Context) error {
	s, err := dial(ctx, c.balancer, crmKey)
	if err != nil {
		return err
	}
	defer s.close()
	c.mu.Lock()
	fields := map[string]any{"socket_id": s.id, "channel_name": c.stream.channel}
	if c.stream.resumes {
		fields["last_event_ids"] = fmt.Sprintf(`{%q:%d}`, c.stream.channel, c.last)
	}
	channel := c.stream.channel
	c.stream.sockets = append(c.stream.sockets, nil)
	c.mu.Unlock()
	status, answer, err := call(ctx, c.balancer, c.token, "POST", "/broadcasting/auth", fields)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("auth: %d %s %w", status, answer, err)
	}
	var signed struct {
		Auth        string `json:"auth"`
		ChannelData string `json:"channel_data,omitempty"`
		Channel     string `json:"channel"`
	}
	if err := json.Unmarshal(answer, &signed); err != nil {
		return err
	}
	signed.Channel = channel
	if err := s.write("pusher:subscribe", signed); err != nil {
		return err
	}
	for n := 1; ; n++ {
		f, err := s.read()
		if err != nil {
			return nil
		}
		if c.slow && n%200 == 0 {
			rest(ctx, 3*time.Second)
		}
		if f.Channel != channel {
			continue
		}
		if f.Event == "chatcast:resume_failed" && c.stream.resumes {
			return fmt.Errorf("%w: %s", errResume, f.Data)
		}
		c.note(f)
	}
}

// note records an event or a position.
func (c *crmClient) note(f frame) {
	var data struct {
		EventID int64
		Payload struct{ Meta struct{ EventID int64 } }
	}
	if json.Unmarshal([]byte(f.Data), &data) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.Event == "chatcast:position" {
		c.last = max(c.last, data.EventID)
		return
	}
	id := data.Payload.Meta.EventID
	if id == 0 {
		return
	}
	last := len(c.stream.sockets) - 1
	c.stream.sockets[last] = append(c.stream.sockets[last], id)
	c.last = max(c.last, id)
	if c.heard != nil {
		c.heard(id)
	}
}

// frame is a message of the Pusher protocol.
type frame struct {
	Event   string `json:"event"`
	Channel string `json:"channel"`
	Data    string `json:"data"`
}

// socket is a connection that has its id.
type socket struct {
	ws     *websocket.Conn
	id     string
	local  net.Addr
	ending func() bool
	mu     sync.Mutex // writing
}

// Keepalive of the nodes and their clients.
const (
	activityTimeout = 5 * time.Second
	pongTimeout     = 3 * time.Second
)

// dial opens a socket, which is closed when ctx ends.
func dial(ctx context.Context, b *balancer, key string) (*socket, error) {
	limited, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	ws, res, err := websocket.DefaultDialer.DialContext(limited, "ws://"+b.address()+"/app/"+key+"?protocol=7", nil)
	if err != nil {
		return nil, err
	}
	res.Body.Close()
	s := &socket{ws: ws, local: ws.LocalAddr()}
	s.ending = context.AfterFunc(ctx, func() { ws.Close() })
	f, err := s.read()
	var hello struct {
		SocketID string `json:"socket_id"`
	}
	if err = errors.Join(err, json.Unmarshal([]byte(f.Data), &hello)); err != nil || hello.SocketID == "" {
		s.close()
		return nil, fmt.Errorf("no greeting: %w", err)
	}
	s.id = hello.SocketID
	return s, nil
}

func (s *socket) close() {
	s.ending()
	s.ws.Close()
}

func (s *socket) write(event string, data any) error {
	return s.send(map[string]any{"event": event, "data": data})
}

func (s *socket) send(frame any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.ws.SetWriteDeadline(time.Now().Add(pongTimeout))
	return s.ws.WriteJSON(frame)
}

// read returns the next frame, and an error when the server is silent although it was
// pinged. It answers pings.
func (s *socket) read() (f frame, err error) {
	for {
		_ = s.ws.SetReadDeadline(time.Now().Add(activityTimeout + pongTimeout))
		_, text, err := s.ws.ReadMessage()
		if err != nil {
			return f, err
		}
		var raw struct {
			Event, Channel string
			Data           json.RawMessage
		}
		if err := json.Unmarshal(text, &raw); err != nil {
			return f, err
		}
		f = frame{Event: raw.Event, Channel: raw.Channel}
		if json.Unmarshal(raw.Data, &f.Data) != nil {
			f.Data = string(raw.Data)
		}
		if f.Event != "pusher:ping" {
			return f, nil
		}
		if err := s.write("pusher:pong", map[string]any{}); err != nil {
			return f, err
		}
	}
}

// call sends a request of its own connection.
func call(ctx context.Context, b *balancer, token, method, path string, body any) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	content, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+b.address()+path, bytes.NewReader(content))
	if err != nil {
		return 0, nil, err
	}
	req.Close = true // the next one goes to another node
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}
