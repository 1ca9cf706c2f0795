package kill

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// hangUp sends the program SIGHUP and waits for a line of its log.
func hangUp(t *testing.T, p *e2e.Process, line string) {
	t.Helper()
	if err := p.Cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.Errs.Await(t, line)
}

// SIGHUP brings a changed file into force and names what needs a restart. A wrong file
// changes nothing. Neither ends the program.
func TestHangUpReloads(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	write := func(level, more string) {
		t.Helper()
		text := fmt.Sprintf("server: {address: \"127.0.0.1:0\", internal_address: \"\"%[3]s}\nlog: {level: %[2]s}\n"+
			"database: {url: \"sqlite:%[1]s/chatcast.db\"}\nfiles: {dir: \"%[1]s/files\"}\n", dir, level, more)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("info", "")
	p := e2e.Launch(t, e2e.BuildBinary(t), "", nil, "--config", path)
	e2e.Get(t, p.Base+"/healthz")
	if strings.Contains(p.Errs.String(), "level=DEBUG") {
		t.Fatalf("at level info the log has\n%s", p.Errs)
	}

	write("debug", `, drain_time: 1s, allowed_origins: ["https://a.example"]`)
	hangUp(t, p, `changed="[server.allowed_origins log.level]"`)
	p.Errs.Await(t, "need a restart\" settings=[server.drain_time]")
	e2e.Get(t, p.Base+"/healthz")
	p.Errs.Await(t, "level=DEBUG")
	if got := allowedOrigin(t, p, "https://b.example"); got != "" {
		t.Errorf("a page of another origin gets %q", got)
	}

	write("shout", `, allowed_origins: []`)
	hangUp(t, p, "the configuration was not reloaded, and nothing has changed")
	if !strings.Contains(p.Errs.String(), "log.level: must be trace") {
		t.Errorf("the error is not named in\n%s", p.Errs)
	}
	if got := allowedOrigin(t, p, "https://b.example"); got != "" {
		t.Errorf("after a wrong file a page of another origin gets %q", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	hangUp(t, p, "the configuration file cannot be read")

	write("debug", "")
	hangUp(t, p, "changed=[server.allowed_origins]")
	if got := allowedOrigin(t, p, "https://b.example"); got != "*" {
		t.Errorf("a page of any origin gets %q", got)
	}
}

// allowedOrigin returns what a page of the origin is allowed.
func allowedOrigin(t *testing.T, p *e2e.Process, origin string) string {
	t.Helper()
	req, err := http.NewRequest("GET", p.Base+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", origin)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.Header.Get("Access-Control-Allow-Origin")
}

// A configuration that came through a pipe cannot be read again, which changes nothing.
func TestHangUpWithoutAFile(t *testing.T) {
	binary, cfg := e2e.BuildBinary(t), e2e.Config(t)
	p := e2e.StartProcess(t, binary, cfg) // without --config: the environment and flags alone
	hangUp(t, p, "the configuration was reloaded")
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p = e2e.LaunchPiped(t, binary, fmt.Sprintf("server: {address: \"127.0.0.1:0\", internal_address: \"\"}\ndatabase: {url: \"sqlite:%[1]s/c.db\"}\nfiles: {dir: \"%[1]s\"}\n", dir))
	hangUp(t, p, "/dev/stdin is no file that could be read twice")
	e2e.Get(t, p.Base+"/healthz")
}

// A new certificate is served without a restart. While its files do not fit together, the
// last one is served, and the log names the files.
func TestCertificateIsReloaded(t *testing.T) {
	t.Parallel() // most of its time it waits for the program to look at the files
	dir := t.TempDir()
	files := config.TLSConfig{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	first := e2e.WriteCertificate(t, files)
	cfg := e2e.Config(t)
	p := e2e.Launch(t, e2e.BuildBinary(t), "", nil, "--server.address=127.0.0.1:0", "--server.internal_address=",
		"--database.url="+cfg.Database.URL, "--files.dir="+cfg.Files.Dir, "--server.tls.cert="+files.Cert, "--server.tls.key="+files.Key)
	serves(t, p, first, "at the start")

	half, err := os.ReadFile(files.Cert)
	if err == nil {
		err = os.WriteFile(files.Cert, half[:len(half)/2], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.Errs.Await(t, "the last certificate is still served")
	if !strings.Contains(p.Errs.String(), files.Cert) {
		t.Errorf("the files are not named in\n%s", p.Errs)
	}
	serves(t, p, first, "while half of the file is written")
	hangUp(t, p, "the configuration was not reloaded, and nothing has changed")
	serves(t, p, first, "after a signal")

	second := e2e.WriteCertificate(t, files)
	p.Errs.Await(t, "the certificate was reloaded")
	serves(t, p, second, "after the change")

	third := e2e.WriteCertificate(t, files)
	hangUp(t, p, "the configuration was reloaded")
	serves(t, p, third, "after the signal")

	other := config.TLSConfig{Cert: filepath.Join(dir, "other.pem"), Key: files.Key}
	e2e.WriteCertificate(t, other) // the key of another certificate
	p.Errs.Await(t, "does not match")
	serves(t, p, third, "with the key of another certificate")
}

// serves checks that the program serves the certificate that the pool trusts.
func serves(t *testing.T, p *e2e.Process, pool *x509.CertPool, when string) {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(p.Base, "https://"), &tls.Config{RootCAs: pool})
	if err != nil {
		t.Errorf("%s: %v", when, err)
		return
	}
	conn.Close()
}
