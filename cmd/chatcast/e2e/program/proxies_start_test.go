package program_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// frontend is a proxy in front of the program, in a process of its own.
type frontend struct {
	base  string // https://127.0.0.1:port
	http  *http.Client
	trust *tls.Config
	waits bool // requests wait while the program restarts

	cmd  *exec.Cmd
	log  bytes.Buffer // to be read after stop
	done chan struct{}
}

// startFrontend starts a proxy's program, which listens on the port. The test is left
// out where the program is not installed.
func startFrontend(t *testing.T, port string, environ []string, name string, args ...string) *frontend {
	t.Helper()
	f := &frontend{base: "https://127.0.0.1:" + port, trust: trust(), done: make(chan struct{})}
	f.cmd = exec.Command(name, args...)
	f.cmd.Env = append(e2e.Environ(), environ...)
	f.cmd.Stdout, f.cmd.Stderr = &f.log, &f.log
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(f.done)
		_ = f.cmd.Wait() // it was told to stop; if not, its log is shown
	}()
	f.http = &http.Client{Transport: f.transport(func() {})}
	t.Cleanup(func() {
		f.http.CloseIdleConnections()
		f.stop()
	})
	return f
}

// stop ends the proxy's program and waits.
func (f *frontend) stop() {
	_ = f.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	<-f.done
}

// ended reports whether the proxy's program ended by itself.
func (f *frontend) ended() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// installed returns the path of a proxy's program. It leaves the test out where there is
// none, and fails it in CI.
func installed(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// example returns a file of docs/deployment with other addresses and paths. Each pair is
// what stands there and what replaces it.
func example(t *testing.T, name string, pairs ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../../../docs/deployment", name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s does not have %q", name, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// write writes a file into dir and returns its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// freePort returns a port of loopback that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// certificate writes a certificate and its key into dir, and returns their paths.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	files := config.TLSConfig{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	e2e.WriteCertificate(t, files)
	return files.Cert, files.Key
}

// startNginx starts nginx; pairs change more of the example.
func startNginx(t *testing.T, upstream string, pairs ...string) *frontend {
	t.Helper()
	return startNginxWith(t, "nginx.conf", append(pairs, "server 127.0.0.1:6001", "server "+upstream)...)
}

// startNginxWith starts nginx with an example that is changed by pairs.
func startNginxWith(t *testing.T, file string, pairs ...string) *frontend {
	t.Helper()
	binary, dir, port := installed(t, "nginx"), t.TempDir(), freePort(t)
	cert, key := certificate(t, dir)
	site := write(t, dir, "chatcast.conf", example(t, file, append(pairs,
		"listen 443 ssl http2;", "listen 127.0.0.1:"+port+" ssl http2;",
		"    listen [::]:443 ssl http2;\n", "",
		"/etc/letsencrypt/live/chat.example.com/fullchain.pem", cert,
		"/etc/letsencrypt/live/chat.example.com/privkey.pem", key)...))
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;\n"
	}
	temp := ""
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s;\n", name, filepath.Join(dir, name))
	}
	whole := write(t, dir, "nginx.conf", fmt.Sprintf("%sdaemon off;\nmaster_process off;\npid %s;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n%sinclude %s;\n}\n",
		user, filepath.Join(dir, "pid"), temp, site))
	return startFrontend(t, port, nil, binary, "-p", dir, "-e", "stderr", "-c", whole)
}

func startHAProxy(t *testing.T, upstream string) *frontend {
	binary, dir, port := installed(t, "haproxy"), t.TempDir(), freePort(t)
	cert, key := certificate(t, dir)
	both := ""
	for _, file := range []string{cert, key} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		both += string(b)
	}
	whole := write(t, dir, "haproxy.cfg", example(t, "haproxy.cfg",
		"maxconn 100000", "maxconn 100", // the limit of open files may be low
		"bind :443", "bind 127.0.0.1:"+port,
		"/etc/haproxy/chat.example.com.pem", write(t, dir, "both.pem", both),
		"server chatcast 127.0.0.1:6001", "server chatcast "+upstream))
	f := startFrontend(t, port, nil, binary, "-db", "-f", whole)
	f.waits = true
	return f
}

func startCaddy(t *testing.T, upstream string) *frontend {
	binary, dir, port := installed(t, "caddy"), t.TempDir(), freePort(t)
	// A certificate of its own authority, which it must not make the machine trust.
	options := "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}\n"
	whole := write(t, dir, "Caddyfile", options+example(t, "Caddyfile"))
	f := startFrontend(t, port, []string{
		"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir,
		"CHATCAST_HOST=https://127.0.0.1:" + port, "CHATCAST_UPSTREAM=" + upstream,
	}, binary, "run", "--adapter", "caddyfile", "--config", whole)
	f.waits = true
	return f
}
