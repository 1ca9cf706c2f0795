package socketio

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"chatcast/broadcasting/apps"
	"chatcast/channels/testwait"
)

// handshake asks for a connection, over polling or by an upgrade, with header lines as "name: value".
func (h *host) handshake(transport, query string, header ...string) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.web.URL+ioPath+transport+query, http.NoBody)
	if err != nil {
		h.t.Fatal(err)
	}
	if transport == transportWebSocket {
		for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
			req.Header.Set(name, value)
		}
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusSwitchingProtocols {
		return answer{status: res.StatusCode}
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{res.StatusCode, string(body), res.Header}
}

// refuses expects that clients are refused over both transports, with the exact status and body.
func (h *host) refuses(what string, status int, body, query string, header ...string) {
	h.t.Helper()
	for _, transport := range []string{transportPolling, transportWebSocket} {
		got := h.handshake(transport, query, header...)
		if got.status != status || got.body != body || got.header.Get("Content-Type") != "application/json" || got.header.Get("Cache-Control") != "no-store" {
			h.t.Errorf("%s over %s: %+v", what, transport, got)
		}
		if again := got.header.Get("Retry-After"); (status == http.StatusServiceUnavailable) != (again == "1") {
			h.t.Errorf("%s over %s: Retry-After is %q", what, transport, again)
		}
	}
}

const fullText = `{"code":4,"message":"Too many connections"}`

// TestRefusedHandshakes refuses clients before they have a session.
func TestRefusedHandshakes(t *testing.T) {
	h := run(t, func(s *setup) {
		s.io.Connections, s.sockets.DrainLinger = 1, testwait.Long
		var err error
		if s.io.Origins, err = apps.ParseOrigins([]string{"https://page.example"}); err != nil {
			t.Fatal(err)
		}
	})
	h.refuses("a strange page", 403, `{"code":4,"message":"The origin is not allowed"}`, "", "Origin: https://other.example")
	h.refuses("a wrong key in the query", 403, `{"code":4,"message":"Invalid apiKey"}`, "&apikey=wrong")
	h.refuses("a wrong key in a header", 403, `{"code":4,"message":"Invalid apiKey"}`, "", "apikey: wrong")
	h.refuses("a wrong bearer", 403, `{"code":4,"message":"Invalid apiKey"}`, "", "Authorization: Bearer wrong")
	h.rooms.change(func(l *lobby) { l.trouble = errors.New("away") })
	h.refuses("trouble", 503, `{"code":4,"message":"The server cannot tell now who you are"}`, "&apikey=good")
	h.rooms.change(func(l *lobby) { l.trouble = nil })
	c := h.open(ioPath)
	h.refuses("a full server", 503, fullText, "")
	_ = c.ws.Close()
	until(t, "room", func() bool { return h.io.Stats().Connections == 0 })
	session := h.poll(ioPath)
	if got := h.ask("POST", session, strings.Repeat("x", 1_000_001)); got.status != 413 || got.body != `{"code":3,"message":"Payload too large"}` {
		t.Errorf("a body that is too large: %+v", got)
	}
	h.awaitEnd(session)
	h.stop()
	h.refuses("a server that stops", 503, `{"code":4,"message":"The server stops"}`, "")
}

// TestFullKeys refuses the handshake of a key that has as many namespaces as it may have. A key that
// comes later, in the CONNECT, is counted there, and ends the transport.
func TestFullKeys(t *testing.T) {
	h := run(t, func(s *setup) { s.io.PerUser = 1 })
	c, _, _ := h.enter("/shop", good)
	h.refuses("a key in the query", 503, fullText, "&apikey=good")
	h.refuses("a key in a header", 503, fullText, "", "apikey: good")
	other := h.dial(ioPath + transportWebSocket + "&apikey=shop")
	if got := other.read(); !strings.HasPrefix(got, "0{") {
		t.Errorf("another key gets %q", got)
	}
	late := h.open(ioPath)
	late.send("40/shop," + good)
	late.ends()
	until(t, "the limit of the key", func() bool { return h.sockets.Stats().Ended[keyFull] == 1 })
	_ = c.ws.Close()
	until(t, "room for the key", func() bool { return h.io.Stats().Namespaces == 0 })
	again := h.dial(ioPath + transportWebSocket + "&apikey=good")
	if got := again.read(); !strings.HasPrefix(got, "0{") {
		t.Errorf("afterwards it gets %q", got)
	}
}
