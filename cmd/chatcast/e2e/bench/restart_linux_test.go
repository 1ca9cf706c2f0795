package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

const (
	restartClients = 2000
	restartRounds  = 3
)

// BenchmarkRestart restarts the program under 2,000 clients that come back as pusher-js
// does. A sample is the time from SIGTERM until a client is subscribed again.
func BenchmarkRestart(b *testing.B) {
	for _, reuse := range []bool{false, true} {
		what := "the next program is started when the last one has ended"
		if reuse {
			what = "the next program waits, with server.reuse_port"
		}
		b.Run(what, func(b *testing.B) {
			if b.N < 10 { // the trial run
				return
			}
			r := newRestarts(b, reuse)
			var took []time.Duration
			for range restartRounds {
				took = append(took, r.round(b)...)
			}
			r.stop()
			measured(b, "restart: "+what, took)
			worst := slices.Max(took)
			b.ReportMetric(worst.Seconds(), "worst-s")
			summary = append(summary, fmt.Sprintf("%-52s %.2f s, %d of %d attempts found nobody", "  the worst client", worst.Seconds(), r.lost.Load(), len(took)))
		})
	}
}

// restarts are a program that restarts, and its clients.
type restarts struct {
	binary, address string
	cfg             config.Config
	reuse           bool
	now             *e2e.Process

	clients  sync.WaitGroup
	over     chan struct{}
	back     chan time.Time // when a client is subscribed
	lost     atomic.Int64   // attempts that found nobody
	stopping atomic.Bool
}

func newRestarts(b *testing.B, reuse bool) *restarts {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	r := &restarts{
		binary: e2e.BuildBinary(b), address: l.Addr().String(), cfg: e2e.Config(b), reuse: reuse,
		over: make(chan struct{}), back: make(chan time.Time, restartClients),
	}
	l.Close()
	r.now = r.start(b)
	r.now.Up(b)
	for range restartClients {
		r.clients.Go(r.client)
	}
	r.await(b)
	return r
}

func (r *restarts) start(b *testing.B) *e2e.Process {
	cmd := exec.Command(r.binary, "serve", fmt.Sprintf("--server.reuse_port=%t", r.reuse), "--server.address="+r.address, "--server.internal_address=",
		"--database.url="+r.cfg.Database.URL, "--files.dir="+r.cfg.Files.Dir)
	cmd.Env = append(e2e.Environ(), "CHATCAST_BOOTSTRAP_USER_PASSWORD="+e2e.OwnerPassword)
	return e2e.Begin(b, cmd)
}

// await returns when all clients are subscribed.
func (r *restarts) await(b *testing.B) (at []time.Time) {
	b.Helper()
	limit := time.After(testwait.Long)
	for range restartClients {
		select {
		case when := <-r.back:
			at = append(at, when)
		case <-limit:
			b.Fatalf("%d of %d clients are there", len(at), restartClients)
		}
	}
	return at
}

// round restarts the program once, and returns how long each client was away or about to
// be.
func (r *restarts) round(b *testing.B) (took []time.Duration) {
	var next *e2e.Process
	if r.reuse {
		next = r.start(b)
		next.Errs.Await(b, "takes over when it stops")
	}
	told := time.Now()
	if err := r.now.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	if err := r.now.Cmd.Wait(); err != nil {
		b.Fatalf("the program ended with %v: %s", err, r.now.Errs)
	}
	ended := time.Since(told)
	if !r.reuse {
		next = r.start(b)
	}
	next.Up(b)
	b.Logf("stopped in %v, up again after %v", ended.Round(time.Millisecond), time.Since(told).Round(time.Millisecond))
	r.now = next
	for _, at := range r.await(b) {
		took = append(took, at.Sub(told))
	}
	return took
}

func (r *restarts) stop() {
	r.stopping.Store(true)
	close(r.over)
	_ = r.now.Cmd.Process.Signal(os.Interrupt) // the sockets end
	_ = r.now.Cmd.Wait()
	r.clients.Wait()
}

// client comes back as pusher-js does: at once after 4200, a second after 4100 or a cut, and
// 15 s after it began an attempt that found nobody.
func (r *restarts) client() {
	dialer := websocket.Dialer{HandshakeTimeout: testwait.Long, ReadBufferSize: 512, WriteBufferSize: 512}
	for !r.stopping.Load() {
		began := time.Now()
		ws, res, err := dialer.Dial("ws://"+r.address+"/app/ChatsAppApiProdKey?protocol=7", http.Header{})
		pause := time.Until(began.Add(15 * time.Second))
		if err == nil {
			res.Body.Close()
			pause = r.stay(ws)
		} else if !r.stopping.Load() {
			r.lost.Add(1)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-r.over:
			timer.Stop()
		}
	}
}

// stay subscribes, and returns when the socket has ended, with the pause until the next one.
func (r *restarts) stay(ws *websocket.Conn) time.Duration {
	defer ws.Close()
	_ = ws.WriteJSON(map[string]any{"event": "pusher:subscribe", "data": map[string]string{"channel": "room"}})
	for {
		_, text, err := ws.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) && closed.Code >= 4200 && closed.Code < 4300 {
			return 0
		}
		if err != nil {
			return time.Second
		}
		var frame struct{ Event string }
		if json.Unmarshal(text, &frame) == nil && strings.HasSuffix(frame.Event, "subscription_succeeded") {
			r.back <- time.Now()
		}
	}
}
