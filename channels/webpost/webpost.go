// Package webpost posts to URLs that users give: the webhooks of apps and of the CRM. It
// has what their deliveries share: a client that is guarded against addresses that are not
// public and follows no redirects, one attempt with the reason why it failed, and the time
// to wait before the next one.
//
// Of this module's packages it may import only channels/dialguard. It starts no goroutine
// of its own.
package webpost

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"chatcast/channels/dialguard"
)

// PrivateTarget is the text of an Error with ReasonPrivate.
const PrivateTarget = "the address is private, loopback, link-local or otherwise not public; the setting webhooks.allow_private_targets of the server lets webhooks go there"

// Bounds of an answer.
const (
	answerHeader = 16 << 10
	answerBody   = 4 << 10 // read so that the connection can be reused; more is cut
)

// Error is the reason for a failed attempt. Its texts hold neither a URL nor a secret, and
// nothing of what was answered.
type Error struct {
	Reason string // one of the reasons below
	Text   string
}

// Reasons of an Error.
const (
	ReasonStatus   = "status"
	ReasonRedirect = "redirect"
	ReasonTimeout  = "timeout"
	ReasonPrivate  = "private_target"
	ReasonName     = "name"
	ReasonTLS      = "tls"
	ReasonBroken   = "connection"
)

// Error implements error.
func (e *Error) Error() string { return e.Text }

// NewClient returns a client that follows no redirects. Unless allowPrivate is set it
// dials only addresses of the public internet. timeout bounds the dial and the TLS
// handshake, each. The caller closes its idle connections in the end.
func NewClient(timeout time.Duration, allowPrivate bool) *http.Client {
	t := dialguard.NewTransport(timeout, allowPrivate)
	t.MaxResponseHeaderBytes = answerHeader
	t.MaxIdleConnsPerHost, t.IdleConnTimeout = 2, time.Minute
	return Client(t)
}

// Client returns a client over the transport that follows no redirects.
func Client(t http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Answer is what a server answered. The zero Answer is none.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // its first bytes
}

// Do sends the request once. The Error is nil when the answer is 2xx. limit is the time
// that the context of the request has, for the Error. Of the body it keeps the first keep
// bytes.
func Do(client *http.Client, req *http.Request, limit time.Duration, keep int) (Answer, *Error) {
	req.GetBody = nil // net/http must not repeat a POST that may have arrived: the caller does, and counts it
	res, err := client.Do(req)
	if err != nil {
		return Answer{}, ErrorOf(err, limit)
	}
	defer res.Body.Close()
	a := Answer{Status: res.StatusCode, Header: res.Header}
	if keep > 0 { // what is cut short is shown as far as it came
		a.Body, _ = io.ReadAll(io.LimitReader(res.Body, int64(keep)))
	}
	// A short answer is read to its end, so that its connection can be used again. A long
	// one is cut.
	_, _ = io.CopyN(io.Discard, res.Body, answerBody)
	switch {
	case a.Status >= 200 && a.Status < 300:
		return a, nil
	case a.Status >= 300 && a.Status < 400:
		return a, &Error{ReasonRedirect, "answered " + strconv.Itoa(a.Status) + ": redirects are not followed"}
	}
	return a, &Error{ReasonStatus, "answered " + strconv.Itoa(a.Status)}
}

// ErrorOf classifies an error of net/http. It drops the outer error, which contains the
// URL.
func ErrorOf(err error, limit time.Duration) *Error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var (
		name  *net.DNSError
		cert  *tls.CertificateVerificationError
		alert tls.AlertError
		plain tls.RecordHeaderError
		slow  net.Error
		wire  *net.OpError
	)
	switch {
	case errors.Is(err, dialguard.ErrNotPublic):
		return &Error{ReasonPrivate, PrivateTarget}
	case errors.As(err, &name):
		return &Error{ReasonName, "the name of the host could not be resolved"}
	case errors.As(err, &cert):
		return &Error{ReasonTLS, short(cert.Err)}
	case errors.As(err, &alert), errors.As(err, &plain):
		return &Error{ReasonTLS, short(err)}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return &Error{ReasonTimeout, fmt.Sprintf("no answer within %s", limit.Round(time.Millisecond))}
	case errors.As(err, &wire):
		return &Error{ReasonBroken, short(withoutAddresses(wire))}
	}
	// net/http quotes an answer that it cannot read, which may repeat the request.
	return &Error{ReasonBroken, "the connection was closed, or what was answered is not HTTP"}
}

// withoutAddresses returns what failed without the addresses of both ends: this server's is
// nobody's business, and the other may be that of a proxy.
func withoutAddresses(e *net.OpError) error {
	for {
		inner, ok := e.Err.(*net.OpError)
		if !ok {
			return fmt.Errorf("%s: %w", e.Op, e.Err)
		}
		e = inner
	}
}

// short returns the quoted text of err, cut to 200 bytes: a peer may have written a
// part of it, such as the names in its certificate.
func short(err error) string {
	const most = 200
	text := err.Error()
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strconv.QuoteToASCII(text)
}

// Printable returns the beginning of an answer as text that every database takes, and that
// sends a terminal no commands.
func Printable(body []byte) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(body), "\uFFFD"))
}

// Backoff returns how long to wait after the nth failed attempt. The time doubles from
// first up to most and is drawn from its upper half, so that not all endpoints are retried
// at once.
func Backoff(n int, first, most time.Duration) time.Duration {
	wait := most
	if n < 30 {
		wait = min(first<<(n-1), most)
	}
	return wait/2 + rand.N(wait/2)
}

// Sleep waits until its time has passed or ctx ends.
func Sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
