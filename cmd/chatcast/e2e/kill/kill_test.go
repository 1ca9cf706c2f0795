package kill

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models"
)

// TestKill kills the built program again and again while messages are posted, and then
// checks that every acknowledged message is in the journal once, and that the journal
// has no gap.
func TestKill(t *testing.T) {
	const rounds, posters = 4, 4
	binary, cfg := e2e.BuildBinary(t), e2e.Config(t)
	var mu sync.Mutex
	acknowledged := map[string]bool{} // guarded by mu
	token := ""
	for round := range rounds {
		proc := e2e.StartProcess(t, binary, cfg)
		if token == "" {
			token = (&e2e.Running{Base: proc.Base}).SignIn(t).Token
		}
		var posting sync.WaitGroup
		enough := make(chan struct{}, posters*1000)
		for poster := range posters {
			posting.Go(func() {
				for n := 0; ; n++ {
					id := fmt.Sprintf("kill-%d-%d-%d", round, poster, n)
					if !postUntilKilled(proc.Base, token, id, fmt.Sprintf("7999000%d", poster)) {
						return
					}
					mu.Lock()
					acknowledged[id] = true
					mu.Unlock()
					enough <- struct{}{}
				}
			})
		}
		for range 25 + 13*round { // killed at another point each time, amid other requests
			select {
			case <-enough:
			case <-time.After(testwait.Long):
				t.Fatalf("the program took no message: %s", proc.Errs)
			}
		}
		if err := proc.Cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		posting.Wait()
		_ = proc.Cmd.Wait() // it was killed
	}

	leaveUnnumbered(t, cfg)
	acknowledged["left"] = true
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	owner.GoOnline(685) // an event after all others
	checkJournal(t, owner, slices.Collect(maps.Keys(acknowledged)))
}

// SIGTERM stops the program in order, with exit code 0. So do two signals at once, which
// it gets when its group is signalled too.
func TestTerminate(t *testing.T) {
	p := e2e.StartProcess(t, e2e.BuildBinary(t), e2e.Config(t))
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		if err := p.Cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v: %s", err, p.Errs)
	}
	if log := p.Errs.String(); !strings.Contains(log, "stopping") || !strings.Contains(log, "msg=stopped") || strings.Contains(log, e2e.OwnerPassword) {
		t.Errorf("the log says\n%s", log)
	}
}

// A second signal, a second after the first or later, ends a program at once that still
// waits for a request: with exit code 1, and a word in the log.
func TestSecondSignal(t *testing.T) {
	p := e2e.StartProcess(t, e2e.BuildBinary(t), e2e.Config(t))
	slow, err := net.Dial("tcp", strings.TrimPrefix(p.Base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	body := `{"email":"`
	if _, err := fmt.Fprintf(slow, "POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := slow.Read(make([]byte, 1)); err != nil { // the program reads the body
		t.Fatal(err)
	}
	if _, err := slow.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Cmd.Wait() }()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		_ = p.Cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-again.C:
			continue
		case <-ended:
		}
		break
	}
	if code := p.Cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("the program ended with %d", code)
	}
	if log := p.Errs.String(); !strings.Contains(log, "stopped at once, as asked twice") || strings.Contains(log, "msg=stopped\n") {
		t.Errorf("the log says\n%s", log)
	}
}

// postUntilKilled posts one message. It returns false when the program is gone.
func postUntilKilled(base, token, id, chat string) bool {
	body, err := json.Marshal(e2e.Inbound(id, chat, "Hello"))
	if err != nil {
		return false
	}
	req, err := http.NewRequest("POST", base+e2e.WhatsAppPath+"/inbound", bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// leaveUnnumbered leaves the journal as a process does that is killed between the commit
// and the numbering.
func leaveUnnumbered(t *testing.T, cfg config.Config) {
	t.Helper()
	store, err := models.Open(t.Context(), cfg.Database.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	err = store.Tx(t.Context(), func(tx *models.Tx) error {
		return tx.AppendJournal(&models.JournalEntry{
			CompanyID: 2224, Name: "message", Channels: `["` + e2e.LineChannel + `"]`, CreatedAtMS: time.Now().UnixMilli(),
			Data: `{"payload":{"data":[{"id":"left","fromApi":false,"fromMe":false,"side":"in","time":1637319282,"isForwarded":false,` +
				`"type":"text","subtype":null,"message":{"text":"Test","caption":"","file":null},"quotedMessage":null,` +
				`"fromUser":{"id":"79990001122","username":null,"name":"Ann","phone":"79990001122"},` +
				`"chat":{"id":"79990001122@c.us","hash":"h1","type":"private","phone":"79990001122","username":null,"name":"Ann","image":null},` +
				`"fromApp":null,"utm":null,"created":null}],"meta":{"type":"message","licenseId":1229,"messengerType":"grWhatsApp"}}}`,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
