package whatsapp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
)

// testCA is the only authority that these tests trust, as a server trusts one that is named
// by SSL_CERT_FILE.
var testCA = newTestCA()

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newTestCA() authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return authority{cert, key}
}

// trustTestCA makes this process trust testCA. Go reads the file once.
func trustTestCA() {
	dir, err := os.MkdirTemp("", "test-ca-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: testCA.cert.Raw}), 0o600); err != nil {
		panic(err)
	}
	if err := os.Setenv("SSL_CERT_FILE", file); err != nil {
		panic(err)
	}
	defer os.Unsetenv("SSL_CERT_FILE")
	if _, err := x509.SystemCertPool(); err != nil {
		panic(err)
	}
}

// certificateOf returns a certificate of a host that is valid for a time from now on.
func certificateOf(t *testing.T, by authority, host string, valid time.Duration) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(valid)}
	if ip := net.ParseIP(host); ip != nil {
		about.IPAddresses = []net.IP{ip}
	} else {
		about.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, about, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestUntrustedProxies checks that no https proxy gets the line's password whose certificate
// is not trusted, and that the error says why without naming it.
func TestUntrustedProxies(t *testing.T) {
	for what, c := range map[string]struct {
		cert *tls.Certificate
		want string
	}{
		"another authority": {certificateOf(t, newTestCA(), "127.0.0.1", time.Hour), "is of an authority that this server does not trust"},
		"another name":      {certificateOf(t, testCA, "proxy.example", time.Hour), "is not for the name in its address"},
		"expired":           {certificateOf(t, testCA, "127.0.0.1", -time.Hour), "has expired"},
		"no TLS":            {nil, "does not speak TLS"},
	} {
		p := newTestProxyOf(t, c.cert)
		dial, err := throughProxy("https://me:secret@"+p.Addr().String(), true)
		if err != nil {
			t.Fatal(err)
		}
		_, err = dial(testwait.Context(t), "tcp", "198.51.100.1:443")
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "proxy.example") {
			t.Errorf("%s: %v", what, err)
		}
		if passed, _ := p.counts(); passed != 0 {
			t.Errorf("%s: it let the line through", what)
		}
	}
}
