package server

import (
	"bufio"
	"net"
	"net/http"
	"time"
)

// hijacker gives gorilla a connection whose writes go through our queue, so that
// gorilla's own writes never land inside one of our frames.
type hijacker struct {
	http.ResponseWriter
	srv     *Server
	remote  string
	rules   *WebSocketRules
	session *Session
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, brw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	_ = nc.SetDeadline(time.Time{}) // clears net/http's; fails only on a dead connection, which the reader notices
	h.session = h.srv.newSession(nc, h.remote, h.rules)
	return &wire{nc, h.session}, brw, nil
}
