package pusher_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/server/pusher"
)

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// body_md5 and the signature cover the bytes on the wire.
func TestCompressedBody(t *testing.T) {
	engine := new(recorder)
	h := apiOf(t, engine, atDocTime)
	post := func(path, encoding, body, md5of string) *httptest.ResponseRecorder {
		query := pusher.SignRequest(docKey, docSecret, "POST", path, nil, []byte(md5of), docTime)
		w, r := httptest.NewRecorder(), httptest.NewRequest("POST", path+"?"+query, strings.NewReader(body))
		r.Header.Set("Content-Encoding", encoding)
		h.ServeHTTP(w, r)
		return w
	}
	const path = "/apps/3/events"
	half := zipped(t, docBody)[:40]
	bomb := zipped(t, strings.Repeat(" ", 5<<20)) // 5 MB in 5 kB
	damaged := []byte(zipped(t, docBody))
	damaged[len(damaged)-6] ^= 1 // in the checksum
	for _, encoding := range []string{"gzip", "GZIP", "x-gzip", " gzip "} {
		body := zipped(t, docBody)
		w := post(path, encoding, body, body)
		if got := engine.take(); w.Code != 200 || len(got) != 1 || got[0].Data != `{"some":"data"}` {
			t.Errorf("%s: %d %s published %+v", encoding, w.Code, w.Body, got)
		}
	}
	if w := post(path, "identity", docBody, docBody); w.Code != 200 || len(engine.take()) != 1 {
		t.Errorf("identity: %d %s", w.Code, w.Body)
	}
	batch := zipped(t, batchOf(10, plainEvent))
	if w := post("/apps/3/batch_events", "gzip", batch, batch); w.Code != 200 || len(engine.take()) != 10 {
		t.Errorf("batch: %d %s", w.Code, w.Body)
	}
	for name, test := range map[string]struct {
		encoding, body, md5of string
		status                int
		wantErr               string
	}{
		"md5 of the plain body": {"gzip", zipped(t, docBody), docBody, 401, "body_md5 is not the MD5 of the body"},
		"no gzip":               {"gzip", docBody, docBody, 400, "the body is not gzip, as Content-Encoding says"},
		"gzip, not said":        {"", zipped(t, docBody), zipped(t, docBody), 400, "the body is not valid UTF-8"},
		"cut":                   {"gzip", half, half, 400, "the body is damaged gzip"},
		"wrong checksum":        {"gzip", string(damaged), string(damaged), 400, "the body is damaged gzip"},
		"something behind":      {"gzip", zipped(t, docBody) + "more of it", zipped(t, docBody) + "more of it", 400, "the body is damaged gzip"},
		"a bomb":                {"gzip", bomb, bomb, 413, "the body is over 88992 bytes when it is decompressed"},
		"deflate":               {"deflate", docBody, docBody, 415, "Content-Encoding may be gzip, and nothing else"},
		"twice":                 {"gzip, gzip", docBody, docBody, 415, "Content-Encoding may be gzip, and nothing else"},
	} {
		t.Run(name, func(t *testing.T) {
			checkError(t, post(path, test.encoding, test.body, test.md5of), test.status, test.wantErr)
			if got := engine.take(); len(got) != 0 {
				t.Errorf("published %+v", got)
			}
		})
	}
}

// watched is a body that records how much of it was read.
type watched struct {
	io.Reader
	read int
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.read += n
	return n, err
}

// A body that is too large is not read beyond its limit, and a stranger's body is not
// read at all.
func TestBodyIsNotReadInVain(t *testing.T) {
	const path, limit = "/apps/3/events", 88_992
	h := apiOf(t, new(recorder), atDocTime)
	endless := strings.Repeat(" ", 10<<20)
	good := path + "?" + pusher.SignRequest(docKey, docSecret, "POST", path, nil, []byte(endless), docTime)
	for name, test := range map[string]struct {
		target  string
		length  int64
		status  int
		atMost  int
		setting string
	}{
		"announced":         {good, int64(len(endless)), 413, 0, ""},
		"not announced":     {good, -1, 413, limit + 1, ""},
		"a stranger's":      {path + "?auth_key=x", -1, 401, 0, ""},
		"of a wrong secret": {path + "?" + pusher.SignRequest(docKey, "x", "POST", path, nil, []byte(endless), docTime), -1, 401, 0, ""},
		"without md5":       {path + "?" + pusher.SignRequest(docKey, docSecret, "POST", path, nil, nil, docTime), int64(len(endless)), 401, 0, ""},
		"another encoding":  {good, -1, 415, 0, "br"},
	} {
		t.Run(name, func(t *testing.T) {
			body := &watched{Reader: strings.NewReader(endless)}
			w, r := httptest.NewRecorder(), httptest.NewRequest("POST", test.target, body)
			r.ContentLength = test.length
			r.Header.Set("Content-Encoding", test.setting)
			h.ServeHTTP(w, r)
			if w.Code != test.status || body.read > test.atMost {
				t.Errorf("%d %s, %d bytes were read, want at most %d", w.Code, w.Body, body.read, test.atMost)
			}
		})
	}
}

// pipes is a listener without a network, so that a test can use fake time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A signed request whose body does not come holds its connection for half a minute.
func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := new(recorder)
		listener := pipes{make(chan net.Conn), make(chan struct{})}
		srv := &http.Server{Handler: apiOf(t, engine, atDocTime)}
		served := make(chan error)
		go func() { served <- srv.Serve(listener) }()
		client, far := net.Pipe()
		listener.conns <- far

		began := time.Now()
		go func() {
			_, _ = io.WriteString(client, "POST /apps/3/events?"+docQuery+"&auth_signature="+docSig+" HTTP/1.1\r\nHost: x\r\nContent-Length: 68\r\n\r\n{")
		}()
		res, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		if took := time.Since(began); res.StatusCode != 400 || !strings.Contains(string(text), "the body could not be read to its end") || took < 29*time.Second || took > time.Minute {
			t.Errorf("after %s: %d %s", took, res.StatusCode, text)
		}
		_ = client.Close()
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		if got := engine.take(); len(got) != 0 {
			t.Errorf("published %+v", got)
		}
	})
}

// hurried is a response that records the read deadline of the request.
type hurried struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (h *hurried) SetReadDeadline(at time.Time) error {
	if !at.IsZero() { // the body has been read
		h.until = at
	}
	return nil
}

// The server waits 30 s for a body, also for a stranger's, which net/http reads before
// it answers.
func TestBodiesAreHurried(t *testing.T) {
	h := newHarness(t)
	for _, query := range []string{"", "?" + pusher.SignRequest(docKey, docSecret, "POST", "/apps/3/events", nil, []byte("{}"), time.Now())} {
		w := &hurried{ResponseRecorder: httptest.NewRecorder()}
		began := time.Now()
		h.web.ServeHTTP(w, httptest.NewRequest("POST", "/apps/3/events"+query, strings.NewReader("{}")))
		if w.until.Before(began.Add(30*time.Second)) || w.until.After(time.Now().Add(30*time.Second)) {
			t.Errorf("%d: the body may take %v", w.Code, w.until.Sub(began))
		}
	}
}
