package pusher_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/broadcasting/apps"
	"chatcast/channels/testwait"
)

// Apps are replaced while sockets connect, publish and leave: for the race detector. No
// socket stays on a removed app, and nothing is left.
func TestReplaceHammer(t *testing.T) {
	h := newHarness(t)
	var guests, wg sync.WaitGroup
	var stop atomic.Bool
	wg.Go(func() {
		for i := 0; !stop.Load(); i++ {
			list := []apps.App{docApp()}
			if i%4 != 0 {
				list = append(list, shop(func(a *apps.App) {
					a.Enabled, a.Limits.ClientEventsPerSecond = i%4 != 1, 1+i%9
					a.OldSecret, a.OldSecretUntil = fmt.Sprint("old ", i), time.Now().Add(time.Hour)
				}))
			}
			if err := h.apps.Replace(list); err != nil {
				t.Error(err)
			}
			_ = h.apps.ByKey("shop")
			_ = h.apps.First()
		}
	})
	var met atomic.Int64
	for range 16 {
		guests.Go(func() {
			for range 25 {
				if h.visit() {
					met.Add(1)
				}
			}
		})
	}
	guests.Wait()
	stop.Store(true)
	wg.Wait()
	if met.Load() == 0 {
		t.Error("no socket was ever let in")
	}
	h.replace(t)
	h.waitForSockets(t, 0)
	h.stop()
	if st := h.engine.Stats(); st.Sockets != 0 || st.Channels != 0 {
		t.Errorf("left: %+v", st)
	}
}

// visit is a short life of a socket of the shop. It reports whether the socket was let
// in.
func (h *harness) visit() bool {
	u, _ := url.Parse(h.url)
	ws, res, err := websocket.DefaultDialer.Dial("ws://"+u.Host+"/app/shop?protocol=7", nil)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	defer func() { _ = ws.Close() }()
	_ = ws.SetReadDeadline(time.Now().Add(testwait.Long))
	_, first, err := ws.ReadMessage()
	match := established.FindStringSubmatch(string(first))
	if err != nil || match == nil {
		return false
	}
	auth := "shop:" + hmacHex("first secret", match[1]+":private-a")
	for _, text := range []string{
		`{"event":"pusher:subscribe","data":{"channel":"private-a","auth":"` + auth + `"}}`,
		`{"event":"client-x","channel":"private-a","data":1}`, `{"event":"pusher:ping","data":{}}`,
	} {
		_ = ws.WriteMessage(websocket.TextMessage, []byte(text))
	}
	for {
		if _, text, err := ws.ReadMessage(); err != nil || strings.Contains(string(text), "pusher:pong") {
			return true
		}
	}
}

// gate stops each connection between the moment when it was let in and its first frame.
type gate struct {
	http.ResponseWriter
	reached, open chan struct{}
}

func (g gate) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	g.reached <- struct{}{}
	<-g.open
	return http.NewResponseController(g.ResponseWriter).Hijack()
}

// An app is removed or disabled after a socket was let in and before it is open: the
// socket does not stay.
func TestAppGoesWhileASocketComes(t *testing.T) {
	h := newHarness(t)
	reached, open := make(chan struct{}), make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.web.ServeHTTP(gate{w, reached, open}, r)
	}))
	defer web.Close()
	for code, list := range map[int][]apps.App{
		4001: nil, 4003: {shop(func(a *apps.App) { a.Enabled = false })},
		4009: {shop(func(a *apps.App) { a.AllowedOrigins = []string{"https://b.example"} })},
	} {
		h.replace(t, shop())
		go func() {
			<-reached
			if err := h.apps.Replace(append([]apps.App{docApp()}, list...)); err != nil {
				t.Error(err)
			}
			open <- struct{}{}
		}()
		ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(web.URL, "http")+"/app/shop?protocol=7", http.Header{"Origin": {"https://a.example"}})
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		r := &raw{t: t, ws: ws}
		if first := r.read(); !established.MatchString(first) {
			t.Errorf("%d: not let in at all: %s", code, first)
		}
		if says := r.read(); !strings.Contains(says, strconv.Itoa(code)) {
			t.Errorf("%d: %s", code, says)
		}
		r.expectClose(code)
		_ = ws.Close()
	}
}
