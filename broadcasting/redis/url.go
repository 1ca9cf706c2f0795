package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// Schemes of URLs that Open takes. Those with two s speak TLS.
var Schemes = []string{"redis", "rediss", "valkey", "valkeys", "unix"}

// Parameters of a URL beside those of rueidis.
const (
	paramCA               = "ca_file"           // PEM file of the authorities that sign the servers' certificates
	paramPrefix           = "prefix"            // of keys and channels, instead of "chatcast"
	paramSentinelUser     = "sentinel_username" // at the Sentinels
	paramSentinelPassword = "sentinel_password"
)

// parameters are all that a URL may have.
var parameters = []string{
	paramCA, paramPrefix, paramSentinelUser, paramSentinelPassword,
	"addr", "client_name", "db", "dial_timeout", "master_set", "skip_verify", "write_timeout",
}

// Times of connections.
const (
	dialTime     = 3 * time.Second // to connect and log in
	answerTime   = 3 * time.Second // until a server that does not answer is given up
	topologyTime = 5 * time.Second // between two questions for the master or the shards
)

// address is a parsed URL.
type address struct {
	options rueidis.ClientOption
	prefix  string // of keys and channels
}

// CheckURL returns an error that says what is wrong with a URL. It shows nothing of it that
// may be a secret.
func CheckURL(text string) error {
	_, err := parseURL(text)
	return err
}

// Name is what URLs differ by whose nodes do not hear each other, whatever the addresses: one
// server may have several.
func Name(text string) string {
	a, err := parseURL(text)
	if err != nil {
		return "redis"
	}
	return "redis " + newNames(a.prefix, a.options.SelectDB).nodes
}

func parseURL(text string) (a address, err error) {
	u, err := url.Parse(text)
	if err != nil || !slices.Contains(Schemes, u.Scheme) {
		return a, errors.New("must be a valid URL that begins with redis:// or rediss://")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return a, errors.New("has parameters that are not valid")
	}
	for name := range q {
		if !slices.Contains(parameters, name) {
			return a, fmt.Errorf("has the unknown parameter %q; known are %s", name, strings.Join(parameters, ", "))
		}
	}
	if a.options, err = rueidis.ParseURL(text); err != nil {
		return a, errors.New(wrongPart(u, q))
	}
	if a.prefix = q.Get(paramPrefix); a.prefix == "" {
		a.prefix = "chatcast"
	}
	if strings.ContainsAny(a.prefix, "{}*?[] ") {
		return a, errors.New("has a prefix with {}, *, ?, [] or a space")
	}
	o := &a.options
	if o.SelectDB < 0 {
		return a, errors.New("has a database number below 0")
	}
	if o.Sentinel.MasterSet == "" && (q.Has(paramSentinelUser) || q.Has(paramSentinelPassword)) {
		return a, errors.New("has a user or password of Sentinels and no master_set")
	}
	if file := q.Get(paramCA); file != "" {
		if o.TLSConfig == nil {
			return a, errors.New("has ca_file, which needs rediss://")
		}
		if o.TLSConfig.RootCAs, err = authorities(file); err != nil {
			return a, err
		}
	}
	tune(o)
	o.Sentinel.Username, o.Sentinel.Password = q.Get(paramSentinelUser), q.Get(paramSentinelPassword)
	return a, nil
}

// wrongPart says which part of a URL is wrong, without showing it.
func wrongPart(u *url.URL, q url.Values) string {
	for _, name := range []string{"dial_timeout", "write_timeout"} {
		if _, err := time.ParseDuration(q.Get(name)); q.Has(name) && err != nil {
			return "has a " + name + " that is not a duration such as 3s"
		}
	}
	if strings.Trim(u.Path, "/") != "" || q.Has("db") {
		return "has a database that is not a number, as in redis://host:6379/0"
	}
	return "has a skip_verify that is not true or false"
}

// authorities reads certificates.
func authorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("has ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("has ca_file %s without a certificate in PEM", file)
	}
	return pool, nil
}

// tune sets what a URL does not.
func tune(o *rueidis.ClientOption) {
	o.DisableCache = true    // it would need CLIENT TRACKING, and nothing is cached
	o.PipelineMultiplex = -1 // one connection, which keeps the order
	o.ShuffleInit = true
	if o.Dialer.Timeout == 0 {
		o.Dialer.Timeout = dialTime
	}
	if o.ConnWriteTimeout == 0 {
		o.ConnWriteTimeout = answerTime
	}
	if o.ClientName == "" {
		o.ClientName = "chatcast"
	}
	o.ClusterOption.ShardsRefreshInterval = topologyTime
	if o.TLSConfig != nil {
		o.TLSConfig.ServerName = "" // that of the address: Sentinels and clusters have several
	}
	o.Sentinel.Dialer, o.Sentinel.TLSConfig, o.Sentinel.ClientName = o.Dialer, o.TLSConfig, o.ClientName
	o.Sentinel.TopologyRefreshInterval = topologyTime
}

// dialing returns the function that connects, which notes each connection.
func dialing(o *rueidis.ClientOption, note func(net.Conn)) func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
	dial := o.DialCtxFn // of unix
	if dial == nil {
		dial = func(ctx context.Context, address string, d *net.Dialer, cfg *tls.Config) (net.Conn, error) {
			if cfg != nil {
				return (&tls.Dialer{NetDialer: d, Config: cfg}).DialContext(ctx, "tcp", address)
			}
			return d.DialContext(ctx, "tcp", address)
		}
	}
	return func(ctx context.Context, address string, d *net.Dialer, cfg *tls.Config) (net.Conn, error) {
		c, err := dial(ctx, address, d, cfg)
		if err == nil {
			note(c)
		}
		return c, err
	}
}
