package webhook_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"chatcast/broadcasting/webhook"
)

// Addresses that are not public are refused when dialled, whatever host name leads to
// them.
func TestPrivateTargets(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // must not be used
	r := newReceiver(t)
	url := r.serve(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "10.0.0.1", "169.254.169.254", "[fe80::1]", "[fd00::1]"} {
		store := &memory{}
		h := start(t, webhook.Options{Store: store, Apps: app(to("http://" + host + ":" + port + "/hunter2"))})
		h.Record(occupied("a"))
		h.says(t, "reason=private_target")
		h.stop()
		if rows, _ := store.Left(); rows != 1 {
			t.Errorf("%s: %d rows are left", host, rows)
		}
		if strings.Contains(h.log.String(), "hunter2") {
			t.Errorf("the log has the URL:\n%s", h.log)
		}
	}
	r.exactly()
	h := start(t, webhook.Options{Store: &memory{}, Apps: app(to(url)), AllowPrivate: true})
	h.Record(occupied("a"))
	r.wants("channel_occupied a")
}

// A certificate that cannot be verified prevents delivery.
func TestCertificates(t *testing.T) {
	r := newReceiver(t)
	server := httptest.NewUnstartedServer(r)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs that the client left
	server.StartTLS()
	t.Cleanup(server.Close)
	h := start(t, webhook.Options{Store: &memory{}, Apps: app(to(server.URL)), AllowPrivate: true})
	h.Record(occupied("a"))
	h.says(t, "reason=tls")
	r.exactly()
}

// A redirect is not a success and is not followed.
func TestRedirects(t *testing.T) {
	elsewhere := newReceiver(t)
	url := elsewhere.serve(t)
	r := newReceiver(t)
	r.answer = func(w http.ResponseWriter, req *http.Request, nth int) {
		if nth == 1 {
			http.Redirect(w, req, url, http.StatusFound)
		}
	}
	h := start(t, webhook.Options{Store: &memory{}, Apps: app(to(r.serve(t))), AllowPrivate: true})
	h.Record(occupied("a"))
	r.wants("channel_occupied a")
	if len(elsewhere.bodies) > 0 {
		t.Errorf("elsewhere was asked: %q", elsewhere.bodies)
	}
	h.says(t, "reason=redirect")
}

// Endless answers and endless headers take neither time nor memory. The body does not
// change the result of the status.
func TestEndlessAnswers(t *testing.T) {
	r, cut := newReceiver(t), make(chan struct{})
	written := 0 // bytes before it was cut
	r.answer = func(w http.ResponseWriter, req *http.Request, nth int) {
		if nth == 1 {
			defer close(cut)
		}
		if nth == 2 {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		}
		for block := make([]byte, 64<<10); req.Context().Err() == nil && nth != 2; {
			n, err := w.Write(block)
			if written += n; err != nil {
				return
			}
		}
	}
	h := start(t, webhook.Options{Store: &memory{}, Apps: app(to(r.serve(t))), AllowPrivate: true})
	h.Record(occupied("a"))
	<-cut
	if written > 64<<20 { // mostly the system's buffers
		t.Errorf("%d bytes of an endless answer went out", written)
	}
	h.Record(occupied("b"))
	h.says(t, "reason=connection")
	if st := h.Stats().Endpoints[0]; st.Delivered != 1 || st.Failed != 1 {
		t.Errorf("the counters are %+v", st)
	}
}

// An endpoint that is down for a while, or breaks off, gets everything in order.
func TestDownThenUp(t *testing.T) {
	r, store := newReceiver(t), &memory{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	h := start(t, webhook.Options{Store: store, Apps: app(to("http://user:hunter2@" + address + "/hunter2")), AllowPrivate: true})
	want := []string{"channel_occupied 0"}
	h.Record(occupied("0"))
	h.says(t, "reason=connection")
	for i := 1; i < 10; i++ {
		h.Record(occupied(fmt.Sprint(i)))
		want = append(want, fmt.Sprint("channel_occupied ", i))
	}
	if listener, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	first, err := listener.Accept() // takes the request, and breaks off
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.ReadRequest(bufio.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		t.Fatal(err)
	}
	first.Close()
	server := &http.Server{Handler: r}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	r.wants(want...)
	h.stop()
	if err := server.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if strings.Contains(h.log.String(), "hunter2") {
		t.Errorf("the log has the URL:\n%s", h.log)
	}
	if rows, told := store.Left(); rows != 0 || told != 10 {
		t.Errorf("%d rows and %d told are left", rows, told)
	}
	if len(r.sizes) > 3 || slices.Max(r.sizes) < 5 {
		t.Errorf("what waited came in POSTs of %v", r.sizes)
	}
}
