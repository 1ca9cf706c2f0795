package e2e

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"chatcast/channels/testwait"
)

// Prefixed starts a proxy that serves the program at address under path, and nothing else.
// It takes the path away from requests, or passes it on. It returns the program's base URL.
func Prefixed(t testing.TB, address, path string, takeAway bool) string {
	t.Helper()
	pass := &httputil.ReverseProxy{FlushInterval: -1, Transport: &http.Transport{}, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: address})
		r.Out.Host = r.In.Host
		r.SetXForwarded()
		if takeAway {
			r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, path)
			r.Out.URL.RawPath = strings.TrimPrefix(r.Out.URL.RawPath, path)
		}
	}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, path+"/") {
			http.Error(w, "this is another site", http.StatusNotFound)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
		pass.Transport.(*http.Transport).CloseIdleConnections()
	})
	return srv.URL + path
}

// Nginx starts nginx in front of the program at address, where it is installed, and
// returns two base URLs: behind a location that passes path on, and behind one that takes
// it away.
func Nginx(t testing.TB, address, path string) map[string]string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		t.Log("nginx is not installed; the test goes on without it")
		return nil
	}
	dir := t.TempDir()
	on, off := FreeAddress(t), FreeAddress(t)
	site := func(listen, upstream string) string {
		return fmt.Sprintf(`server {
    listen %s;
    location %s/ {
        proxy_pass http://%s;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_buffering off;
    }
}
`, listen, path, upstream)
	}
	text := fmt.Sprintf("daemon off;\nmaster_process off;\npid %s/pid;\nerror_log stderr;\nevents { worker_connections 100; }\nhttp {\naccess_log off;\n", dir)
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		text += fmt.Sprintf("%s_temp_path %s/%s;\n", name, dir, name)
	}
	text += site(on, address) + site(off, address+"/") + "}\n"
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-p", dir, "-c", file)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the context has ended
	for _, a := range []string{on, off} {
		untilListening(t, a)
	}
	return map[string]string{"nginx, passed on": "http://" + on + path, "nginx, taken away": "http://" + off + path}
}

// FreeAddress returns an address of this machine that nobody listens on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func untilListening(t testing.TB, address string) {
	t.Helper()
	var err error
	for end := time.Now().Add(testwait.Long); time.Now().Before(end); {
		var conn net.Conn
		if conn, err = net.DialTimeout("tcp", address, time.Second); err == nil {
			conn.Close()
			return
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			break
		}
	}
	t.Fatalf("nobody listens on %s: %v", address, err)
}
