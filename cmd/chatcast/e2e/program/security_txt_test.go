package program_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/server/api/apitest"
)

const securityTxt = "/.well-known/security.txt"

// askSecurityTxt asks for security.txt of a program with a contact and of one without.
func askSecurityTxt(t *testing.T, record func(op *apitest.Operation, r *http.Request, status int)) {
	t.Helper()
	for contact, want := range map[string]int{"security@example.com": http.StatusOK, "": http.StatusNotFound} {
		cfg := e2e.Config(t)
		cfg.Server.SecurityContact = contact
		handler := apitest.Documented(t, e2e.Start(t, cfg).Components().Router, record)
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), method, securityTxt, http.NoBody))
			if rec.Code != want {
				t.Errorf("%s with the contact %q: %d %s", method, contact, rec.Code, rec.Body)
			}
		}
	}
}

// TestSecurityTxt checks that the file has what RFC 9116 requires.
func TestSecurityTxt(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Server.SecurityContact, cfg.Server.PublicURL = "security@example.com", "https://chat.example.com"
	p := e2e.Start(t, cfg)
	res, err := http.Get(p.Base + securityTxt)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if typ := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || typ != "text/plain; charset=utf-8" {
		t.Errorf("%s, %s", res.Status, typ)
	}
	fields := map[string][]string{}
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		fields[name] = append(fields[name], value)
	}
	if c := fields["Contact"]; len(c) != 1 || c[0] != "mailto:security@example.com" {
		t.Errorf("Contact %q", c)
	}
	if c := fields["Canonical"]; len(c) != 1 || c[0] != "https://chat.example.com"+securityTxt {
		t.Errorf("Canonical %q", c)
	}
	if len(fields["Expires"]) != 1 {
		t.Fatalf("the fields are %q", fields)
	}
	expires, err := time.Parse(time.RFC3339, fields["Expires"][0])
	if left := time.Until(expires); err != nil || left < 60*24*time.Hour || left > 364*24*time.Hour {
		t.Errorf("Expires %s: in %s, %v", expires, left, err)
	}
	head, err := http.Head(p.Base + securityTxt)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(head.Body)
	head.Body.Close()
	if err != nil || head.StatusCode != http.StatusOK || len(body) > 0 || head.Header.Get("Content-Type") != res.Header.Get("Content-Type") {
		t.Errorf("HEAD: %s, %d bytes, %v", head.Status, len(body), err)
	}
}

// TestStrictTransportOverTLS checks that a program with a certificate says in every kind of
// answer to use https alone, and one without does not.
func TestStrictTransportOverTLS(t *testing.T) {
	secure, bare := e2e.Config(t), e2e.Config(t)
	dir := t.TempDir()
	secure.Server.TLS.Cert, secure.Server.TLS.Key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool := e2e.WriteCertificate(t, secure.Server.TLS)
	for base, want := range map[string]string{e2e.Start(t, secure).Base: "max-age=31536000", e2e.Start(t, bare).Base: ""} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
		for _, path := range []string{"/", "/healthz", "/v1/me", "/none", "/app/none"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = "chat.example.com"
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if got := res.Header.Get("Strict-Transport-Security"); got != want {
				t.Errorf("%s%s answers %s with %q, want %q", base, path, res.Status, got, want)
			}
		}
		client.CloseIdleConnections()
	}
}
