//go:build unix

package webhook_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"syscall"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"chatcast/channels/testwait"
	"chatcast/crm/webhook"
)

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// givenUp reports whether the client of a request has closed its connection. The request's context
// does not tell that in time: it ends when a goroutine of the server has read the end of the
// connection, and on a busy machine the handler of a POST that timed out may run long before that,
// when events behind it have come. A client closes the connection of a request that it gives up
// before it posts again.
func givenUp(req *http.Request) bool {
	if req.Context().Err() != nil {
		return true
	}
	conn, ok := req.Context().Value(connKey{}).(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return true
	}
	gone := true
	err = raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
		gone = n <= 0 && err != syscall.EAGAIN && err != syscall.EINTR
	})
	return gone || err != nil
}

// TestReceiverForgetsGivenUp checks the receiver of these tests: it counts no POST whose client has
// given it up, although its context has not ended, and counts one whose client waits.
func TestReceiverForgetsGivenUp(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	dialer := net.Dialer{}
	client, err := dialer.DialContext(testwait.Context(t), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	r := newReceiver(t)
	r.secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of the tests"))
	post := func(id int) {
		t.Helper()
		body, now := fmt.Appendf(nil, `{"data":[],"meta":{"type":"message","eventId":%d}}`, id), time.Now()
		req := httptest.NewRequestWithContext(withConn(t.Context(), server), http.MethodPost, r.url, bytes.NewReader(body))
		signer, err := standardwebhooks.NewWebhook(r.secret)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := signer.Sign(fmt.Sprint("event_", id), now, body)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Webhook-Id": fmt.Sprint("event_", id), "Webhook-Timestamp": fmt.Sprint(now.Unix()), "Webhook-Signature": signature,
			"X-Chatcast-Signature": webhook.Signature(r.secret, body), "X-Chatcast-Event": "message",
		} {
			req.Header.Set(name, value)
		}
		r.ServeHTTP(httptest.NewRecorder(), req)
	}
	post(1)
	client.Close()
	if _, err := server.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
	post(2)
	if got := r.ids(); !slices.Equal(got, []int64{1}) {
		t.Errorf("it has %v, want the one whose client waits", got)
	}
}
