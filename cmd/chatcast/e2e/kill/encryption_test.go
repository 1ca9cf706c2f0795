package kill

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"chatcast/cmd/chatcast/e2e"
)

// TestEncryptedDatabase takes the built program through the life of its keys: no key, a
// first one, another one, none again, with a kill in the midst of each rewriting. The
// WhatsApp line and all secrets work after each step; while there is a key, no secret is
// in the database, and without the right key the program does not start.
func TestEncryptedDatabase(t *testing.T) {
	binary := e2e.BuildBinary(t)
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			b := &vault{box: openBox(t, binary, database, "CHATCAST_BOOTSTRAP_USER_PASSWORD="+e2e.OwnerPassword)}
			b.open()
			b.pair()
			b.makeSecrets()
			b.works("without a key")
			b.stop()
			b.keepWhatsAppKeys()
			b.bulk()
			if found := b.found(); len(found) != len(b.secrets) {
				t.Fatalf("the database without a key has %q, want all of %d", found, len(b.secrets))
			}

			first, second := b.key(), b.key()
			b.refuses("rotate without keys", "encryption.keys", "encryption", "rotate")
			b.use(first)
			b.refuses("a key for a plain database", "not encrypted", "serve")
			b.killed("encryption", "rotate")
			b.use()
			b.start()
			b.works("after a killed encryption")
			b.use(first)
			b.refuses("rotate beside a server", "stop the server first", "encryption", "rotate")
			b.stop()

			b.run("encryption", "rotate")
			b.hidden("with the first key")
			b.use()
			b.refuses("no key", "encryption.keys: the database is encrypted, and no key is set", "serve")
			b.use(second)
			b.refuses("the wrong key", "encryption.key_file: the database is encrypted with a key that is not set", "serve")
			b.refuses("a command with the wrong key", "encryption.key_file", "secret")
			b.use(first)
			b.start()
			b.works("with the first key")
			b.kill()
			b.works("after a kill")
			b.stop()
			b.hidden("after the first key was used")

			b.use(second, first)
			b.killed("encryption", "rotate")
			b.start()
			b.works("with both keys")
			b.stop()
			b.run("encryption", "rotate")
			b.use(second)
			b.start()
			b.works("with the second key")
			b.stop()
			b.hidden("with the second key")

			b.killed("encryption", "remove")
			b.start()
			b.works("after a killed decryption")
			b.stop()
			b.run("encryption", "remove")
			b.use()
			b.start()
			b.works("without a key again")
			if u := b.Unhandled(); len(u) > 0 {
				t.Errorf("the stand-in was asked for what it does not know: %q", u)
			}
		})
	}
}

// key returns a new key.
func (b *vault) key() string {
	b.t.Helper()
	return strings.TrimSpace(b.run("encryption", "key"))
}

// use sets the keys that the program has from now on, in a file.
func (b *vault) use(keys ...string) {
	b.t.Helper()
	b.settings = b.plain
	if len(keys) == 0 {
		return
	}
	path := filepath.Join(b.dir, "keys")
	if err := os.WriteFile(path, []byte("# of the test\n"+strings.Join(keys, "\n")+"\n"), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.settings = append(b.plain[:len(b.plain):len(b.plain)], "CHATCAST_ENCRYPTION_KEY_FILE="+path)
}

func (b *vault) command(args ...string) *exec.Cmd {
	cmd := exec.Command(b.binary, args...)
	cmd.Dir, cmd.Env = b.dir, append(e2e.Environ(), b.settings...)
	return cmd
}

func (b *vault) run(args ...string) string {
	b.t.Helper()
	cmd := b.command(args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("%v: %v %s", args, err, &errs)
	}
	return string(out)
}

// refuses checks that a command fails with the text, and prints nothing else.
func (b *vault) refuses(what, text string, args ...string) {
	b.t.Helper()
	cmd := b.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err == nil || out.Len() > 0 || !strings.Contains(errs.String(), text) {
		b.t.Errorf("%s: %v\n%s%s\nwant %q", what, err, &out, &errs, text)
	}
}

// killed starts a command that rewrites the secrets, and kills it when it has rewritten
// the first tables.
func (b *vault) killed(args ...string) {
	b.t.Helper()
	cmd := b.command(args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	var said []byte
	for part := make([]byte, 1); !bytes.Contains(said, []byte("whatsmeow_device: 1\n")); {
		n, err := out.Read(part)
		if said = append(said, part[:n]...); err != nil {
			break
		}
	}
	_ = cmd.Process.Kill() // if it has ended, the next check says so
	_ = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		b.t.Fatalf("%v was not killed in the midst: %s, it says %s", args, cmd.ProcessState, said)
	}
}

// stop ends the program as a supervisor does.
func (b *vault) stop() {
	b.t.Helper()
	if err := b.proc.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.t.Fatal(err)
	}
	if err := b.proc.Cmd.Wait(); err != nil {
		b.t.Fatalf("%v %s", err, b.proc.Errs)
	}
}
