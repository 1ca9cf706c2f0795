package whatsapp

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/proxy"

	"chatcast/channels/dialguard"
	"chatcast/crm"
)

// detailProxy tells people why a connection was renewed.
const detailProxy = "The line's proxy was changed."

const (
	proxyTime    = 30 * time.Second // to reach a proxy, and for its answer
	proxyAnswer  = 64 << 10         // bytes of the answer to CONNECT
	proxyPort    = "80"
	proxyTLSPort = "443"
	socksPort    = "1080"
)

// proxyError is the error of a line's proxy. It has no address and no password.
type proxyError struct {
	message string
	err     error
}

func (e *proxyError) Error() string { return "whatsapp: the line's proxy: " + e.message }
func (e *proxyError) Unwrap() error { return e.err }

var _ crm.ProxyTester = (*Messenger)(nil)

// tryTime is how long a proxy that is tried may take.
const tryTime = 10 * time.Second

// TryProxy implements crm.ProxyTester.
func (m *Messenger) TryProxy(ctx context.Context, proxy string) error {
	dial, err := throughProxy(proxy, m.PrivateProxies)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	c, err := dial(ctx, "tcp", cmp.Or(m.Endpoint, whatsAppHost))
	if err != nil {
		m.Log.Info("a proxy does not lead to WhatsApp", "error", err)
		return err
	}
	return c.Close()
}

// whatsAppHost is where clients of WhatsApp connect to.
const whatsAppHost = "web.whatsapp.com:443"

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// throughProxy returns a dialFunc that reaches addresses through the proxy with this URL.
// Names are resolved by the proxy. An owner or admin of any company may set the proxy of
// their line, so unless private is set it must have an address of the public internet.
func throughProxy(at string, private bool) (dialFunc, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, &proxyError{message: "its address is not valid"} // not err, which repeats the address
	}
	own := &net.Dialer{Timeout: proxyTime, KeepAlive: 30 * time.Second}
	if !private {
		own.Control = dialguard.Control
	}
	if u.Scheme == "socks5" {
		return throughSOCKS(u, own)
	}
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, proxyTime)
		defer cancel()
		port := proxyPort
		if u.Scheme == "https" {
			port = proxyTLSPort
		}
		raw, err := own.DialContext(ctx, "tcp", hostPort(u, port))
		if err != nil {
			return nil, notThrough(err)
		}
		stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
		c := raw
		if u.Scheme == "https" {
			c = tls.Client(raw, &tls.Config{ServerName: u.Hostname()})
		}
		if err := connectThrough(c, u, address); err != nil || !stop() {
			_ = c.Close()
			return nil, notThrough(errors.Join(err, ctx.Err()))
		}
		return c, nil
	}, nil
}

func throughSOCKS(u *url.URL, own *net.Dialer) (dialFunc, error) {
	var auth *proxy.Auth
	if u.User != nil {
		password, _ := u.User.Password()
		auth = &proxy.Auth{User: u.User.Username(), Password: password}
	}
	d, err := proxy.SOCKS5("tcp", hostPort(u, socksPort), auth, own)
	if err != nil {
		return nil, &proxyError{"it cannot be used", err}
	}
	through, ok := d.(proxy.ContextDialer)
	if !ok {
		return nil, &proxyError{message: "it cannot be used"}
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, proxyTime)
		defer cancel()
		c, err := through.DialContext(ctx, network, address)
		if err != nil {
			return nil, notThrough(err)
		}
		return c, nil
	}, nil
}

// hostPort returns the address of the proxy.
func hostPort(u *url.URL, port string) string {
	if u.Port() != "" {
		port = u.Port()
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// connectThrough asks an HTTP proxy for a connection to the address.
func connectThrough(c net.Conn, u *url.URL, address string) error {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if u.User != nil {
		password, _ := u.User.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
	}
	if err := req.Write(c); err != nil {
		return err
	}
	// The other end speaks after us, so nothing that follows the answer is read here.
	res, err := http.ReadResponse(bufio.NewReader(io.LimitReader(c, proxyAnswer)), req)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return &proxyError{message: fmt.Sprintf("it answered with HTTP status %d", res.StatusCode)}
	}
	return nil
}

func notThrough(err error) error {
	var known *proxyError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, dialguard.ErrNotPublic):
		return &proxyError{"its address is not of the public internet", err}
	}
	if why := notTrusted(err); why != "" {
		return &proxyError{why, err}
	}
	return &proxyError{"it was not reached, or does not let the line through", err}
}

// notTrusted says why there is no TLS with an https proxy. It is "" when err is something
// else. The errors of crypto/x509 name hosts.
func notTrusted(err error) string {
	var (
		plain   tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		other   *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &plain):
		return "it does not speak TLS; perhaps it is an http proxy"
	case errors.As(err, &unknown):
		return "its certificate is of an authority that this server does not trust"
	case errors.As(err, &name):
		return "its certificate is not for the name in its address"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired, or is not valid yet"
	case errors.As(err, &other):
		return "its certificate is not valid"
	}
	return ""
}

// Configure implements crm.Configured.
func (m *Messenger) Configure(crm.Line) { notify(m.notify) }

// reconfigure takes over the settings of the line. It ends the connection if its proxy is
// another one now, and tells the phone of the setting that it has, too.
func (s *session) reconfigure(ctx context.Context) {
	settings, err := s.m.rules.AccountSettings(ctx, s.on)
	if err != nil {
		s.log.Warn("the settings of the line could not be read", "error", err)
		return
	}
	before := s.account.Swap(&settings)
	s.mu.Lock()
	changed := s.cli != nil && s.proxy != settings.Proxy
	s.pace = s.m.paceOf(settings)
	s.mu.Unlock()
	if changed {
		s.end(ending{kind: endLost, detail: detailProxy})
		return
	}
	cli := s.client()
	life := s.lifeOf(cli)
	if life == nil || !cli.IsLoggedIn() {
		return
	}
	if before != nil && before.AlwaysOnline != settings.AlwaysOnline {
		s.present(life.ctx, cli)
	}
	s.askChannels(life.ctx, cli)
	if s.timer.due(settings.DisappearingSince) {
		s.helpers.Go(func() { s.syncTimer(life.ctx, cli) })
	}
}
