package program_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// What is not committed is never answered with 200: neither to a client that has closed its
// own direction, nor when the program stops before the request is done.
func TestGivenUpIsNotDone(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Database.URL = testdb.PostgresURL(t)
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	held := testdb.HoldTable(t, cfg.Database.URL, "chats")
	blocked := func() { testwait.Count(t, "requests that wait for the database", 1, held.Waiting) }

	closed := askInbound(t, p, owner.Token)
	closed.send(t)
	blocked()
	if err := closed.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if status, answer := closed.answer(t); status < 400 {
		t.Errorf("a client that closed its own direction is answered %d %s", status, answer)
	}
	testwait.Count(t, "requests that wait for the database", 0, held.Waiting)

	first := askInbound(t, p, owner.Token) // the program waits for it
	stopped := make(chan struct{})
	go func() { defer close(stopped); p.Stop() }()
	e2e.AwaitReady(t, p.Base, http.StatusServiceUnavailable, "")
	late := askInbound(t, p, owner.Token)
	late.send(t)
	blocked()
	first.Close()
	if status, answer := late.answer(t); status != http.StatusServiceUnavailable {
		t.Errorf("when the program stops, a request that was not done is answered %d %s", status, answer)
	}
	<-stopped
}

// inboundCall is a message on its way to the program, which reads its body already.
type inboundCall struct {
	*net.TCPConn
	in   *bufio.Reader
	body []byte
}

func askInbound(t *testing.T, p *e2e.Running, token string) *inboundCall {
	t.Helper()
	body, err := json.Marshal(e2e.Inbound("1", "79990001122", "Hello"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(testwait.Long))
	c := &inboundCall{conn.(*net.TCPConn), bufio.NewReader(conn), body}
	fmt.Fprintf(conn, "POST %s/inbound HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		e2e.WhatsAppPath, p.Address(), token, len(body))
	if status, answer := c.answer(t); status != http.StatusContinue {
		t.Fatalf("a request is answered %d %s before its body", status, answer)
	}
	return c
}

// send sends the body.
func (c *inboundCall) send(t *testing.T) {
	t.Helper()
	if _, err := c.Write(c.body); err != nil {
		t.Fatal(err)
	}
}

func (c *inboundCall) answer(t *testing.T) (status int, answer string) {
	t.Helper()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode == http.StatusContinue {
		return res.StatusCode, ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}
