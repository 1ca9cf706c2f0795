package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chatcast/models"
)

// buildBinary builds the program as a user has it.
func buildBinary(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chatcast")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// process is the real program in a process of its own.
type process struct {
	cmd  *exec.Cmd
	base string
	errs *bytes.Buffer
}

// startProcess starts the program with a configuration of the tests.
func startProcess(t *testing.T, binary string, cfg Config) *process {
	t.Helper()
	return launch(t, binary, "", []string{"CHATCAST_BOOTSTRAP_USER_PASSWORD=" + ownerPassword},
		"--server.address=127.0.0.1:0", "--server.internal_address=", "--server.drain_time=0s",
		"--database.url="+cfg.Database.URL, "--files.dir="+cfg.Files.Dir,
		"--whatsapp.endpoint="+cfg.WhatsApp.Endpoint, "--whatsapp.root_key="+cfg.WhatsApp.RootKey)
}

// launch starts the program in a folder, the test's own if empty, and returns when
// it prints where it is up.
func launch(t testing.TB, binary, dir string, environ []string, flags ...string) *process {
	t.Helper()
	p := &process{errs: new(bytes.Buffer)}
	p.cmd = exec.Command(binary, append([]string{"serve"}, flags...)...)
	p.cmd.Dir, p.cmd.Env = dir, append(os.Environ(), environ...)
	p.cmd.Stderr = p.errs
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // most often it has ended
		_ = p.cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, url, ok := strings.Cut(lines.Text(), "is up: "); ok {
			p.base = strings.TrimSuffix(url, "/")
			return p
		}
	}
	t.Fatalf("the program did not come up: %s", p.errs)
	return nil
}

// TestKill kills the real program again and again while messages are posted, and
// then looks: every message that was acknowledged is in the journal once, and the
// journal has no gap.
func TestKill(t *testing.T) {
	const rounds, posters = 4, 4
	binary, cfg := buildBinary(t), testConfig(t)
	var mu sync.Mutex
	acknowledged := map[string]bool{} // guarded by mu
	token := ""
	for round := range rounds {
		proc := startProcess(t, binary, cfg)
		if token == "" {
			token = (&running{base: proc.base}).signIn(t).token
		}
		var posting sync.WaitGroup
		enough := make(chan struct{}, posters*1000)
		for poster := range posters {
			posting.Go(func() {
				for n := 0; ; n++ {
					id := fmt.Sprintf("kill-%d-%d-%d", round, poster, n)
					if !postUntilKilled(proc.base, token, id, fmt.Sprintf("7999000%d", poster)) {
						return
					}
					mu.Lock()
					acknowledged[id] = true
					mu.Unlock()
					enough <- struct{}{}
				}
			})
		}
		for range 25 + 13*round { // killed at another point each time, in the midst of others' requests
			select {
			case <-enough:
			case <-time.After(patience):
				t.Fatalf("the program took no message: %s", proc.errs)
			}
		}
		if err := proc.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		posting.Wait()
		_ = proc.cmd.Wait() // it was killed
	}

	leaveUnnumbered(t, cfg)
	acknowledged["left"] = true
	p := start(t, cfg)
	owner := p.signIn(t)
	owner.goOnline(685) // an event after all others
	var ids []int64
	got := map[string]int{}
	for _, channel := range []string{lineChannel, companyChannel, userChannel} {
		for _, ev := range owner.events(channel) {
			ids = append(ids, ev.ID)
			var message struct{ ID string }
			if err := json.Unmarshal(ev.Data.Payload.Data[0], &message); err == nil && ev.Event == "message" {
				got[message.ID]++
			}
		}
	}
	slices.Sort(ids)
	for i, id := range ids {
		if id != int64(i)+1 {
			t.Fatalf("the journal's numbers have a gap or a double at %d: %v", i+1, ids)
		}
	}
	for id := range acknowledged {
		if got[id] != 1 {
			t.Errorf("the acknowledged message %s is in the journal %d times", id, got[id])
		}
	}
}

// SIGTERM ends the real program with 0, after it has said goodbye; so do two
// signals at once, as it gets them when its group is signalled too.
func TestTerminate(t *testing.T) {
	p := startProcess(t, buildBinary(t), testConfig(t))
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		if err := p.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v: %s", err, p.errs)
	}
	if log := p.errs.String(); !strings.Contains(log, "stopping") || !strings.Contains(log, "msg=stopped") || strings.Contains(log, ownerPassword) {
		t.Errorf("the log says\n%s", log)
	}
}

// postUntilKilled posts one message; false when the program is gone.
func postUntilKilled(base, token, id, chat string) bool {
	body, err := json.Marshal(inbound(id, chat, "Hello"))
	if err != nil {
		return false
	}
	req, err := http.NewRequest("POST", base+whatsApp+"/inbound", bytes.NewReader(body))
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

// leaveUnnumbered leaves what a process leaves that is killed between the commit
// and the numbering.
func leaveUnnumbered(t *testing.T, cfg Config) {
	t.Helper()
	store, err := models.Open(t.Context(), cfg.Database.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	err = store.Tx(t.Context(), func(tx *models.Tx) error {
		return tx.AppendJournal(&models.JournalEntry{
			CompanyID: 2224, Name: "message", Channels: `["` + lineChannel + `"]`, CreatedAtMS: time.Now().UnixMilli(),
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
