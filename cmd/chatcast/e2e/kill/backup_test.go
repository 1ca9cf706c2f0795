package kill

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm/crmtest"
	"chatcast/models/testdb"
)

// TestBackupAndRestore copies the database, and then the attachments, while messages
// come in, as docs/operations.md says. A server on the copies has every message that was
// acknowledged before the copy began, its file, the people and their tokens, and goes on
// numbering without a gap.
func TestBackupAndRestore(t *testing.T) {
	binary := e2e.BuildBinary(t)
	t.Run("sqlite", func(t *testing.T) {
		to := filepath.Join(t.TempDir(), "restored.db")
		backupAndRestore(t, binary, e2e.Config(t), "sqlite:"+to, func(cfg config.Config) {
			command(t, binary, "backup", to, "--database.url="+cfg.Database.URL)
			if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("others can read the copy: %v, %v", info.Mode(), err)
			}
		})
	})
	t.Run("postgres", func(t *testing.T) {
		cfg, to := e2e.Config(t), testdb.EmptyPostgresURL(t)
		cfg.Database.URL = testdb.PostgresURL(t)
		backupAndRestore(t, binary, cfg, to, func(cfg config.Config) {
			dump := filepath.Join(t.TempDir(), "chatcast.dump")
			command(t, testdb.Tool(t, "pg_dump"), "--format=custom", "--file="+dump, "--dbname="+cfg.Database.URL)
			command(t, testdb.Tool(t, "pg_restore"), "--exit-on-error", "--no-owner", "--dbname="+to, dump)
		})
	})
}

func backupAndRestore(t *testing.T, binary string, cfg config.Config, to string, copyDatabase func(config.Config)) {
	proc := e2e.StartProcess(t, binary, cfg)
	owner := (&e2e.Running{Base: proc.Base}).SignIn(t)
	before := []string{}
	for n := range 20 {
		id := fmt.Sprintf("before-%d", n)
		owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound(id, "79990001", "Hello"), nil)
		before = append(before, id)
	}
	const chat = e2e.TelegramPath + "/chats/42"
	owner.Must("POST", e2e.TelegramPath+"/inbound", e2e.Inbound("telegram", "42", "Hello"), nil)
	picture := crmtest.Bytes(100_000)
	if status, answer := owner.SendFile(chat, "file.bin", picture); status != http.StatusOK {
		t.Fatalf("sending a file: %d %s", status, answer)
	}

	var posting sync.WaitGroup
	posted := make(chan bool, 10_000)
	posting.Go(func() {
		for n := 0; postUntilKilled(proc.Base, owner.Token, fmt.Sprintf("during-%d", n), "79990002"); n++ {
			posted <- true
		}
	})
	<-posted
	copyDatabase(cfg)
	copied := cfg
	copied.Database.URL, copied.Files.Dir = to, filepath.Join(t.TempDir(), "files")
	if err := os.CopyFS(copied.Files.Dir, os.DirFS(cfg.Files.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := proc.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	posting.Wait()

	p := e2e.Start(t, copied)
	again := p.SignIn(t)
	again.Token = owner.Token // it is of before the copy
	again.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound("after", "79990001", "Hello again"), nil)
	again.GoOnline(685)
	checkJournal(t, again, append(before, "after"))
	var page struct {
		Items []struct {
			Message struct{ File *struct{ Link string } }
		}
	}
	again.Must("GET", chat+"/messages?limit=1", nil, &page)
	if len(page.Items) != 1 || page.Items[0].Message.File == nil {
		t.Fatalf("the message with the file is %+v", page)
	}
	if status, got := e2e.Get(t, page.Items[0].Message.File.Link); status != http.StatusOK || got != string(picture) {
		t.Errorf("the file: %d with %d bytes", status, len(got))
	}
}

// checkJournal expects each of the messages in the journal once, and numbers without a
// gap.
func checkJournal(t *testing.T, c *e2e.Client, want []string) {
	t.Helper()
	var ids []int64
	messages := map[string]int{}
	for _, channel := range []string{e2e.LineChannel, telegramChannel, e2e.CompanyChannel, e2e.UserChannel} {
		for _, ev := range c.Events(channel) {
			ids = append(ids, ev.ID)
			var message struct{ ID string }
			if err := json.Unmarshal(ev.Data.Payload.Data[0], &message); err == nil && ev.Event == "message" {
				messages[message.ID]++
			}
		}
	}
	for _, id := range want {
		if messages[id] != 1 {
			t.Errorf("the message %s is in the journal %d times", id, messages[id])
		}
	}
	slices.Sort(ids)
	for i, id := range ids {
		if id != int64(i)+1 {
			t.Fatalf("the journal's numbers have a gap or a double at %d: %v", i+1, ids)
		}
	}
}

const telegramChannel = "private-v1.licenses.1229.messengers.telegram"

// command runs a program, which must succeed.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(testwait.Context(t), name, args...)
	cmd.Env = e2e.Environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
}
