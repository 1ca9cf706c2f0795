package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"chatcast/cmd/chatcast/config"
)

// certificateEvery is the time between two looks at the files of the certificate. They
// are read rather than watched: what renews them may replace files, folders or links.
const certificateEvery = 5 * time.Second

// certificate is the certificate of the main address, which is read again when its files
// change. While they do not fit together the last one is served.
type certificate struct {
	log     *slog.Logger
	serving atomic.Pointer[tls.Certificate]

	mu sync.Mutex
	// guarded by mu
	files config.TLSConfig
	seen  [2][]byte // what the files held the last time, whether it could be used or not
	why   string    // why it could not be used; empty: it is served
}

// newCertificate reads the files of the certificate.
func newCertificate(files config.TLSConfig, log *slog.Logger) (*certificate, error) {
	c := &certificate{log: log, files: files}
	return c, c.read()
}

// config returns the settings of a TLS server.
func (c *certificate) config() *tls.Config {
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.serving.Load(), nil }}
}

// run reads the files again when they have changed, until ctx ends; then it returns nil.
func (c *certificate) run(ctx context.Context) error {
	tick := time.NewTicker(certificateEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			c.refresh(ctx)
		}
	}
}

// refresh reads the files. It logs a change, and once each reason why the last
// certificate is still served.
func (c *certificate) refresh(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, why := c.serving.Load(), c.why
	switch err := c.read(); {
	case err != nil && c.why != why:
		c.log.ErrorContext(ctx, "the files of the certificate cannot be used; the last certificate is still served", "error", err)
	case err == nil && c.serving.Load() != before:
		c.log.InfoContext(ctx, "the certificate was reloaded", "file", c.files.Cert, "expires", c.serving.Load().Leaf.NotAfter)
	}
}

// use reads the certificate from other files. After an error nothing has changed.
func (c *certificate) use(files config.TLSConfig) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.files
	c.files = files
	err := c.read()
	if err != nil {
		c.files = before
	}
	return err
}

// read reads the files, and serves what they hold if it is new and can be used. It needs
// mu, except in newCertificate.
func (c *certificate) read() error {
	var now [2][]byte
	for i, path := range []string{c.files.Cert, c.files.Key} {
		var err error
		if now[i], err = os.ReadFile(path); err != nil {
			c.why = err.Error()
			return err
		}
	}
	if c.why == "" && bytes.Equal(now[0], c.seen[0]) && bytes.Equal(now[1], c.seen[1]) {
		return nil
	}
	pair, err := tls.X509KeyPair(now[0], now[1])
	if err != nil {
		err = fmt.Errorf("%s and %s: %w", c.files.Cert, c.files.Key, err)
		c.why = err.Error()
		return err
	}
	c.seen, c.why = now, ""
	c.serving.Store(&pair)
	return nil
}
