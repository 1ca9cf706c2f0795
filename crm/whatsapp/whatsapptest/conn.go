package whatsapptest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"
	waBinary "go.mau.fi/whatsmeow/binary"
)

// conn is one socket of a client. The goroutine of its HTTP request reads. A second
// goroutine writes, because the server sends nodes while it holds mu and must not
// wait for a peer then.
type conn struct {
	// static
	srv    *Server
	ws     *websocket.Conn
	ctx    context.Context
	cancel context.CancelFunc
	hello  *hello // its toClient belongs to the writer, its fromClient to the reader

	// guarded by srv.mu
	device   *Device // the device that logged in; nil while pairing
	refs     []string
	pairing  *pairing
	link     *linkRequest
	passkey  *passkeyLink
	out      []outgoing
	closed   bool
	wake     chan struct{}
	finished bool // the server has closed the stream: nothing more is read
}

// outgoing is a frame to write and what happens to the connection after it.
type outgoing struct {
	plain []byte
	end   ending
}

type ending int

const (
	goOn     ending = iota
	goodbye         // close cleanly
	halfWay         // write half of the frame, then cut the line
	cutAfter        // write the frame, then cut the line
)

const handshakeTimeout = 20 * time.Second

func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	refuse := s.unavailable || s.closed
	if !refuse {
		s.wg.Add(1) // under mu, so that Close cannot call Wait before it
	}
	s.mu.Unlock()
	if refuse {
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	defer s.wg.Done()
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		s.complain("the WebSocket upgrade: %v", err)
		return
	}
	ws.SetReadLimit(1 << 25)
	c := &conn{srv: s, ws: ws, wake: make(chan struct{}, 1)}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	defer c.cancel()
	defer ws.CloseNow()
	if err := c.serve(); err != nil {
		s.trace("connection ended: %v", err)
	}
}

func (c *conn) serve() error {
	frames := &frameReader{ws: c.ws}
	limited, cancel := context.WithTimeout(c.ctx, handshakeTimeout)
	defer cancel()
	var err error
	c.hello, err = c.srv.noise.shake(
		func() ([]byte, error) { return frames.read(limited) },
		func(data []byte) error { return c.ws.Write(limited, websocket.MessageBinary, framed(data)) },
	)
	if err != nil {
		return err
	}
	writer := make(chan struct{})
	go func() {
		defer close(writer)
		c.writeLoop()
	}()
	defer func() {
		c.leave()
		<-writer
	}()
	c.enter()
	for {
		frame, err := frames.read(c.ctx)
		if err != nil {
			return err
		}
		plain, err := c.hello.fromClient.open(frame)
		if err != nil {
			return err
		}
		if err := c.receive(plain); err != nil {
			return err
		}
	}
}

// enter starts the session: a login, or a pairing.
func (c *conn) enter() {
	defer c.srv.lock()()
	c.srv.conns[c] = true
	if c.srv.closed {
		c.cut()
		return
	}
	if c.hello.payload.GetDevicePairingData() != nil {
		c.offerPairing()
		return
	}
	c.login()
}

// leave removes the connection from the server and its device.
func (c *conn) leave() {
	defer c.srv.lock()()
	c.closed = true
	delete(c.srv.conns, c)
	if c.device != nil && c.device.conn == c {
		c.device.away()
	}
	c.cancel()
}

func (c *conn) receive(plain []byte) error {
	raw, err := waBinary.Unpack(plain)
	if err != nil {
		return err
	}
	n, err := waBinary.Unmarshal(raw)
	if err != nil {
		return err
	}
	defer c.srv.lock()()
	c.srv.trace("< %s", n.String())
	if c.closed || c.finished {
		return nil
	}
	c.dispatch(*n)
	return nil
}

// send queues a node. mu is held.
func (c *conn) send(n node) { c.queue(n, goOn) }

// end queues the last node. mu is held.
func (c *conn) end(n node) {
	c.finished = true
	c.queue(n, goodbye)
}

func (c *conn) queue(n node, e ending) {
	data, err := waBinary.Marshal(n)
	if err != nil {
		c.srv.note("a node that cannot be written: %v", err)
		return
	}
	c.srv.trace("> %s", n.String())
	c.out = append(c.out, outgoing{data, e})
	c.ring()
}

func (c *conn) ring() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// cut ends the connection without a closing frame, like a pulled cable. mu is held.
func (c *conn) cut() {
	c.closed, c.finished = true, true
	c.cancel()
}

func (c *conn) writeLoop() {
	for {
		c.srv.mu.Lock()
		out, latency, closed := c.out, c.srv.latency, c.closed
		if c.srv.frozen {
			out = nil
		} else {
			c.out = nil
		}
		c.srv.mu.Unlock()
		if closed {
			c.ws.CloseNow()
			return
		}
		for _, o := range out {
			if err := c.write(o, latency); err != nil {
				c.ws.CloseNow() // wakes the reader, which ends the connection
				return
			}
		}
		if len(out) > 0 {
			continue
		}
		select {
		case <-c.wake:
		case <-c.ctx.Done():
			c.ws.CloseNow()
			return
		}
	}
}

// lastWords is how long the connection stays open after the last node, unless the client
// closes it. A client that sees it close before reading the reason takes that for a network
// error. Over a real network, the close does not arrive in the same packet.
const lastWords = 500 * time.Millisecond

var errEnded = errors.New("the server ends the connection")

func (c *conn) write(o outgoing, latency time.Duration) error {
	if latency > 0 {
		select {
		case <-time.After(latency):
		case <-c.ctx.Done():
			return c.ctx.Err()
		}
	}
	data := framed(c.hello.toClient.seal(o.plain))
	if o.end == halfWay {
		data = data[:len(data)/2]
	}
	if err := c.ws.Write(c.ctx, websocket.MessageBinary, data); err != nil {
		return err
	}
	switch o.end {
	case goodbye:
		select {
		case <-time.After(lastWords):
		case <-c.ctx.Done():
		}
		c.ws.Close(websocket.StatusNormalClosure, "")
		return errEnded
	case halfWay, cutAfter:
		return errEnded
	}
	return nil
}
