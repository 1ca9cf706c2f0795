package kill

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

const (
	restartPages  = 50
	restartSecret = "a secret of the restart"
)

// TestPagesComeBack restarts the program under fifty pages of pusher-js 7 and 8. Every
// page comes back, none is cut or gives up, and backends hear of nobody who left.
//
// pusher-js waits 15 s after an attempt that finds nobody. With a listening socket that
// outlives the program, no attempt does. Without one, none does if the next program
// listens before the pages come back, a second after they were told.
func TestPagesComeBack(t *testing.T) {
	binary := e2e.BuildBinary(t)
	t.Run("the socket outlives the program", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		restartUnderPages(t, func(config string, _ *e2e.Process) *e2e.Process { return launchWith(t, binary, config, f) }, true)
	})
	t.Run("drain", func(t *testing.T) {
		restartUnderPages(t, func(config string, before *e2e.Process) *e2e.Process {
			address := "127.0.0.1:0"
			if before != nil {
				address = strings.TrimPrefix(before.Base, "http://")
			}
			return e2e.Launch(t, binary, "", nil, "--config", config, "--server.address="+address)
		}, false)
	})
}

// launchWith starts the program with a listening socket, as systemd does.
func launchWith(t *testing.T, binary, config string, socket *os.File) *e2e.Process {
	t.Helper()
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, binary, "serve", "--config", config)
	cmd.Env, cmd.ExtraFiles = e2e.Environ(), []*os.File{socket}
	return e2e.LaunchCommand(t, cmd)
}

// restartConfig writes the configuration of a program that restarts.
func restartConfig(t *testing.T, database string, hooks *members) string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf(`
server: {internal_address: ""}
database: {url: "%[4]s"}
files: {dir: "%[1]s/files"}
webhooks: {allow_private_targets: true}
apps: [{id: "1", key: ChatsAppApiProdKey, secret: %[2]s, webhooks: [{url: "%[3]s"}]}]
`, dir, restartSecret, hooks.url, database)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

// restartUnderPages stops a program that pages are connected to and starts the next one.
// waits says that attempts to connect wait for the next one, however long it takes.
func restartUnderPages(t *testing.T, start func(config string, before *e2e.Process) *e2e.Process, waits bool) {
	hooks := watchMembers(t)
	config := restartConfig(t, testdb.SQLiteURL(t), hooks)
	first := start(config, nil)
	pages := openPages(t, first.Base)
	pages.joined(t, 1)
	hooks.await(t, restartPages)

	told := time.Now()
	if err := first.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := first.Cmd.Wait(); err != nil {
		t.Fatalf("the program ended with %v: %s", err, first.Errs)
	}
	ended := time.Now()
	second := start(config, first)
	up := time.Now()
	pages.joined(t, 2)
	t.Logf("stopped in %v, up again after %v, all %d pages back %v after SIGTERM",
		ended.Sub(told).Round(time.Millisecond), up.Sub(ended).Round(time.Millisecond), restartPages, time.Since(told).Round(time.Millisecond))

	hooks.checkNobodyLeft(t, second)
	pages.check(t, up, waits)
}

// report is what one page said.
type report struct {
	Who   int
	What  string
	At    int64 // ms
	Value any
}

// pages are pages of pusher-js in Node.
type pages struct {
	mu   sync.Mutex
	said []report // guarded by mu
}

func openPages(t *testing.T, base string) *pages {
	t.Helper()
	p := &pages{}
	var reading sync.WaitGroup
	t.Cleanup(reading.Wait) // after Node has ended, and with it the lines
	node := e2e.StartNode(t, "restart.cjs", base, "ChatsAppApiProdKey", restartSecret, fmt.Sprint(restartPages))
	reading.Go(func() {
		for line := range node.Lines {
			var r report
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Errorf("node said %s", line)
			}
			p.mu.Lock()
			p.said = append(p.said, r)
			p.mu.Unlock()
		}
	})
	return p
}

// of returns the reports of this kind, by page.
func (p *pages) of(what string) map[int][]report {
	p.mu.Lock()
	defer p.mu.Unlock()
	by := map[int][]report{}
	for _, r := range p.said {
		if r.What == what {
			by[r.Who] = append(by[r.Who], r)
		}
	}
	return by
}

// joined waits until each page has joined the channel so many times.
func (p *pages) joined(t *testing.T, times int) {
	t.Helper()
	testwait.Count(t, fmt.Sprintf("pages that joined %d times", times), restartPages, func() (n int) {
		for _, list := range p.of("joined") {
			if len(list) >= times {
				n++
			}
		}
		return n
	})
}

// check looks at what the restart did to the pages. The next program listened at the
// time up, or earlier.
func (p *pages) check(t *testing.T, up time.Time, waits bool) {
	t.Helper()
	closed := int64(1 << 62) // when the first page was told
	for who := range restartPages {
		errors := p.of("error")[who]
		if len(errors) == 0 || errors[0].Value != float64(4100) {
			t.Errorf("page %d was not told 4100 but %v", who, errors)
			continue
		}
		closed = min(closed, errors[0].At)
		for _, in := range p.of("connecting_in")[who] {
			if in.Value != float64(1) {
				t.Errorf("page %d comes back in %v s", who, in.Value)
			}
		}
		for _, s := range p.of("state")[who] {
			if s.Value == "failed" || s.Value == "disconnected" {
				t.Errorf("page %d is %v", who, s.Value)
			}
		}
	}
	if !waits && up.UnixMilli() > closed+1000 {
		t.Logf("the next program was up %d ms after the first page was told, which is too late to expect more", up.UnixMilli()-closed)
		return
	}
	for who, list := range p.of("joined") {
		if attempts := list[1].Value; attempts != float64(2) {
			t.Errorf("page %d found nobody when it came back: %v attempts", who, attempts)
		}
	}
}

// members is a backend that is told who comes and goes.
type members struct {
	url string

	mu   sync.Mutex
	told []string // guarded by mu
}

func watchMembers(t *testing.T) *members {
	m := &members{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct {
			Events []struct {
				Name, Channel string
				UserID        string `json:"user_id"`
			}
		}
		text, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(text, &body)
		}
		if err != nil {
			t.Errorf("a webhook: %v in %s", err, text)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, e := range body.Events {
			m.told = append(m.told, strings.TrimSpace(e.Name+" "+e.Channel+" "+e.UserID))
		}
	}))
	t.Cleanup(s.Close)
	m.url = s.URL
	return m
}

func (m *members) list() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.told)
}

// await waits until so many events were told about the channel of the pages: the channel
// and its members.
func (m *members) await(t *testing.T, pages int) {
	t.Helper()
	testwait.Count(t, "webhooks", pages+1, func() int { return len(m.list()) })
}

// checkNobodyLeft checks that the restart was told to nobody. A webhook of one more
// channel comes after all others.
func (m *members) checkNobodyLeft(t *testing.T, p *e2e.Process) {
	t.Helper()
	before := restartPages + 1
	ws, _ := e2e.ConnectSocket(t, p.Base)
	if err := ws.WriteJSON(map[string]any{"event": "pusher:subscribe", "data": map[string]string{"channel": "last"}}); err != nil {
		t.Fatal(err)
	}
	testwait.Count(t, "webhooks after the restart", before+1, func() int { return len(m.list()) })
	if list := m.list(); list[before] != "channel_occupied last" {
		t.Errorf("the restart was told as %q", list[before:])
	}
}
