package webpost_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"chatcast/channels/webpost"
)

// TestRefusedAddresses checks that the client refuses each address of dialguard's table, and
// that the error says so.
func TestRefusedAddresses(t *testing.T) {
	text, err := os.ReadFile("../dialguard/testdata/addresses.txt")
	if err != nil {
		t.Fatal(err)
	}
	client, refused := webpost.NewClient(time.Second, false), 0
	for line := range strings.Lines(string(text)) {
		address, ok := strings.CutPrefix(strings.TrimSpace(line), "refused ")
		if !ok {
			continue
		}
		target := url.URL{Scheme: "http", Host: net.JoinHostPort(address, "80")}
		resp, err := client.Post(target.String(), "application/json", nil)
		switch {
		case err == nil:
			resp.Body.Close()
			t.Errorf("%s was reached", address)
		case errors.Is(err, syscall.EAFNOSUPPORT): // this machine has no IPv6
		default:
			if got := webpost.ErrorOf(err, time.Second); *got != (webpost.Error{Reason: webpost.ReasonPrivate, Text: webpost.PrivateTarget}) {
				t.Errorf("%s: %+v", address, got)
			}
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("only %d addresses were refused", refused)
	}
}

// TestNothingOfTheAnswer checks that an error repeats nothing of an answer that is not HTTP:
// the receiver may have repeated what it got.
func TestNothingOfTheAnswer(t *testing.T) {
	for _, answer := range []string{"%s\r\n\r\n", "HTTP/1.1 %s\r\n\r\n", "HTTP/1.1 200 OK\r\n%s\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n", ""} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, strings.ReplaceAll(answer, "%s", "deleted"))
			}
		}()
		client := webpost.NewClient(time.Second, true)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.Addr().String(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		_, failure := webpost.Do(client, req, time.Second, 100)
		if failure == nil || failure.Reason != webpost.ReasonBroken || strings.Contains(failure.Text, "deleted") || failure.Text == "" {
			t.Errorf("%q: %+v", answer, failure)
		}
		l.Close()
		<-ended
		client.CloseIdleConnections()
	}
}

// TestNoAddresses checks that an error of the connection says what failed and names no
// address: neither this server's nor that of a proxy.
func TestNoAddresses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
			t.Error(err)
		}
		if err := errors.Join(c.(*net.TCPConn).SetLinger(0), c.Close()); err != nil { // a reset
			t.Error(err)
		}
	}()
	client := webpost.NewClient(time.Minute, true)
	defer client.CloseIdleConnections()
	for _, want := range []string{"reset", "refused"} {
		resp, err := client.Post("http://"+l.Addr().String(), "application/json", strings.NewReader("{}"))
		if err == nil {
			resp.Body.Close()
			t.Fatal("answered")
		}
		got := webpost.ErrorOf(err, time.Minute)
		if got.Reason != webpost.ReasonBroken || strings.Contains(got.Text, "127.0.0.1") || !strings.Contains(got.Text, want) {
			t.Errorf("%+v, want that it was %s", got, want)
		}
		<-ended
		l.Close()
	}
}

// A receiver may answer anything.
func TestPrintable(t *testing.T) {
	if got, want := webpost.Printable([]byte("a\x00\x1b[31m\u009b31m\x7f\xff\tä\n")), "a  [31m 31m \ufffd\tä\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
