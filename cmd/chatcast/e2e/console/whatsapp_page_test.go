package console

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
)

// whatsAppPage serves a page under https://web.whatsapp.com. A picture of it does not
// come before load, so that the page is not complete before the test is ready.
type whatsAppPage struct {
	srv     *httptest.Server
	load    func()
	pinned  string // the hash of the certificate's key
	waiting chan struct{}

	mu       sync.Mutex
	reported []string // guarded by mu: what the page's scripts saw
}

// seen returns what the page's scripts have seen.
func (w *whatsAppPage) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.reported)
}

// hostilePage replaces what uses passkeys, and listens to what may bring them.
const hostilePage = `<!doctype html><title>WhatsApp</title><p>WhatsApp Web</p><script>
	const report = (what) => fetch('/seen?' + what, { method: 'POST', keepalive: true });
	const used = () => { report('used'); return Promise.reject(new Error('mine')); };
	navigator.credentials.get = CredentialsContainer.prototype.get = used;
	PublicKeyCredential.parseRequestOptionsFromJSON = PublicKeyCredential.prototype.toJSON = used;
	addEventListener('message', used);
	report('loaded');
</script><img src="/picture" alt="">`

func newWhatsAppPage(t *testing.T) *whatsAppPage {
	t.Helper()
	dir := t.TempDir()
	files := config.TLSConfig{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	e2e.WriteCertificate(t, files)
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	spki := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	w := &whatsAppPage{pinned: base64.StdEncoding.EncodeToString(spki[:]), waiting: make(chan struct{})}
	w.load = func() { close(w.waiting) }
	w.srv = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/seen" {
			w.mu.Lock()
			w.reported = append(w.reported, r.URL.RawQuery)
			w.mu.Unlock()
			return
		}
		if r.URL.Path != "/" {
			select {
			case <-w.waiting:
			case <-r.Context().Done():
			}
			http.NotFound(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = rw.Write([]byte(hostilePage))
	}))
	w.srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	w.srv.StartTLS()
	t.Cleanup(w.srv.Close)
	return w
}

// options makes a browser find the page under WhatsApp's name, and trust its certificate.
func (w *whatsAppPage) options() []chromedp.ExecAllocatorOption {
	return []chromedp.ExecAllocatorOption{
		chromedp.Flag("host-resolver-rules", "MAP web.whatsapp.com:443 "+w.srv.Listener.Addr().String()),
		chromedp.Flag("ignore-certificate-errors-spki-list", w.pinned),
	}
}
