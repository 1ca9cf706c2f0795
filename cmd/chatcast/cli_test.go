package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// cli runs one command line with a database in dir, a folder of the test's own.
func cli(t *testing.T, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	env := []string{
		"CHATCAST_DATABASE_URL=sqlite:" + filepath.Join(dir, "c.db"), "CHATCAST_FILES_DIR=" + filepath.Join(dir, "files"),
	}
	var out, errs bytes.Buffer
	code = run(t.Context(), args, env, &out, &errs)
	return code, out.String(), errs.String()
}

// runCommand runs a command of the built program on the database of cfg, beside a server.
func runCommand(t *testing.T, binary string, cfg config.Config, stdin string, args ...string) string {
	t.Helper()
	var errs bytes.Buffer
	cmd := exec.Command(binary, append(args, "--database.url="+cfg.Database.URL, "--files.dir="+cfg.Files.Dir)...)
	cmd.Env, cmd.Stderr, cmd.Stdin = e2e.Environ(), &errs, strings.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		t.Fatalf("%v: %v %s%s", args, err, out, &errs)
	}
	return string(out)
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.yaml", "apps: [{id: a, key: k, secret: hunter2hunter2}]")
	bad := write("bad.yaml", "server: {adress: x}\nlog: {level: loud}")
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{nil, exitUsage, "", "usage: chatcast COMMAND"},
		{[]string{"help"}, exitOK, "config check", ""},
		{[]string{"help", "app", "rotate"}, exitOK, "usage: chatcast app rotate ID", ""},
		{[]string{"help", "fly"}, exitUsage, "", `unknown command "fly"`},
		{[]string{"fly"}, exitUsage, "", `unknown command "fly"`},
		{[]string{"help", "help"}, exitOK, "config check", ""},
		{[]string{"help", "version"}, exitOK, "usage: chatcast version\n  print version, commit and Go version\n", ""},
		{[]string{"app", "fly"}, exitUsage, "", "unknown command \"app fly\"\nusage: chatcast app COMMAND\n\n  app create"},
		{[]string{"serve", "--server.adress=x"}, exitUsage, "", "chatcast serve: unknown flag --server.adress; "},
		{[]string{"version"}, exitOK, "chatcast " + version, ""},
		{[]string{"version", "--fly"}, exitUsage, "", "fly"},
		{[]string{"serve", "extra"}, exitUsage, "", `"extra"`},
		{[]string{"serve", "--help"}, exitOK, "usage: chatcast serve", ""},
		{[]string{"serve", "--config", bad}, exitUsage, "", "server.adress: unknown key"},
		{[]string{"serve", "--config", filepath.Join(dir, "none.yaml")}, exitUsage, "", "cannot be read"},
		{[]string{"serve", "--bus.url=redis://localhost"}, exitUsage, "", "bus.url: must be memory: with SQLite"},
		{[]string{"config"}, exitOK, "address: 127.0.0.1:6001", ""},
		{[]string{"config", "--config", good}, exitOK, config.Masked, ""},
		{[]string{"config", "--server.address=[::1]:7001"}, exitOK, "[::1]:7001", ""},
		{[]string{"config", "check"}, exitUsage, "", "usage: chatcast config check FILE"},
		{[]string{"config", "check", good}, exitOK, "no errors\nnote: ", ""},
		{[]string{"config", "check", bad}, exitUsage, "", "2 errors:\n  server.adress: unknown key; known here: address, allowed_origins, base_path, drain_time, hsts, internal_address, public_url, reuse_port, security_contact, socket_mode, tls, trusted_proxies\n  log.level: must be trace"},
		{[]string{"serve", "--bootstrap.user.password=hunter2hunter2"}, exitUsage, "", "--bootstrap.user.password: holds a secret, and everybody on this machine can read a command line; set bootstrap.user.password in the configuration file (--config /dev/stdin reads it from standard input) or in the environment variable CHATCAST_BOOTSTRAP_USER_PASSWORD\n"},
		{[]string{"token", "--email", "a@b.c", "--database.url=postgres://u:hunter2@127.0.0.1:1/none"}, exitUsage, "", "CHATCAST_DATABASE_URL"},
		{[]string{"config", "--database.url", "postgres://127.0.0.1:1/none?user=u&password=hunter2"}, exitUsage, "", "CHATCAST_DATABASE_URL"},
		{[]string{"config", "--database.url=postgres://u:hunter2%@127.0.0.1:1/none"}, exitUsage, "", "CHATCAST_DATABASE_URL"},
		{[]string{"serve", "--files.s3.secret_key=hunter2"}, exitUsage, "", "CHATCAST_FILES_S3_SECRET_KEY"},
		{[]string{"serve", "--encryption.keys=hunter2"}, exitUsage, "", "CHATCAST_ENCRYPTION_KEYS"},
		{[]string{"serve", "--apps[0].secret=hunter2hunter2"}, exitUsage, "", "set apps[0].secret in"},
		{[]string{"serve", "--apps=[{id: a, key: k, secret: hunter2hunter2}]"}, exitUsage, "", "CHATCAST_APPS_0_SECRET"},
		{[]string{"serve", "--apps=[{id: a, key: k, webhooks: [{url: 'https://x', events: [member_added], headers: {Authorization: hunter2}}]}]"}, exitUsage, "", "set apps[0].webhooks[0].headers in"},
		{[]string{"config", "--apps=[{id: a, key: k}]"}, exitOK, "key: k", ""},
		{[]string{"migrate"}, exitOK, "the database is up to date", ""},
		{[]string{"migrate", "--database.url=postgres://nobody@127.0.0.1:1/none"}, exitFailed, "", "database.url"},
		{[]string{"backup"}, exitUsage, "", "usage: chatcast backup FILE"},
		{[]string{"backup", filepath.Join(dir, "copy.db")}, exitOK, "the database was copied to " + filepath.Join(dir, "copy.db"), ""},
		{[]string{"backup", filepath.Join(dir, "copy.db")}, exitFailed, "", "copy.db: file exists"},
		{[]string{"backup", filepath.Join(dir, "other.db"), "--database.url=postgres://nobody@127.0.0.1:1/none"}, exitFailed, "", "database.url"},
		{[]string{"health", "--server.address=127.0.0.1:1"}, exitFailed, "", "no server answers"},
		{[]string{"health", "--server.address=127.0.0.1:0"}, exitFailed, "", "server.address: the system chooses port 0"},
		{[]string{"token"}, exitUsage, "", "usage: chatcast token --email E"},
		{[]string{"token", "--email", "nobody@example.com"}, exitFailed, "", "chatcast: user not found\n"},
		{[]string{"secret", "--app", "nine"}, exitUsage, "", `no app with the id "nine"`},
		{[]string{"secret", "--config", good}, exitOK, "hunter2hunter2\n", ""},
	} {
		name := strings.Join(c.args, " ")
		code, stdout, stderr := cli(t, dir, c.args...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Errorf("chatcast %s: exit %d\nstdout: %s\nstderr: %s\nwant exit %d, %q and %q", name, code, stdout, stderr, c.code, c.stdout, c.stderr)
		}
		if c.stdout == "" && stdout != "" || c.stderr == "" && stderr != "" {
			t.Errorf("chatcast %s says too much\nstdout: %s\nstderr: %s", name, stdout, stderr)
		}
		if strings.Contains(stderr, "hunter2") || c.args != nil && c.args[0] == "config" && strings.Contains(stdout, "hunter2") {
			t.Errorf("chatcast %s shows a secret", name)
		}
	}
}

// TestHelpOfGroups checks that the first word of several commands, and nothing else,
// names them.
func TestHelpOfGroups(t *testing.T) {
	words := map[string]int{}
	for _, c := range commands() {
		if word, _, more := strings.Cut(c.name, " "); more {
			words[word]++
		}
	}
	delete(words, "config") // which is a command itself
	if len(words) < 4 {
		t.Fatalf("groups: %v", words)
	}
	for word, n := range words {
		for _, c := range []struct {
			args []string
			code int
		}{{[]string{"help", word}, exitOK}, {[]string{word, "--help"}, exitOK}, {[]string{word}, exitUsage}} {
			code, stdout, stderr := cli(t, t.TempDir(), c.args...)
			text := stdout + stderr
			if code != c.code || (stdout == "") == (code == exitOK) || strings.Count(text, "\n  ") != n || strings.Count(text, "\n  "+word+" ") != n {
				t.Errorf("chatcast %v: exit %d\nstdout: %s\nstderr: %s", c.args, code, stdout, stderr)
			}
		}
	}
	_, _, stderr := cli(t, t.TempDir(), "fly")
	if strings.Count(stderr, "\n") != 1 {
		t.Errorf("the error is lost in what follows: %s", stderr)
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, _, stderr := cli(t, t.TempDir(), "serve", "--server.internal_address=", "--server.address="+l.Addr().String())
	if want := "server.address: another program uses " + l.Addr().String(); code != exitFailed || !strings.Contains(stderr, want) {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestCommandsMakeNoDatabase checks that a command in a folder without a database names
// the path that it looked at, and leaves the folder as it was.
func TestCommandsMakeNoDatabase(t *testing.T) {
	dir := t.TempDir()
	for _, c := range commands() {
		args, opens := commandLine(c)
		if !opens || c.name == "serve" || c.name == "migrate" {
			continue // they need no database, or make it
		}
		code, stdout, stderr := cli(t, dir, args...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, filepath.Join(dir, "c.db")) {
			t.Errorf("chatcast %s: exit %d\nstdout: %s\nstderr: %s", c.name, code, stdout, stderr)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the folder has %v, %v", left, err)
	}
}

// The generated secret is the same every time, and the token works on the server.
func TestSecretAndTokenOfARunningServer(t *testing.T) {
	cfg := e2e.Config(t)
	p := e2e.Start(t, cfg)
	one := func(args ...string) string {
		var out, errs bytes.Buffer
		args = append(args, "--database.url="+cfg.Database.URL)
		if code := run(t.Context(), args, nil, &out, &errs); code != exitOK {
			t.Fatalf("%v: exit %d %s", args, code, &errs)
		}
		return strings.TrimSpace(out.String())
	}
	if first, second := one("secret"), one("secret"); first != second || len(first) != 64 || first != p.Components().Apps.First().Secret {
		t.Errorf("the secret is %q, then %q; the server has another", first, second)
	}
	c := &e2e.Client{T: t, Base: p.Base, Token: one("token", "--email", e2e.OwnerEmail)}
	var me struct{ ID int64 }
	if c.Must("GET", "/v1/me", nil, &me); me.ID != 685 {
		t.Errorf("the token is of user %d", me.ID)
	}
}

// The shell's settings do not hide an error of the checked file.
func TestConfigCheckIsAboutTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(`server: {address: "nope"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"config", "check", path}, []string{"CHATCAST_SERVER_ADDRESS=127.0.0.1:1"}, &out, &errs)
	if code != exitUsage || !strings.Contains(errs.String(), "server.address") {
		t.Errorf("exit %d: %s%s", code, &out, &errs)
	}
}

// TestHealth asks a server that runs, over http and over https with a certificate of
// another name, and one that is not ready.
func TestHealth(t *testing.T) {
	cfg := e2e.Config(t)
	p := e2e.Start(t, cfg)
	for _, args := range [][]string{{"health"}, {"health", "--ready"}} {
		code, stdout, stderr := cli(t, t.TempDir(), append(args, "--server.address="+p.Address())...)
		if code != exitOK || stdout != "the server is up\n" || stderr != "" {
			t.Errorf("%v: exit %d %s%s", args, code, stdout, stderr)
		}
	}
	other := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			http.Error(w, "the database is away", http.StatusServiceUnavailable)
		}
	}))
	defer other.Close()
	dir := t.TempDir()
	pair := other.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	tls := []string{"--server.address=" + other.Listener.Addr().String()}
	for name, block := range map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, "key": {Type: "PRIVATE KEY", Bytes: key}} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		tls = append(tls, "--server.tls."+name+"="+path)
	}
	if code, _, stderr := cli(t, dir, append([]string{"health"}, tls...)...); code != exitOK {
		t.Errorf("https: exit %d %s", code, stderr)
	}
	code, _, stderr := cli(t, dir, append([]string{"health", "--ready"}, tls...)...)
	if code != exitFailed || !strings.Contains(stderr, "503 Service Unavailable: the database is away") {
		t.Errorf("not ready: exit %d %s", code, stderr)
	}
}
