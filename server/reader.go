package server

import (
	"errors"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"syscall"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// reader hides how sockets are read. It must pass every message to session.message, one
// at a time, and call session.readEnded once when nothing more will come. Today each
// socket has a goroutine; a poller could replace them without any change to a dialect.
type reader interface {
	start(s *Session, ws *websocket.Conn)
}

// readBuffer is gorilla's read buffer for one socket, in bytes: a subscription fits,
// and idle sockets stay cheap.
const readBuffer = 512

// goroutineReader gives each socket a goroutine.
type goroutineReader struct{ running *sync.WaitGroup }

func (g goroutineReader) start(s *Session, ws *websocket.Conn) {
	ws.SetPingHandler(func(data string) error {
		s.Queue(control(finPong, []byte(data)))
		return nil
	})
	ws.SetCloseHandler(func(int, string) error { return nil }) // readEnded answers
	g.running.Go(func() { s.read(ws) })
}

// read reads messages until the connection ends. An idle socket waits in it, and its stack
// shrinks to 4 KiB if less than a part of that is in use: so what handles a message has its
// variables in frames of its own, which are gone while the next one is awaited.
func (s *Session) read(ws *websocket.Conn) {
	for {
		kind, r, err := ws.NextReader()
		if err == nil {
			err = s.next(kind, r)
		}
		if err != nil {
			s.ended(err)
			return
		}
	}
}

// next handles a message, and waits until the one after it may be read.
//
//go:noinline
func (s *Session) next(kind int, r io.Reader) error {
	err := s.readMessage(kind, r)
	if err == nil && s.pace(s.h) {
		s.Queue(control(finPong, nil)) // the answer to a WebSocket ping that waits
	}
	return err
}

//go:noinline
func (s *Session) ended(err error) { s.readEnded(s.verdict(err)) }

// handle passes a message to the dialect. A panic there ends only this socket, as
// Internal.
func (s *Session) handle(text []byte) { s.srv.handle(s, s.h, text) }

func (s *Server) handle(k socket, h Handler, text []byte) {
	s.guarded(k, func() { h.Message(text) })
}

// guarded calls f. A panic in it ends only the socket.
func (s *Server) guarded(k socket, f func()) {
	defer func() {
		if p := recover(); p != nil {
			s.opt.Log.Error("a message handler panicked", "panic", p, "stack", string(debug.Stack()))
			k.Close(k.disconnectFor(Internal))
		}
	}()
	f()
}

// messages holds the buffers of messages being handled; an idle socket has none. Large
// buffers are left to the garbage collector.
var messages = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

// maxMessageBuffer is the size of the largest buffer that is kept.
const maxMessageBuffer = 64 << 10

// readMessage reads the rest of one message and passes it to s. Messages of a closing session are
// read and dropped, until the peer has closed as well.
func (s *Session) readMessage(kind int, r io.Reader) (err error) {
	if s.isClosing() {
		_, err = io.Copy(io.Discard, r)
		return err
	}
	buf := messages.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= maxMessageBuffer {
			messages.Put(buf)
		}
	}()
	*buf, err = readUpTo((*buf)[:0], r, s.messageBytes())
	switch {
	case errors.Is(err, ErrTooLarge):
		s.Close(s.disconnectFor(TooLarge))
	case err != nil:
		return err
	case kind != websocket.TextMessage:
		s.binary(*buf)
	case !utf8.Valid(*buf):
		s.Close(s.disconnectFor(BadUTF8))
	default:
		s.message(*buf)
	}
	return nil
}

// readUpTo appends all of r to b, at most limit bytes.
func readUpTo(b []byte, r io.Reader, limit int) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if len(b) > limit {
			return b[:0], ErrTooLarge
		}
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// messageBytes returns the limit of one message.
func (s *Session) messageBytes() int {
	if s.rules.MessageBytes > 0 {
		return s.rules.MessageBytes
	}
	return s.srv.limits().MessageBytes
}

// binary handles a binary message, which few dialects know.
func (s *Session) binary(data []byte) {
	h, takes := s.h.(BinaryHandler)
	if !takes {
		s.Close(s.disconnectFor(NotText))
		return
	}
	s.srv.guarded(s, func() { h.Binary(data) })
}

func (s *Session) message(text []byte) {
	if s.trace {
		s.traced("frame in", text)
	}
	s.handle(text)
}

// verdict converts a read error to the way the session ends.
func (s *Session) verdict(err error) Disconnect {
	var closed *websocket.CloseError
	var op *net.OpError
	switch {
	case errors.As(err, &closed) && closed.Code == websocket.CloseNoStatusReceived:
		return Disconnect{Reason: PeerClosed}
	case errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure:
		return Disconnect{Reason: PeerClosed, Code: closed.Code}
	case errors.As(err, &closed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed), errors.As(err, &op),
		errors.Is(err, syscall.ECONNRESET):
		return Disconnect{Reason: PeerGone}
	}
	return s.disconnectFor(ProtocolError)
}
