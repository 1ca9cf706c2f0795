package program_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// TestProxyExamples runs each example of docs/deployment as it is, but for addresses and
// certificates, in front of the program: sockets, streams, large files, the address of
// the client, and requests that come while the program restarts.
func TestProxyExamples(t *testing.T) {
	for name, start := range map[string]func(*testing.T, string) *frontend{
		"nginx": func(t *testing.T, upstream string) *frontend { return startNginx(t, upstream) }, "haproxy": startHAProxy, "caddy": startCaddy,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := e2e.Config(t)
			cfg.Server.TrustedProxies = []string{"127.0.0.1/32"} // the client below has another address
			p := e2e.Start(t, cfg)
			f := start(t, p.Address())
			f.serves(t)
			t.Run("socket", f.carriesSockets(p))
			t.Run("stream", f.carriesStreams(p))
			t.Run("events", f.carriesEvents(p))
			t.Run("file", f.carriesFiles())
			t.Run("address", f.tellsAddresses())
			t.Run("http2", f.speaksHTTP2())
			if f.waits {
				cfg.Server.Address = p.Address()
				t.Run("restart", f.waitsForTheProgram(p, func() { e2e.Start(t, cfg) }))
			}
		})
	}
}

// serves waits until the proxy answers with the program's pages.
func (f *frontend) serves(t *testing.T) {
	t.Helper()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for end := time.Now().Add(testwait.Long); ; <-retry.C {
		res, err := f.http.Get(f.base + "/healthz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
			err = fmt.Errorf("it answers %s", res.Status)
		}
		if time.Now().After(end) || f.ended() {
			f.stop()
			t.Fatalf("%v\n%s", err, &f.log)
		}
	}
}

func (f *frontend) carriesSockets(p *e2e.Running) func(*testing.T) {
	return func(t *testing.T) {
		dialer := websocket.Dialer{NetDialContext: clientDialer.DialContext, TLSClientConfig: f.trust}
		conn, res, err := dialer.DialContext(t.Context(), "wss"+strings.TrimPrefix(f.base, "https")+"/app/ChatsAppApiProdKey?protocol=7", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		res.Body.Close()
		_ = conn.SetReadDeadline(time.Now().Add(testwait.Long))
		if err := conn.WriteMessage(websocket.TextMessage, []byte(subscribeToOrders)); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"pusher:connection_established", "subscription_succeeded", `{"order":7}`} {
			if want == `{"order":7}` {
				p.Publish(t, "orders", "shipped", want)
				want = `{\"order\":7}`
			}
			if _, frame, err := conn.ReadMessage(); err != nil || !strings.Contains(string(frame), want) {
				t.Fatalf("%s, %v; want %s", frame, err, want)
			}
		}
	}
}

const subscribeToOrders = `{"event":"pusher:subscribe","data":{"channel":"orders"}}`

// carriesStreams reads a streamed answer line by line, while it goes on.
func (f *frontend) carriesStreams(p *e2e.Running) func(*testing.T) {
	return f.carriesStream(p, "123/abcdefgh12")
}

func (f *frontend) carriesStream(p *e2e.Running, name string) func(*testing.T) {
	return func(t *testing.T) {
		session := f.base + "/pusher/app/ChatsAppApiProdKey/" + name
		ctx := testwait.Context(t)
		req, err := http.NewRequestWithContext(ctx, "POST", session+"/xhr_streaming?protocol=7", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := f.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		until := func(want string) {
			t.Helper()
			for lines.Scan() {
				if strings.Contains(lines.Text(), want) {
					return
				}
			}
			t.Fatalf("the stream ends before %s: %v", want, lines.Err())
		}
		until("pusher:connection_established")
		sent, err := json.Marshal([]string{subscribeToOrders})
		if err != nil {
			t.Fatal(err)
		}
		if status, answer := f.do(t, "POST", session+"/xhr_send", bytes.NewReader(sent)); status != http.StatusNoContent {
			t.Fatalf("xhr_send: %d %s", status, answer)
		}
		until("subscription_succeeded")
		p.Publish(t, "orders", "shipped", `{"order":7}`)
		until("shipped")
	}
}

// carriesFiles sends a file that is larger than the usual limits and buffers of proxies.
func (f *frontend) carriesFiles() func(*testing.T) {
	return func(t *testing.T) {
		owner := &e2e.Client{T: t, Base: f.base, Token: f.signIn(t), HTTP: f.http}
		owner.Must("POST", e2e.TelegramPath+"/inbound", e2e.Inbound("M1", "42", "Hello"), nil)
		if status, answer := owner.SendFile(e2e.TelegramPath+"/chats/42", "large.bin", bytes.Repeat([]byte("large"), 1<<20)); status != http.StatusOK {
			t.Errorf("5 MiB: %d %s", status, answer)
		}
	}
}

// tellsAddresses checks that the program sees the client's own address, whatever the
// client claims.
func (f *frontend) tellsAddresses() func(*testing.T) {
	return func(t *testing.T) {
		token := f.signIn(t, "X-Forwarded-For", "203.0.113.9", "X-Real-IP", "203.0.113.9")
		status, answer := f.do(t, "GET", f.base+"/v1/sessions", nil, "Authorization", token)
		if status != http.StatusOK || !strings.Contains(answer, clientIP.String()) || strings.Contains(answer, "203.0.113.9") {
			t.Errorf("%d %s", status, answer)
		}
	}
}

func (f *frontend) speaksHTTP2() func(*testing.T) {
	return func(t *testing.T) {
		res, err := f.http.Get(f.base + "/")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.ProtoMajor != 2 || res.StatusCode != http.StatusOK {
			t.Errorf("%s %s", res.Proto, res.Status)
		}
	}
}

// waitsForTheProgram checks that a request that comes while the program is away is
// answered when it is back.
func (f *frontend) waitsForTheProgram(p *e2e.Running, again func()) func(*testing.T) {
	return func(t *testing.T) {
		p.Stop()
		type result struct {
			status int
			answer string
		}
		asked := make(chan result, 1)
		dialed := make(chan struct{})
		go func() {
			client := &http.Client{Transport: f.transport(func() { close(dialed) })}
			defer client.CloseIdleConnections()
			res, err := client.Get(f.base + "/healthz")
			if err != nil {
				asked <- result{0, err.Error()}
				return
			}
			defer res.Body.Close()
			b, _ := io.ReadAll(res.Body)
			asked <- result{res.StatusCode, string(b)}
		}()
		<-dialed
		again()
		if got := <-asked; got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.answer)
		}
	}
}

// signIn signs the owner in and returns the access token.
func (f *frontend) signIn(t *testing.T, headers ...string) string {
	t.Helper()
	body := fmt.Sprintf(`{"email":%q,"password":%q}`, e2e.OwnerEmail, e2e.OwnerPassword)
	status, answer := f.do(t, "POST", f.base+"/v1/tokens", strings.NewReader(body), append(headers, "Content-Type", "application/json")...)
	var signedIn struct{ Data struct{ AccessToken string } }
	if err := json.Unmarshal([]byte(answer), &signedIn); err != nil || status != http.StatusOK {
		t.Fatalf("sign-in: %d %s", status, answer)
	}
	return signedIn.Data.AccessToken
}

// do sends a request and reads the whole answer.
func (f *frontend) do(t *testing.T, method, url string, body io.Reader, headers ...string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(testwait.Context(t), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := f.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// clientIP is the address of the proxies' client, another one than the proxies'.
var (
	clientIP     = netip.MustParseAddr("127.0.0.2")
	clientDialer = &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(clientIP, 0))}
)

// transport returns a transport that trusts the proxy and speaks HTTP/2 where it can. It
// calls dialed for each connection.
func (f *frontend) transport(dialed func()) *http.Transport {
	return &http.Transport{
		TLSClientConfig: f.trust.Clone(), ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := clientDialer.DialContext(ctx, network, address)
			dialed()
			return conn, err
		},
	}
}

// trust accepts the proxies' certificates, which these tests make for themselves.
func trust() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }
