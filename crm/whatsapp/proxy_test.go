package whatsapp

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/channels/dialguard"
	"chatcast/channels/testwait"
	"chatcast/crm"
)

// testProxy is an HTTP and SOCKS5 proxy that wants a user and a password.
type testProxy struct {
	net.Listener
	mu       sync.Mutex
	passed   int               // guarded by mu: connections
	refused  int               // guarded by mu
	down     bool              // guarded by mu: no new connection passes
	instead  map[string]string // guarded by mu: where connections to some addresses go
	sessions sync.WaitGroup
}

func newTestProxy(t *testing.T) *testProxy { return newTestProxyOf(t, nil) }

// newTestProxyOf returns a proxy that speaks TLS with this certificate; nil: none.
func newTestProxyOf(t *testing.T, cert *tls.Certificate) *testProxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if cert != nil {
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{*cert}})
	}
	p := &testProxy{Listener: ln}
	p.sessions.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			p.sessions.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		p.sessions.Wait()
	})
	return p
}

func (p *testProxy) counts() (passed, refused int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed, p.refused
}

func (p *testProxy) serve(c net.Conn) {
	defer c.Close()
	p.mu.Lock()
	down := p.down
	p.mu.Unlock()
	if down {
		return
	}
	r := bufio.NewReader(c)
	first, err := r.Peek(1)
	if err != nil {
		return
	}
	greet := p.http
	if first[0] == 5 {
		greet = p.socks
	}
	to, err := greet(r, c)
	p.mu.Lock()
	if real := p.instead[to]; real != "" {
		to = real
	}
	if err != nil {
		p.refused++
	} else {
		p.passed++
	}
	p.mu.Unlock()
	if err != nil {
		return
	}
	target, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer target.Close()
	var there sync.WaitGroup
	there.Go(func() {
		_, _ = io.Copy(target, r)
		target.Close()
	})
	_, _ = io.Copy(c, target)
	c.Close()
	there.Wait()
}

func (p *testProxy) http(r *bufio.Reader, c net.Conn) (string, error) {
	req, err := http.ReadRequest(r)
	if err != nil {
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		return "", err
	}
	if req.Method != http.MethodConnect || req.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("me:secret")) {
		_, _ = io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
		return "", errors.New("refused")
	}
	_, err = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	return req.Host, err
}

// socks speaks RFC 1928 with the password of RFC 1929, for an IPv4 address.
func (p *testProxy) socks(r *bufio.Reader, c net.Conn) (string, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", err
	}
	if _, err := io.CopyN(io.Discard, r, int64(head[1])); err != nil {
		return "", err
	}
	_, _ = c.Write([]byte{5, 2}) // a password is needed
	given := make([]byte, len("\x01\x02me\x06secret"))
	if _, err := io.ReadFull(r, given); err != nil {
		return "", err
	}
	if string(given) != "\x01\x02me\x06secret" {
		_, _ = c.Write([]byte{1, 1})
		return "", errors.New("refused")
	}
	_, _ = c.Write([]byte{1, 0})
	to := make([]byte, 10)
	if _, err := io.ReadFull(r, to); err != nil {
		return "", err
	}
	_, err := c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	return fmt.Sprintf("%s:%d", net.IP(to[4:8]), int(to[8])<<8|int(to[9])), err
}

// TestProxy checks that a paired line goes through its proxy, of each kind, without being
// paired again; that it does not go around a proxy that refuses it; and that it says so.
func TestProxy(t *testing.T) {
	private := func(o *Options) { o.PrivateProxies = true }
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		plain := newTestProxy(t)
		set := func(proxy string) {
			t.Helper()
			if _, err := h.ChangeLineSettings(t.Context(), h.Owner, testLine, crm.LineSettingsChanges{Proxy: crm.Value(proxy)}); err != nil {
				t.Fatal(err)
			}
		}
		secure := newTestProxyOf(t, certificateOf(t, testCA, "127.0.0.1", time.Hour))
		for i, scheme := range []string{"http", "socks5", "https"} {
			p := map[string]*testProxy{"https": secure}[scheme]
			if p == nil {
				p = plain
			}
			if err := h.TryProxy(t.Context(), h.Owner, testLine, scheme+"://me:secret@"+p.Addr().String()); err != nil {
				t.Errorf("trying %s: %v", scheme, err)
			}
			if err := h.TryProxy(t.Context(), h.Owner, testLine, scheme+"://me:wrong@"+p.Addr().String()); code(err) != crm.CodeInvalid {
				t.Errorf("trying %s with a wrong password: %v", scheme, err)
			}
			if err := h.TryProxy(t.Context(), h.Operator, testLine, scheme+"://me:secret@"+p.Addr().String()); code(err) != crm.CodeDenied {
				t.Errorf("an operator tries %s: %v", scheme, err)
			}
			before, _ := p.counts()
			set(scheme + "://me:secret@" + p.Addr().String())
			eventually(t, "the line does not go through "+scheme, func() bool { passed, _ := p.counts(); return passed > before })
			text := fmt.Sprintf("through the proxy %d", i)
			h.anna.SendText(h.shop, text)
			h.awaitItem(t, crm.EventMessage, text)
		}
		stranger := newTestProxyOf(t, certificateOf(t, newTestCA(), "127.0.0.1", time.Hour))
		for proxy, want := range map[string]string{
			"http://me:wrong@" + plain.Addr().String():     "it answered with HTTP status 407",
			"https://me:wrong@" + stranger.Addr().String(): "its certificate is of an authority that this server does not trust",
		} {
			set(proxy)
			h.afterEvents(t, "the line does not tell of its proxy", func() bool {
				st, err := h.LineStatus(context.Background(), h.Owner, testLine)
				return err == nil && !st.Connected && strings.Contains(st.Detail, "the line's proxy: "+want) && !strings.Contains(st.Detail, "wrong")
			})
		}
		set("")
		h.awaitState(t, crm.StateConnected)
		h.anna.SendText(h.shop, "without it")
		h.awaitItem(t, crm.EventMessage, "without it")
	}, private)
}

// TestProxiesArePublic checks that no proxy in our own network is dialed, and that errors
// have neither its address nor its password.
func TestProxiesArePublic(t *testing.T) {
	for _, scheme := range []string{"http", "https", "socks5"} {
		p := newTestProxy(t)
		dial, err := throughProxy(scheme+"://me:secret@"+p.Addr().String(), false)
		if err != nil {
			t.Fatal(err)
		}
		_, err = dial(testwait.Context(t), "tcp", "198.51.100.1:443")
		if !errors.Is(err, dialguard.ErrNotPublic) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", scheme, err)
		}
		if passed, refused := p.counts(); passed+refused != 0 {
			t.Errorf("%s: it was asked", scheme)
		}
	}
}
