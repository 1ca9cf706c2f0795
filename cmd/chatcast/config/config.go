// Package config reads the configuration: the defaults, then the file, then the
// environment, then flags, each overriding the one before. It checks the whole
// configuration, and names every error with its key.
package config

import (
	"slices"
	"strings"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/redis"
	"chatcast/crm"
)

// Config is the whole configuration; config.example.yaml explains each setting. Only
// the program's entry reads it: other packages get plain values. The tag secret marks
// values that are never printed.
type Config struct {
	Server     ServerConfig     `yaml:"server"`
	Log        LogConfig        `yaml:"log"`
	Database   DatabaseConfig   `yaml:"database"`
	Encryption EncryptionConfig `yaml:"encryption"`
	Files      FilesConfig      `yaml:"files"`
	Bus        BusConfig        `yaml:"bus"`
	Apps       []apps.App       `yaml:"apps"`
	Webhooks   WebhooksConfig   `yaml:"webhooks"`
	Bootstrap  BootstrapConfig  `yaml:"bootstrap"`
	WhatsApp   WhatsAppConfig   `yaml:"whatsapp"`
	Journal    JournalConfig    `yaml:"journal"`
	Audit      AuditConfig      `yaml:"audit"`
	Evolution  EvolutionConfig  `yaml:"evolution"`
	SocketIO   SocketIOConfig   `yaml:"socketio"`
	Tracing    TracingConfig    `yaml:"tracing"`
	Limits     LimitsConfig     `yaml:"limits"`
}

// ServerConfig configures the addresses, origins and proxies of the program.
type ServerConfig struct {
	Address         string    `yaml:"address"`
	SocketMode      string    `yaml:"socket_mode"`      // of Unix sockets
	InternalAddress string    `yaml:"internal_address"` // empty: off
	PublicURL       string    `yaml:"public_url"`       // empty: the address it listens on
	BasePath        string    `yaml:"base_path"`        // empty: that of PublicURL, see Path
	TLS             TLSConfig `yaml:"tls"`
	AllowedOrigins  []string  `yaml:"allowed_origins"` // empty: any
	TrustedProxies  []string  `yaml:"trusted_proxies"`
	DrainTime       Duration  `yaml:"drain_time"`
	ReusePort       bool      `yaml:"reuse_port"`
	HSTS            Duration  `yaml:"hsts"`             // 0: off
	SecurityContact string    `yaml:"security_contact"` // of security.txt; empty: there is none
}

// TLSConfig names the PEM files of server.tls.
type TLSConfig struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// LogConfig sets the level and the format of the log.
type LogConfig struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// DatabaseConfig names the database.
type DatabaseConfig struct {
	URL string `yaml:"url" secret:"url"`
}

// EncryptionConfig holds the keys of the database's secrets. Both settings empty: the
// secrets are not encrypted.
type EncryptionConfig struct {
	Keys    string `yaml:"keys" secret:"all"`
	KeyFile string `yaml:"key_file"`
}

// FilesConfig configures the storage of attachments.
type FilesConfig struct {
	Dir      string   `yaml:"dir"`
	MaxBytes int      `yaml:"max_bytes"` // of one attachment
	S3       S3Config `yaml:"s3"`
	// AllowPrivateLinks lets operators send files from links into our own networks.
	AllowPrivateLinks bool `yaml:"allow_private_links"`
}

// S3Config names a bucket that keeps attachments, instead of the folder.
type S3Config struct {
	Endpoint  string `yaml:"endpoint"`
	Region    string `yaml:"region"` // empty: the service is asked
	Bucket    string `yaml:"bucket"` // empty: the folder is used
	Prefix    string `yaml:"prefix"`
	AccessKey string `yaml:"access_key"`
	SecretKey string `yaml:"secret_key" secret:"all"`
	PathStyle bool   `yaml:"path_style"`
}

// BusConfig names the bus that carries events between nodes.
type BusConfig struct {
	URL string `yaml:"url" secret:"url"`
}

// Values of BusConfig.URL.
const (
	BusMemory   = "memory:"
	BusPostgres = "postgres:"
)

// Cluster reports whether other nodes may run on the same database.
func (b BusConfig) Cluster() bool { return b.URL == BusPostgres || b.Redis() }

// Redis reports whether the nodes are connected by Redis.
func (b BusConfig) Redis() bool {
	scheme, _, _ := strings.Cut(b.URL, ":")
	return slices.Contains(redis.Schemes, scheme)
}

// Name is what buses that cannot be the same differ by. It holds no secret.
func (b BusConfig) Name() string {
	if b.Redis() {
		return redis.Name(b.URL)
	}
	return b.URL
}

// WebhooksConfig holds the settings of all webhooks.
type WebhooksConfig struct {
	AllowPrivateTargets bool     `yaml:"allow_private_targets"`
	SuspendAfter        Duration `yaml:"suspend_after"` // of a callback URL or a webhook that takes nothing; 0: never
}

// BootstrapConfig holds the first rows of an empty database.
type BootstrapConfig struct {
	Company BootstrapCompany `yaml:"company"`
	User    BootstrapUser    `yaml:"user"`
	License BootstrapLicense `yaml:"license"`
	AppID   string           `yaml:"app_id"`
}

// BootstrapCompany is the first company.
type BootstrapCompany struct {
	ID   int    `yaml:"id"`
	Name string `yaml:"name"`
}

// BootstrapUser is the first user, the company's owner.
type BootstrapUser struct {
	ID       int    `yaml:"id"`
	Email    string `yaml:"email"`
	Name     string `yaml:"name"`
	Password string `yaml:"password" secret:"all"` // empty: generated and printed once
}

// BootstrapLicense is the first licence.
type BootstrapLicense struct {
	ID         int      `yaml:"id"`
	Name       string   `yaml:"name"`
	Messengers []string `yaml:"messengers"`
}

// WhatsAppConfig configures WhatsApp lines, and can direct their connections elsewhere.
type WhatsAppConfig struct {
	SendWithin          Duration `yaml:"send_within"` // a message that waits longer fails
	SendDelay           Duration `yaml:"send_delay"`
	Typing              Duration `yaml:"typing"`                // before a text, at most; 0: none
	Guard               bool     `yaml:"guard"`                 // first messages obey the line's rating
	FirstContactsPerDay int      `yaml:"cold_contacts_per_day"` // 0: any number
	ChecksPerDay        int      `yaml:"checks_per_day"`        // 0: any number
	Archive             bool     `yaml:"archive_closes_chats"`
	AllowPrivateProxies bool     `yaml:"allow_private_proxies"`
	Endpoint            string   `yaml:"endpoint"`
	RootKey             string   `yaml:"root_key"` // hex, 32 bytes
}

// JournalConfig sets how long the journal is kept.
type JournalConfig struct {
	Retention Duration `yaml:"retention"`
}

// AuditConfig sets how long the audit log is kept.
type AuditConfig struct {
	Retention Duration `yaml:"retention"` // 0: for ever
}

// EvolutionConfig configures the dialects of Evolution API and l2msg.
type EvolutionConfig struct {
	Shape        string `yaml:"shape"`         // of new instances: v2, v1 or l2msg
	ExposeTokens bool   `yaml:"expose_tokens"` // keeps the keys of instances, and shows them
	// GlobalEvents sends the events of all instances to the main namespace of Socket.IO.
	GlobalEvents bool `yaml:"global_events"`
	// Keyless are networks whose clients enter namespaces of Socket.IO without a key.
	Keyless []string `yaml:"keyless"`
	// WebhookBase64Max is up to which size, in bytes, a file is in the body of a webhook.
	WebhookBase64Max int `yaml:"webhook_base64_max"`
	// WebhookBlockMax is for how long an event that a webhook does not take holds up the others.
	WebhookBlockMax Duration `yaml:"webhook_block_max"`
}

// TracingConfig sends traces of events to a collector of OpenTelemetry.
type TracingConfig struct {
	Endpoint string `yaml:"endpoint"` // OTLP over HTTP; empty: off
	OneIn    int    `yaml:"one_in"`   // how many requests and changes share one trace
}

// LimitsConfig keeps one client from harming the others.
type LimitsConfig struct {
	// Apps holds the limits that all apps have in common. Each is a key of limits itself,
	// under its common name: sockets_per_app, event_bytes.
	Apps              apps.Limits `yaml:",inline"`
	SocketsPerAddress int         `yaml:"sockets_per_address"` // 0: no limit
	MessageBytes      int         `yaml:"message_bytes"`
	MessagesPerSecond int         `yaml:"messages_per_second"`
	MessagesBurst     int         `yaml:"messages_burst"`
	QueueBytes        int         `yaml:"queue_bytes"`
	CacheTTL          Duration    `yaml:"cache_ttl"`
	CacheBytes        int         `yaml:"cache_bytes"` // of all cache channels
	ActivityTimeout   Duration    `yaml:"activity_timeout"`
	PongTimeout       Duration    `yaml:"pong_timeout"`
}

// Default returns the configuration of a program without any settings.
func Default() Config {
	app := apps.Default()
	app.ID, app.Key = "1", "ChatsAppApiProdKey"
	return Config{
		Server: ServerConfig{
			Address: "127.0.0.1:6001", SocketMode: "0660", InternalAddress: "127.0.0.1:9601",
			AllowedOrigins: []string{}, TrustedProxies: []string{"127.0.0.0/8", "::1/128"},
			DrainTime: Duration(200 * time.Millisecond), HSTS: Duration(365 * 24 * time.Hour),
		},
		Log:      LogConfig{Level: "info", Format: "text"},
		Database: DatabaseConfig{URL: "sqlite:data/chatcast.db"},
		Files:    FilesConfig{Dir: "data/files", MaxBytes: crm.DefaultMaxFile, S3: S3Config{PathStyle: true}},
		Bus:      BusConfig{URL: "memory:"},
		Apps:     []apps.App{app},
		Bootstrap: BootstrapConfig{
			Company: BootstrapCompany{ID: 2224, Name: "My company"},
			User:    BootstrapUser{ID: 685, Email: "owner@example.com", Name: "Owner"},
			License: BootstrapLicense{ID: 1229, Name: "My license", Messengers: []string{"grWhatsApp", "telegram"}},
			AppID:   "app_685_1",
		},
		WhatsApp:  WhatsAppConfig{SendWithin: Duration(time.Hour), Guard: true, ChecksPerDay: 1000},
		Webhooks:  WebhooksConfig{SuspendAfter: Duration(24 * time.Hour)},
		Journal:   JournalConfig{Retention: Duration(168 * time.Hour)},
		Audit:     AuditConfig{Retention: Duration(365 * 24 * time.Hour)},
		Evolution: EvolutionConfig{Shape: crm.ShapeV2, Keyless: []string{}, WebhookBase64Max: 16 << 20, WebhookBlockMax: Duration(5 * time.Minute)},
		SocketIO:  defaultSocketIO(),
		Tracing:   TracingConfig{OneIn: 1},
		Limits: LimitsConfig{
			Apps: apps.DefaultLimits(), SocketsPerAddress: 1000,
			MessageBytes: 16 << 10, MessagesPerSecond: 200, MessagesBurst: 1000, QueueBytes: 1 << 20,
			CacheTTL: Duration(30 * time.Minute), CacheBytes: 64 << 20,
			ActivityTimeout: Duration(120 * time.Second), PongTimeout: Duration(30 * time.Second),
		},
	}
}

// Duration is a time.Duration that is written as text, such as 168h or 30s.
type Duration time.Duration

// MarshalText returns d as the configuration spells it, without empty units.
func (d Duration) MarshalText() ([]byte, error) {
	s := time.Duration(d).String()
	for _, empty := range []string{"m0s", "h0m"} {
		if len(s) > len(empty) && s[len(s)-len(empty):] == empty {
			s = s[:len(s)-2]
		}
	}
	return []byte(s), nil
}
