package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/config"
)

// TestEncryptionCommands takes a new database through its keys, as they come from the
// environment. TestEncryptedDatabase does so with a whole server.
func TestEncryptionCommands(t *testing.T) {
	dir := t.TempDir()
	with := func(keys string, args ...string) (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		env := []string{"CHATCAST_DATABASE_URL=sqlite:" + filepath.Join(dir, "c.db"), "CHATCAST_ENCRYPTION_KEYS=" + keys}
		code = run(t.Context(), args, env, &out, &errs)
		if strings.Contains(out.String()+errs.String(), keys) && keys != "" {
			t.Errorf("%v shows a key", args)
		}
		return code, strings.TrimSpace(out.String()), errs.String()
	}
	must := func(keys string, args ...string) string {
		t.Helper()
		code, stdout, stderr := with(keys, args...)
		if code != exitOK {
			t.Fatalf("%v: exit %d %s", args, code, stderr)
		}
		return stdout
	}
	first, second := must("", "encryption", "key"), must("", "encryption", "key")
	if first == second || len(first) != 44 {
		t.Errorf("the keys are %q and %q", first, second)
	}
	must(first, "migrate")
	if out := must(first, "encryption", "status"); !strings.HasPrefix(out, "in use  none\nset     ") {
		t.Errorf("of an empty database: %q", out)
	}
	secret := strings.Fields(must(first, "app", "create", "--id", "shop"))[5]
	status := strings.Fields(must(first, "encryption", "status"))
	if len(status) != 5 || status[2] != status[4] {
		t.Errorf("with a secret: %q", status)
	}
	if id := strings.Fields(must("", "encryption", "status"))[2]; id != status[2] {
		t.Errorf("without a key it needs %s, with it %s", id, status[2])
	}
	if file, err := os.ReadFile(filepath.Join(dir, "c.db")); err != nil || bytes.Contains(file, []byte(secret)) {
		t.Errorf("the file has the secret, or %v", err)
	}
	for keys, want := range map[string]string{
		"": "encryption.keys: the database is encrypted, and no key is set; it needs " + status[2], second: "encryption.keys: the database is encrypted with a key that is not set: " + status[2],
	} {
		for _, args := range [][]string{{"secret", "--app", "shop"}, {"app", "list"}, {"app", "create", "--id", "second"}, {"migrate"}, {"serve", "--server.address=127.0.0.1:0", "--server.internal_address="}} {
			if code, stdout, stderr := with(keys, args...); code != exitUsage || stdout != "" || !strings.Contains(stderr, want) {
				t.Errorf("%v: exit %d %s%s, want %q", args, code, stdout, stderr, want)
			}
		}
	}
	told := map[string]int{}
	for line := range strings.Lines(must(second+","+first, "encryption", "rotate")) {
		table, _, _ := strings.Cut(line, ": ")
		told[table]++
	}
	if told["apps"] != 1 || told["settings"] != 1 || slices.Max(slices.Collect(maps.Values(told))) != 1 {
		t.Errorf("rotate tells of tables this often: %v", told)
	}
	if got := must(second, "secret", "--app", "shop"); got != secret {
		t.Errorf("after the rotation the secret is %q, and was %q", got, secret)
	}
	must(second, "encryption", "remove")
	if got := must("", "secret", "--app", "shop"); got != secret {
		t.Errorf("after the decryption the secret is %q, and was %q", got, secret)
	}
	if code, _, stderr := with(first, "secret", "--app", "shop"); code != exitUsage || !strings.Contains(stderr, "chatcast encryption rotate") {
		t.Errorf("a key for a plain database: exit %d %s", code, stderr)
	}
	if out := must(first, "config"); !strings.Contains(out, config.Masked) {
		t.Errorf("the configuration is\n%s", out)
	}
}
