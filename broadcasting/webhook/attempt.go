package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"chatcast/channels/dialguard"
)

// attemptError is the reason for a failed attempt. Neither text holds a URL or a
// secret.
type attemptError struct {
	reason string // one of the reasons below
	text   string
}

// Reasons of an attemptError.
const (
	reasonStatus   = "status"
	reasonRedirect = "redirect"
	reasonTimeout  = "timeout"
	reasonPrivate  = "private_target"
	reasonName     = "name"
	reasonTLS      = "tls"
	reasonBroken   = "connection"
)

// attempt sends p once and returns nil when the endpoint answered 2xx. When ctx ends,
// the attempt may continue for finishTime; if the lease is lost, it is cut at once.
func (s *sender) attempt(ctx context.Context, p *post) *attemptError {
	request, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.postTime)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		if !errors.Is(context.Cause(ctx), errLost) {
			sleep(request, finishTime)
		}
		cancel()
	})()
	req, err := s.request(request, p.body)
	if err != nil {
		return attemptErrorOf(err, s.postTime)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return attemptErrorOf(err, s.postTime)
	}
	defer res.Body.Close()
	// A short answer is read to its end, so that its connection can be used again. The
	// body does not matter, and a long one is cut.
	_, _ = io.CopyN(io.Discard, res.Body, answerBody)
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return nil
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return &attemptError{reasonRedirect, "answered " + strconv.Itoa(res.StatusCode) + ": redirects are not followed"}
	}
	return &attemptError{reasonStatus, "answered " + strconv.Itoa(res.StatusCode)}
}

// request returns the POST of body to the endpoint, signed with the app's current
// secret.
func (s *sender) request(ctx context.Context, body []byte) (*http.Request, error) {
	to := s.to.Load()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.GetBody = nil // net/http must not repeat a POST that may have arrived: run does, and counts it
	req.Header.Set("User-Agent", "chatcast")
	// Sorted, so that of two spellings of one name the same value is always sent.
	for _, name := range slices.Sorted(maps.Keys(to.Headers)) {
		req.Header.Set(name, to.Headers[name])
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set(headerKey, to.app.Key)
	req.Header.Set(headerSignature, sign(to.app.Secret, body))
	return req, nil
}

// attemptErrorOf classifies an error of net/http. It drops the outer error, which
// contains the URL.
func attemptErrorOf(err error, limit time.Duration) *attemptError {
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
	)
	switch {
	case errors.Is(err, dialguard.ErrNotPublic):
		return &attemptError{reasonPrivate, privateTarget}
	case errors.As(err, &name):
		return &attemptError{reasonName, "the name of the host could not be resolved"}
	case errors.As(err, &cert):
		return &attemptError{reasonTLS, short(cert.Err)}
	case errors.As(err, &alert), errors.As(err, &plain):
		return &attemptError{reasonTLS, short(err)}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return &attemptError{reasonTimeout, fmt.Sprintf("no answer within %s", limit.Round(time.Millisecond))}
	}
	return &attemptError{reasonBroken, short(err)}
}

// short returns the quoted text of err, cut to 200 bytes: a peer may have written a
// part of it.
func short(err error) string {
	const most = 200
	text := err.Error()
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strconv.QuoteToASCII(text)
}
