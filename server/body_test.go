package server_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/server"
)

// oneConn is a listener with one connection.
type oneConn struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l oneConn) Close() error   { close(l.closed); return nil }
func (l oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// bodies returns a router whose routes do to a body what routes do.
func bodies(t *testing.T) http.Handler {
	r, _ := newRouter(t, 0)
	read := func(c *gin.Context) error {
		_, err := io.Copy(io.Discard, c.Request.Body)
		if err != nil {
			c.String(http.StatusBadRequest, "cut")
		}
		return err
	}
	r.POST("/read", func(c *gin.Context) { _ = read(c) })
	r.POST("/refuse", func(c *gin.Context) { c.String(http.StatusForbidden, "no") })
	r.POST("/upload", func(c *gin.Context) {
		server.BoundUpload(c.Writer, c.Request, time.Minute)
		if read(c) == nil {
			c.String(http.StatusOK, "whole")
		}
	})
	r.POST("/wait", func(c *gin.Context) {
		if read(c) != nil {
			return
		}
		select {
		case <-c.Request.Context().Done():
		case <-time.After(time.Minute):
			c.String(http.StatusOK, "waited")
		}
	})
	return r
}

// TestSlowBodies sends bodies at different paces, and checks how long the connection is
// held and what is answered.
func TestSlowBodies(t *testing.T) {
	const s, kib = time.Second, 1 << 10
	for _, tt := range []struct {
		name, path string
		length     int
		first      int // bytes at once, then
		each       int // bytes per second
		from, to   time.Duration
		answer     string
	}{
		{"JSON", "/read", 4 * kib, 0, 1, 30 * s, 31 * s, "cut"},
		{"to a refusal", "/refuse", 4 * kib, 0, 1, 0, 31 * s, "no"},
		{"to no route", "/nowhere", 4 * kib, 0, 1, 0, 31 * s, ""},
		{"before a long answer", "/wait", kib, 0, 100, 70 * s, 72 * s, "waited"},
		{"a slow upload", "/upload", 16 << 20, 0, 16 * kib, 1000 * s, 1100 * s, "whole"},
		{"an upload of a trickle", "/upload", 16 << 20, 0, kib, 30 * s, 40 * s, "cut"},
		{"an upload that stops", "/upload", 16 << 20, 8 << 20, 0, 30 * s, 31 * s, "cut"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener := oneConn{make(chan net.Conn), make(chan struct{})}
				srv := &http.Server{Handler: bodies(t), ReadTimeout: 5 * time.Minute, WriteTimeout: 10 * time.Minute}
				served := make(chan error)
				go func() { served <- srv.Serve(listener) }()
				client, far := net.Pipe()
				listener.conns <- far
				began, sent := time.Now(), make(chan struct{})
				go func() {
					defer close(sent)
					_, err := io.WriteString(client, "POST "+tt.path+" HTTP/1.1\r\nHost: x\r\nContent-Length: "+strconv.Itoa(tt.length)+"\r\n\r\n"+strings.Repeat("x", tt.first))
					for n := tt.first; err == nil && n < tt.length && tt.each > 0; n += tt.each {
						time.Sleep(s)
						_, err = io.WriteString(client, strings.Repeat("x", min(tt.each, tt.length-n)))
					}
				}()
				answers := bufio.NewReader(client)
				res, err := http.ReadResponse(answers, nil)
				if err != nil {
					t.Fatal(err)
				}
				text, _ := io.ReadAll(res.Body)
				if tt.answer != "whole" && tt.answer != "waited" { // the server closes the connection
					_, _ = io.Copy(io.Discard, answers)
				}
				if took := time.Since(began); took < tt.from || took > tt.to || !strings.HasPrefix(string(text), tt.answer) {
					t.Errorf("after %s: %d %q", took, res.StatusCode, text)
				}
				_ = client.Close()
				<-sent
				if err := srv.Shutdown(context.Background()); err != nil {
					t.Error(err)
				}
				<-served
			})
		})
	}
}
