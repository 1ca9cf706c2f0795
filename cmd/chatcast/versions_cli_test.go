package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"chatcast/models/seal"
	"chatcast/models/testdb"
)

// commandLine returns the arguments with which a command of the list runs, and whether
// it opens a database that is there.
func commandLine(c command) (args []string, opens bool) {
	args = strings.Fields(c.name)
	switch c.name {
	case "config", "config check", "version", "encryption key", "licenses", "sbom", "health":
		return args, false
	case "serve":
		return append(args, "--server.address=127.0.0.1:0", "--server.internal_address="), true
	case "token":
		args = append(args, "--email", "owner@example.com")
	case "company create":
		args = append(args, "--name", "N", "--email", "owner@example.com")
	case "key create":
		return append(args, "--company", "1"), true
	case "key revoke":
		return append(args, "1"), true
	case "company invite":
		return append(args, "1", "--email", "owner@example.com"), true
	}
	if c.operand != "" {
		args = append(args, "x")
	}
	return args, true
}

// TestCommandsBesideAnotherVersion runs every command on the database of a running server
// of an older version, and on one that a newer version has migrated. All refuse, say what
// to do, and change nothing, except that a backup is made.
func TestCommandsBesideAnotherVersion(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "c.db") },
		"postgres": func(t *testing.T) string { return testdb.EmptyPostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			url := open(t)
			server := testdb.Open(t, url)
			if err := errors.Join(server.MigrateTo(t.Context(), 13), server.Lock(t.Context())); err != nil {
				t.Fatal(err)
			}
			refused := func(when, advice string) {
				t.Helper()
				before := testdb.Contents(t, server)
				for _, c := range commands() {
					args, opens := commandLine(c)
					if !opens || c.name == "backup" || name == "postgres" && c.name != "migrate" { // there each waits for two seconds
						continue
					}
					code, stdout, stderr := onDatabase(t, url, args...)
					if code != exitFailed || stdout != "" || !strings.Contains(stderr, advice) {
						t.Errorf("%s: chatcast %s: exit %d\nstdout: %s\nstderr: %s", when, c.name, code, stdout, stderr)
					}
				}
				if changed := testdb.Changed(before, testdb.Contents(t, server)); len(changed) > 0 {
					t.Errorf("%s: commands have changed %v", when, changed)
				}
			}
			refused("under an older server", "stop")
			if name == "sqlite" {
				if code, _, stderr := onDatabase(t, url, "backup", filepath.Join(t.TempDir(), "copy.db")); code != exitOK {
					t.Errorf("backup under an older server: exit %d %s", code, stderr)
				}
			}
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
			if code, stdout, stderr := onDatabase(t, url, "migrate"); code != exitOK || !strings.Contains(stdout, "up to date") {
				t.Errorf("migrate without a server: exit %d %s", code, stderr)
			}
			server = testdb.Open(t, url)
			if err := server.PretendVersion(t.Context(), 999); err != nil {
				t.Fatal(err)
			}
			refused("of a newer version", "run the newer program, or restore a backup")
		})
	}
}

// onDatabase runs a command line on a database, with a key for its secrets.
func onDatabase(t *testing.T, url string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := []string{"CHATCAST_DATABASE_URL=" + url, "CHATCAST_FILES_DIR=" + t.TempDir()}
	if args[0] == "encryption" {
		env = append(env, "CHATCAST_ENCRYPTION_KEYS="+seal.New())
	}
	code = run(t.Context(), args, env, &out, &errs)
	return code, out.String(), errs.String()
}
