package kill

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"chatcast/cmd/chatcast/e2e"
)

// TestFullDisk fills the disk under the program. Whoever brings a message is told why it is
// not taken, and /readyz names it; what was taken can be read. With room again everything
// goes on, without a restart, and no message that was acknowledged is missing.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t)
	cfg := e2e.Config(t)
	cfg.Database.URL, cfg.Files.Dir = "sqlite:"+filepath.Join(disk, "chatcast.db"), filepath.Join(disk, "files")
	p := e2e.StartProcess(t, e2e.BuildBinary(t), cfg)
	owner := (&e2e.Running{Base: p.Base}).SignIn(t)
	var taken []string
	post := func(id string) (status int, answer string) {
		status, body := owner.Call("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound(id, "79990001122", strings.Repeat("long ", 500)))
		if status == http.StatusOK {
			taken = append(taken, id)
		}
		return status, string(body)
	}
	if status, answer := post("before"); status != http.StatusOK {
		t.Fatalf("before: %d %s", status, answer)
	}
	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	status, answer := 0, ""
	for n := 0; status != http.StatusServiceUnavailable; n++ { // the log of the database may have room left
		if status, answer = post(fmt.Sprint("full-", n)); n == 5000 || status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Fatalf("with a full disk, message %d: %d %s", n, status, answer)
		}
	}
	if !strings.Contains(answer, "the disk of the database is full") {
		t.Errorf("with a full disk: %s", answer)
	}
	e2e.AwaitReady(t, p.Base, http.StatusServiceUnavailable, `"writes":"full"`)
	e2e.AwaitReady(t, p.Base, http.StatusServiceUnavailable, `"files":"full"`)
	if status, answer := owner.Call("GET", e2e.WhatsAppPath+"/chats", nil); status != http.StatusOK {
		t.Errorf("reading, with a full disk: %d %s", status, answer)
	}
	for _, line := range []string{`msg="the database cannot serve requests"`, `msg="this can no longer be written to"`, "trouble=full"} {
		if !strings.Contains(p.Errs.String(), line) {
			t.Errorf("%q is missing in the log\n%s", line, p.Errs)
		}
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	e2e.AwaitReady(t, p.Base, http.StatusOK, `"status":"ok"`)
	if status, answer := post("after"); status != http.StatusOK {
		t.Fatalf("with room again: %d %s", status, answer)
	}
	owner.GoOnline(685) // an event after all others
	checkJournal(t, owner, taken)
}

// smallDisk returns a folder on a disk of its own, of 16 MiB. Without the right to mount one
// the test is skipped.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("chatcast-test", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("no disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes to a file until its disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err = f.Write(make([]byte, size)); err != nil {
			if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, io.ErrShortWrite) {
				t.Fatal(err)
			}
			size /= 2
		}
	}
}
