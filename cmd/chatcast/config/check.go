package config

import (
	"crypto/tls"
	"encoding/hex"
	"errors"
	"maps"
	"net"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/redis"
	"chatcast/channels/clientaddr"
	"chatcast/crm"
)

// check checks that the program can use every value, and names each that is wrong.
// Settings of later versions are refused: a user would believe that a setting without
// effect works.
func check(cfg *Config, violations *ConfigError) {
	checkServer(cfg.Server, violations)
	checkLog(cfg.Log, violations)
	checkDatabase(cfg.Database.URL, violations)
	checkBus(cfg, violations)
	if _, err := cfg.Encryption.Load(); err != nil {
		var wrong ConfigError
		errors.As(err, &wrong)
		*violations = append(*violations, wrong...)
	}
	checkFiles(cfg.Files, violations)
	checkApps(cfg.Apps, violations)
	checkBootstrap(cfg.Bootstrap, violations)
	checkWhatsApp(cfg.WhatsApp, violations)
	if d := time.Duration(cfg.Webhooks.SuspendAfter); d != 0 && d < time.Minute {
		violations.add("webhooks.suspend_after", "must be at least 1m, or 0 for never, not %s", d)
	}
	if r := time.Duration(cfg.Journal.Retention); r < time.Minute {
		violations.add("journal.retention", "must be at least 1m, not %s", r)
	}
	if r := time.Duration(cfg.Audit.Retention); r != 0 && r < 24*time.Hour {
		violations.add("audit.retention", "must be at least 24h, or 0 for ever, not %s", r)
	}
	checkEvolution(cfg.Evolution, violations)
	checkSocketIO(cfg.SocketIO, violations)
	checkTracing(cfg.Tracing, violations)
	checkLimits(cfg.Limits, violations)
}

func checkTracing(c TracingConfig, violations *ConfigError) {
	u, err := url.Parse(c.Endpoint)
	if c.Endpoint != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil) {
		violations.add("tracing.endpoint", "must be like http://127.0.0.1:4318/v1/traces, without a password")
	}
	if c.OneIn < 1 {
		violations.add("tracing.one_in", "must be at least 1, not %d", c.OneIn)
	}
}

func checkServer(s ServerConfig, violations *ConfigError) {
	checkAddress("server.address", s.Address, violations)
	if _, err := SocketMode(s.SocketMode); err != nil {
		violations.add("server.socket_mode", "%v", err)
	}
	if s.InternalAddress != "" {
		checkAddress("server.internal_address", s.InternalAddress, violations)
		if s.InternalAddress == s.Address && !strings.HasSuffix(s.Address, ":0") {
			violations.add("server.internal_address", "must differ from server.address, which the world may see")
		}
	}
	switch {
	case s.TLS.Cert != "" && s.TLS.Key == "":
		violations.add("server.tls.key", "is needed with server.tls.cert")
	case s.TLS.Cert == "" && s.TLS.Key != "":
		violations.add("server.tls.cert", "is needed with server.tls.key")
	case s.TLS.Cert != "":
		if _, err := tls.LoadX509KeyPair(s.TLS.Cert, s.TLS.Key); err != nil {
			violations.add("server.tls.cert", "%s and %s cannot be used: %v", s.TLS.Cert, s.TLS.Key, err)
		}
	}
	checkPaths(s, violations)
	if strings.HasPrefix(s.Address, UnixPrefix) && s.PublicURL == "" {
		violations.add("server.public_url", "is needed with a Unix socket, which has no URL that links could lead to")
	}
	switch {
	case s.ReusePort && runtime.GOOS != "linux":
		violations.add("server.reuse_port", "is for Linux")
	case s.ReusePort && strings.HasPrefix(s.Address, UnixPrefix):
		violations.add("server.reuse_port", "is for a port; server.address is a Unix socket")
	}
	checkOrigins("server.allowed_origins", s.AllowedOrigins, violations)
	for i, p := range s.TrustedProxies {
		if _, err := clientaddr.ParseProxies([]string{p}); err != nil {
			violations.add(item("server.trusted_proxies", i), "%v", err)
		}
	}
	if d := time.Duration(s.HSTS); d < 0 || d > 2*365*24*time.Hour || d%time.Second != 0 {
		violations.add("server.hsts", "must be whole seconds from 0s to 17520h, not %s", d)
	}
	checkContact(s.SecurityContact, violations)
	if d := time.Duration(s.DrainTime); d < 0 || d > 10*time.Minute {
		violations.add("server.drain_time", "must be from 0s to 10m, not %s", d)
	}
}

// checkOrigins parses the origins one by one with their user's parser, so that each
// error names its entry.
func checkOrigins(key string, list []string, violations *ConfigError) {
	for i, o := range list {
		if _, err := apps.ParseOrigins([]string{o}); err != nil {
			violations.add(item(key, i), "%v", err)
		}
	}
}

func checkLog(l LogConfig, violations *ConfigError) {
	if _, ok := logLevels[l.Level]; !ok {
		violations.add("log.level", "must be trace, debug, info, warn or error, not %q", l.Level)
	}
	if l.Format != "text" && l.Format != "json" {
		violations.add("log.format", "must be text or json, not %q", l.Format)
	}
}

func checkDatabase(text string, violations *ConfigError) {
	const key = "database.url"
	if path, ok := strings.CutPrefix(text, "sqlite:"); ok {
		if path == "" || strings.ContainsAny(path, "?#") {
			violations.add(key, "must name a file after sqlite:, without ? and #")
		}
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" { // not shown: the text may contain a password
		violations.add(key, "must begin with sqlite: or postgres:// and be a valid URL")
	} else if strings.Trim(u.Path, "/") == "" {
		violations.add(key, "must name a database: postgres://user@host/database")
	}
}

func checkBus(cfg *Config, violations *ConfigError) {
	const key = "bus.url"
	scheme, rest, _ := strings.Cut(cfg.Bus.URL, ":")
	switch {
	case cfg.Bus.URL == BusMemory:
	case cfg.Bus.Cluster() && strings.HasPrefix(cfg.Database.URL, "sqlite:"):
		violations.add(key, "must be memory: with SQLite; postgres: and redis:// are for nodes that share a PostgreSQL database")
	case cfg.Bus.Redis():
		if err := redis.CheckURL(cfg.Bus.URL); err != nil {
			violations.add(key, "%v", err)
		}
	case cfg.Bus.Cluster():
	case (scheme == "postgres" || scheme == "postgresql") && rest != "": // not shown: the text may contain a password
		violations.add(key, "must be postgres: alone; the database is that of database.url")
	default:
		violations.add(key, "must be memory:, postgres: or redis://…")
	}
}

func checkApps(list []apps.App, violations *ConfigError) {
	if len(list) == 0 {
		violations.add("apps", "must have at least one app: the first carries the CRM's channels")
	}
	for i, a := range list {
		for _, wrong := range a.Check() {
			violations.add(item("apps", i)+"."+wrong.Field, "%s", wrong.Message)
		}
	}
	for _, wrong := range apps.CheckUnique(list) {
		violations.add(wrong.Field, "%s", wrong.Message)
	}
}

// checkBootstrap lets the CRM check its part of the configuration.
func checkBootstrap(b BootstrapConfig, violations *ConfigError) {
	err := b.Rules().Check()
	var wrong *crm.Error
	if errors.As(err, &wrong) {
		for _, field := range slices.Sorted(maps.Keys(wrong.Fields)) {
			violations.add("bootstrap."+field, "%s", wrong.Fields[field])
		}
	}
}

// Rules converts b for the CRM.
func (b BootstrapConfig) Rules() crm.BootstrapConfig {
	return crm.BootstrapConfig{
		Company: crm.BootstrapCompany{ID: int64(b.Company.ID), Name: b.Company.Name},
		User:    crm.BootstrapUser{ID: int64(b.User.ID), Email: b.User.Email, Name: b.User.Name, Password: b.User.Password},
		License: crm.BootstrapLicense{ID: int64(b.License.ID), Name: b.License.Name, Messengers: b.License.Messengers},
		AppID:   b.AppID,
	}
}

func checkWhatsApp(w WhatsAppConfig, violations *ConfigError) {
	switch {
	case w.Endpoint != "" && w.RootKey == "":
		violations.add("whatsapp.root_key", "is needed with whatsapp.endpoint")
	case w.Endpoint == "" && w.RootKey != "":
		violations.add("whatsapp.root_key", "is only used with whatsapp.endpoint")
	case w.RootKey != "" && !isKey(w.RootKey):
		violations.add("whatsapp.root_key", "must be 32 bytes in hex: 64 digits")
	}
	if w.Endpoint != "" {
		if _, port, err := net.SplitHostPort(w.Endpoint); err != nil || port == "" {
			violations.add("whatsapp.endpoint", "must be host:port")
		}
	}
	if d := time.Duration(w.SendWithin); d < time.Minute || d > 7*24*time.Hour {
		violations.add("whatsapp.send_within", "must be from 1m to 168h")
	}
	if w.SendDelay < 0 || time.Duration(w.SendDelay) > time.Minute {
		violations.add("whatsapp.send_delay", "must be from 0s to 1m")
	}
	if w.Typing < 0 || time.Duration(w.Typing) > 30*time.Second {
		violations.add("whatsapp.typing", "must be from 0s to 30s")
	}
	if w.FirstContactsPerDay < 0 {
		violations.add("whatsapp.cold_contacts_per_day", "must not be negative")
	}
	if w.ChecksPerDay < 0 {
		violations.add("whatsapp.checks_per_day", "must not be negative")
	}
}

func isKey(text string) bool {
	key, err := hex.DecodeString(text)
	return err == nil && len(key) == 32
}

func item(key string, i int) string { return key + "[" + strconv.Itoa(i) + "]" }

// Notes returns remarks on a valid configuration.
func Notes(cfg *Config) (lines []string) {
	internal := cfg.Server.InternalAddress
	if host, _, _ := net.SplitHostPort(internal); internal != "" && !strings.HasPrefix(internal, UnixPrefix) && !loopback(host) {
		lines = append(lines, "server.internal_address is not on loopback: it shows profiles and connections to whoever reaches it")
	}
	if len(cfg.Server.AllowedOrigins) > 0 && cfg.Server.PublicURL == "" {
		lines = append(lines, "server.allowed_origins is set and server.public_url is not: a page of any name that leads to this server counts as its own")
	}
	if note := cfg.Encryption.keyFileNote(); note != "" {
		lines = append(lines, note)
	}
	switch {
	case cfg.Bus.Cluster():
		bus := "postgres"
		if cfg.Bus.Redis() {
			bus = "redis"
		}
		lines = append(lines, "bus.url is "+bus+": others may run on this database, with the same configuration")
		if cfg.Files.S3.Bucket == "" {
			lines = append(lines, "files.s3.bucket is empty: files.dir must be one folder that all nodes share")
		}
	case strings.HasPrefix(cfg.Database.URL, "sqlite:"):
		lines = append(lines, "database.url is SQLite and bus.url is memory: the server runs as one node")
	default:
		lines = append(lines, "bus.url is memory: the server runs as one node; with postgres: or redis://… several run on this database")
	}
	return lines
}
