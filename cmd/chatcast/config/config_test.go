package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting/apps"
)

// The example file is read over a configuration in which every value is wrong. So a
// missing key shows, and so does a value other than the default.
func TestExampleEqualsDefaults(t *testing.T) {
	text, err := os.ReadFile("../../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got Config
	var violations ConfigError
	seen := readYAML(&got, "", text, &violations)
	if len(violations) > 0 {
		t.Fatal(violations)
	}
	want := Default()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("config.example.yaml says\n%+v\nthe defaults are\n%+v", got, want)
	}
	for _, key := range Keys(&want) {
		if !seen[key] {
			t.Errorf("config.example.yaml does not name %s", key)
		}
	}
}

func load(t *testing.T, yaml string, env []string, flags map[string]string) (Config, error) {
	t.Helper()
	path := ""
	if yaml != "" {
		path = filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(path, env, flags)
}

func TestFileThenEnvironmentThenFlags(t *testing.T) {
	cfg, err := load(t, `
server: {address: "127.0.0.1:1", internal_address: "127.0.0.1:2"}
journal: {retention: 1h}
limits:
apps: [{id: a, key: k, secret: s}]`,
		[]string{
			"PATH=/bin", "CHATCAST_CONFIG=ignored-here", "CHATCAST_SERVER_INTERNAL_ADDRESS=127.0.0.1:3",
			"CHATCAST_APPS_0_SECRET=from-env", "CHATCAST_SERVER_ALLOWED_ORIGINS=[https://a.example, 'https://*.b.example']",
			"CHATCAST_LIMITS_QUEUE_BYTES=70000", "CHATCAST_JOURNAL_RETENTION=2h",
			"CHATCAST_PORT=tcp://10.0.0.1:80", "CHATCAST_SERVICE_HOST=10.0.0.1", "CHATCAST_PORT_80_TCP_ADDR=10.0.0.1",
		},
		map[string]string{"journal.retention": "3h", "apps[0].client_events": "false"})
	if err != nil {
		t.Fatal(err)
	}
	app := cfg.Apps[0]
	for name, ok := range map[string]bool{
		"file":                   cfg.Server.Address == "127.0.0.1:1",
		"environment over file":  cfg.Server.InternalAddress == "127.0.0.1:3",
		"flag over environment":  cfg.Journal.Retention == Duration(3*time.Hour),
		"environment, list item": app.ID == "a" && app.Secret == "from-env",
		"environment, list":      reflect.DeepEqual(cfg.Server.AllowedOrigins, []string{"https://a.example", "https://*.b.example"}),
		"environment, number":    cfg.Limits.QueueBytes == 70000,
		"flag, bool":             !app.ClientEvents,
		"default within a list":  app.Enabled,
		"default beside a file":  cfg.Limits.Apps.EventBytes == 10_000,
	} {
		if !ok {
			t.Errorf("%s: not as set: %+v", name, cfg)
		}
	}
	cfg, err = load(t, "\xef\xbb\xbfjournal: {retention: 5h}\n", nil, nil) // as Windows' Notepad saves it
	if err != nil || cfg.Journal.Retention != Duration(5*time.Hour) {
		t.Errorf("a file with a byte order mark: %v, %v", err, cfg.Journal.Retention)
	}
	cfg, err = load(t, "", []string{`CHATCAST_APPS=[{"id":"1","key":"a"},{"id":"2","key":"b"}]`, "CHATCAST_APPS_1_KEY=c"}, nil)
	if err != nil || len(cfg.Apps) != 2 || cfg.Apps[1].Key != "c" {
		t.Errorf("apps from the environment: %v, %+v", err, cfg.Apps)
	}
	cfg, err = load(t, "", []string{"CHATCAST_SERVER_ALLOWED_ORIGINS=https://a.example, https://b.example", "CHATCAST_BOOTSTRAP_USER_ID=5"}, nil)
	if err != nil || !slices.Equal(cfg.Server.AllowedOrigins, []string{"https://a.example", "https://b.example"}) || cfg.Bootstrap.AppID != "app_5_1" {
		t.Errorf("a list with commas, and the user's id alone: %v, %+v, %s", err, cfg.Server.AllowedOrigins, cfg.Bootstrap.AppID)
	}
	for text, want := range map[string][]string{
		"*": {"*"}, "https://*.example, *": {"https://*.example", "*"}, "http://localhost:*": {"http://localhost:*"}, `["*"]`: {"*"}, `'*'`: {"*"}, "[]": {},
	} {
		cfg, err := load(t, "", []string{"CHATCAST_SERVER_ALLOWED_ORIGINS=" + text}, nil)
		if err != nil || !slices.Equal(cfg.Server.AllowedOrigins, want) {
			t.Errorf("%s: %v, %q", text, err, cfg.Server.AllowedOrigins)
		}
		cfg, err = load(t, "", nil, map[string]string{"server.allowed_origins": text})
		if err != nil || !slices.Equal(cfg.Server.AllowedOrigins, want) {
			t.Errorf("flag %s: %v, %q", text, err, cfg.Server.AllowedOrigins)
		}
	}
}

// Variables of an element after the last one add it to its list.
func TestEnvironmentAddsElements(t *testing.T) {
	cfg, err := load(t, "apps: [{id: a, key: ak}, {id: b, key: bk}]", []string{
		"CHATCAST_APPS_3_ID=d", "CHATCAST_APPS_3_KEY=dk", "CHATCAST_APPS_2_SECRET=a-very-long-secret", "CHATCAST_APPS_2_ID=c", "CHATCAST_APPS_2_KEY=ck",
		"CHATCAST_APPS_2_WEBHOOKS_1_URL=http://two", "CHATCAST_APPS_2_WEBHOOKS_0_URL=http://one", "CHATCAST_APPS_2_WEBHOOKS_0_EVENTS=cache_miss",
		"CHATCAST_APPS_0_WEBHOOKS=[{url: 'http://x'}]", "CHATCAST_APPS_0_WEBHOOKS_1_URL=http://y", "CHATCAST_APPS_1_CLIENT_EVENTS=false",
		"CHATCAST_APPS_2_SERVICE_HOST=10.0.0.1",
	}, nil)
	if err != nil || len(cfg.Apps) != 4 {
		t.Fatalf("%v, %+v", err, cfg.Apps)
	}
	a, b, c, d := cfg.Apps[0], cfg.Apps[1], cfg.Apps[2], cfg.Apps[3]
	if len(a.Webhooks) != 2 || a.Webhooks[0].URL != "http://x" || a.Webhooks[1].URL != "http://y" || b.ClientEvents || d.ID != "d" || !d.Enabled ||
		c.ID != "c" || c.Secret != "a-very-long-secret" || !c.ClientEvents || len(c.Webhooks) != 2 || c.Webhooks[1].URL != "http://two" || len(c.Webhooks[0].Events) != 1 {
		t.Errorf("%+v", cfg.Apps)
	}
	for name, want := range map[string]Violation{
		"CHATCAST_APPS_2_KEY=k":             {"CHATCAST_APPS_2_KEY", "there is no apps[1] before it; elements are counted from 0, without a gap"},
		"CHATCAST_APPS_0_WEBHOOKS_1_URL=u":  {"CHATCAST_APPS_0_WEBHOOKS_1_URL", "there is no apps[0].webhooks[0] before it; elements are counted from 0, without a gap"},
		"CHATCAST_APPS_1_KAY=k":             {"CHATCAST_APPS_1_KAY", "unknown environment variable; each is CHATCAST_ and a key in capitals, such as CHATCAST_SERVER_ADDRESS"},
		"CHATCAST_APPS_0_KAY=k":             {"CHATCAST_APPS_0_KAY", "unknown environment variable; each is CHATCAST_ and a key in capitals, such as CHATCAST_SERVER_ADDRESS"},
		"CHATCAST_APPS_1_KEY=second":        {"apps[1].id", "must be 1 to 64 letters, digits, - and _, for it stands in paths"},
		"CHATCAST_SERVER_TRUSTED_PROXIES=*": {"server.trusted_proxies[0]", `must be an address or a network such as 10.0.0.0/8, not "*"`},
	} {
		_, err := load(t, "", []string{name}, nil)
		if violations, ok := err.(ConfigError); !ok || len(violations) != 1 || violations[0] != want {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// Each case is a configuration with one error: its key, and a word of the message.
func TestViolations(t *testing.T) {
	for _, c := range []struct{ yaml, key, says string }{
		{"server: {adress: x}", "server.adress", "unknown key; known here: address"},
		{"sever: {}", "sever", "unknown key"},
		{"server: 5", "server", "must be a section with keys, not a number"},
		{"- a", "file", "must be a section"},
		{"log: {level: info}\n---\nserver: {}", "file", "must be one document"},
		{"server: {address: [", "file", "config.yaml:1:"},
		{"server:\n  address: x\n bad: [\n", "file", ":3:2 is no YAML: value is not allowed"},
		{"log: {level: info}\nlog: {level: debug}", "file", "is no YAML"},
		{"\xff\xfel\x00o\x00g\x00", "file", "is UTF-16; save it as UTF-8"},
		{"\xfe\xff\x00l\x00o\x00g", "file", "is UTF-16; save it as UTF-8"},
		{"server: {address: 6001}", "server.address", "must be text, not a number"},
		{"server: {address: '6001'}", "server.address", "must be host:port"},
		{"server: {address: 'x:99999'}", "server.address", "port"},
		{"server: {address: 'x:http'}", "server.address", "port"},
		{"server: {address: 'a/b:1'}", "server.address", "host"},
		{"server: {address: }", "server.address", "has no value"},
		{"server: {internal_address: '127.0.0.1:6001'}", "server.internal_address", "must differ"},
		{"server: {tls: {cert: a.pem}}", "server.tls.key", "is needed"},
		{"server: {tls: {key: a.pem}}", "server.tls.cert", "is needed"},
		{"server: {tls: {cert: none.pem, key: none.pem}}", "server.tls.cert", "cannot be used"},
		{"server: {allowed_origins: ['https://ok.example', 'example.com']}", "server.allowed_origins[1]", "scheme"},
		{"server: {allowed_origins: 'https://x'}", "server.allowed_origins", "must be a list, not text"},
		{"server: {trusted_proxies: [loopback]}", "server.trusted_proxies[0]", "must be an address"},
		{"server: {drain_time: 5}", "server.drain_time", "must be a duration such as"},
		{"server: {reuse_port: true, address: \"unix:/run/chatcast.sock\", public_url: \"https://a.example\"}", "server.reuse_port", "is for a port"},
		{"server: {drain_time: 11m}", "server.drain_time", "from 0s to 10m"},
		{`server: {socket_mode: "0999"}`, "server.socket_mode", "such as 0660"},
		{`server: {socket_mode: "0440"}`, "server.socket_mode", "read and write for its owner"},
		{"server: {address: 'unix:', public_url: 'https://a.example'}", "server.address", "must name a file"},
		{"server: {address: 'unix:/run/chatcast.sock'}", "server.public_url", "is needed with a Unix socket"},
		{"server: {hsts: 17521h}", "server.hsts", "from 0s to 17520h"},
		{"server: {hsts: 1500ms}", "server.hsts", "whole seconds"},
		{"server: {security_contact: 'http://example.com'}", "server.security_contact", "e-mail address"},
		{`server: {security_contact: "a@example.com\nExpires: never"}`, "server.security_contact", "e-mail address"},
		{"encryption: {keys: hunter2}", "encryption.keys", "key 1 of 1 must be 32 random bytes"},
		{"encryption: {keys: '# none'}", "encryption.keys", "has no key"},
		{"encryption: {key_file: /none/keys}", "encryption.key_file", "cannot be read"},
		{"encryption: {keys: x, key_file: /none/keys}", "encryption.key_file", "must be empty when encryption.keys is set"},
		{"server: {public_url: chat.example.com}", "server.public_url", "https://chat.example.com"},
		{"server: {public_url: 'https://chat.example.com/'}", "server.public_url", "nothing after"},
		{"server: {public_url: 'ftp://chat.example.com'}", "server.public_url", "https://"},
		{"server: {public_url: 'https://example.com/chat/'}", "server.public_url", "nothing after"},
		{"server: {public_url: 'https://example.com/chat?x'}", "server.public_url", "nothing after"},
		{"server: {public_url: 'https://example.com/a b'}", "server.public_url", "nothing after"},
		{"server: {public_url: 'https://example.com/v1'}", "server.public_url", "/v1, which is a path of the program's own"},
		{"server: {base_path: chat}", "server.base_path", "must be like /chat"},
		{"server: {base_path: /}", "server.base_path", "must be like /chat"},
		{"server: {base_path: /chat/}", "server.base_path", "must be like /chat"},
		{"server: {base_path: /a/../b}", "server.base_path", "must be like /chat"},
		{"server: {base_path: //chat}", "server.base_path", "must be like /chat"},
		{"server: {base_path: /app/chat}", "server.base_path", "may not begin with /app"},
		{"server: {base_path: /a, public_url: 'https://example.com/b'}", "server.base_path", "must be /b, the path of server.public_url"},
		{"files: {max_bytes: 0}", "files.max_bytes", "from 1"},
		{"evolution: {webhook_base64_max: 67108865}", "evolution.webhook_base64_max", "from 0"},
		{"evolution: {webhook_block_max: 0s}", "evolution.webhook_block_max", "from 1s"},
		{"log: {level: loud}", "log.level", "trace, debug"},
		{"log: {format: xml}", "log.format", "text or json"},
		{"database: {url: 'mysql://x'}", "database.url", "must begin with"},
		{"database: {url: 'sqlite:'}", "database.url", "must name a file"},
		{"database: {url: 'sqlite:a.db?mode=ro'}", "database.url", "without ?"},
		{"database: {url: 'postgres://host'}", "database.url", "must name a database"},
		{"files: {dir: ''}", "files.dir", "must name a folder"},
		{"files: {s3: {endpoint: 'https://s3.example.com'}}", "files.s3.bucket", "is needed with files.s3.endpoint"},
		{"files: {s3: {secret_key: hunter2}}", "files.s3.bucket", "is needed with files.s3.secret_key"},
		{"files: {s3: {bucket: abc, access_key: a, secret_key: b}}", "files.s3.endpoint", "https://"},
		{"files: {s3: {bucket: ABC, endpoint: 'https://x', access_key: a, secret_key: b}}", "files.s3.bucket", "lower-case"},
		{"files: {s3: {bucket: abc, endpoint: 'https://x', access_key: a}}", "files.s3.secret_key", "is needed"},
		{"files: {s3: {bucket: abc, endpoint: 'https://x', access_key: a, secret_key: b, prefix: /x}}", "files.s3.prefix", "path"},
		{"bus: {url: 'redis://localhost'}", "bus.url", "must be memory: with SQLite"},
		{"bus: {url: 'redis://localhost?nope=1'}\ndatabase: {url: 'postgres://h/d'}", "bus.url", `unknown parameter "nope"`},
		{"bus: {url: 'rediss://localhost/x'}\ndatabase: {url: 'postgres://h/d'}", "bus.url", "database that is not a number"},
		{"bus: {url: 'nats://localhost'}", "bus.url", "must be memory:, postgres: or redis://"},
		{"bus: {url: 'postgres:'}", "bus.url", "must be memory: with SQLite"},
		{"bus: {url: 'postgres://h/other'}", "bus.url", "that of database.url"},
		{"apps: []", "apps", "at least one"},
		{"apps: {id: x}", "apps", "must be a list, not a section"},
		{"apps: [{id: 1, key: k}]", "apps[0].id", "must be text, not a number: put it in quotes"},
		{"apps: [{id: a, key: ''}]", "apps[0].key", "1 to 64 letters"},
		{"apps: [{id: a/b, key: k}]", "apps[0].id", "1 to 64 letters"},
		{"apps: [{id: a, key: k}, {id: a, key: l}]", "apps[1].id", "already used by apps[0]"},
		{"apps: [{id: a, key: k}, {id: b, key: k}]", "apps[1].key", "already used by apps[0]"},
		{"apps: [{id: a, key: k, allowed_origins: [x]}]", "apps[0].allowed_origins[0]", "scheme"},
		{"apps: [{id: a, key: k, enabled: maybe}]", "apps[0].enabled", "must be true or false"},
		{"apps: [{id: a, key: k, limits: {sockets: -1}}]", "apps[0].limits.sockets", "from 0"},
		{"apps: [{id: a, key: k, limits: {sockets: 1.5}}]", "apps[0].limits.sockets", "must be an integer"},
		{"limits: {cache_ttl: 999ms}", "limits.cache_ttl", "from 1s to 24h"},
		{"limits: {cache_ttl: 24h1s}", "limits.cache_ttl", "from 1s to 24h"},
		{"limits: {cache_bytes: 1048575}", "limits.cache_bytes", "from 1048576"},
		{"apps: [{id: a, key: k, webhooks: [{url: x}]}]", "apps[0].webhooks[0].url", "absolute"},
		{"apps: [{id: a, key: k, webhooks: [{url: 'http://x'}, {url: 'http://y', events: [occupied]}]}]", "apps[0].webhooks[1].events[0]", "channel_occupied"},
		{"apps: [{id: a, key: k, webhooks: [{url: 'http://x', channels: ['']}]}]", "apps[0].webhooks[0].channels[0]", "beginning"},
		{"apps: [{id: a, key: k, webhooks: [{url: 'http://x', headers: {X-Pusher-Key: a}}]}]", "apps[0].webhooks[0].headers.X-Pusher-Key", "set by the server"},
		{"apps: [{id: a, key: k, webhooks: [{url: 'http://x', single: 1}]}]", "apps[0].webhooks[0].single", "true or false"},
		{"webhooks: {suspend_after: 1s}", "webhooks.suspend_after", "at least 1m"},
		{"webhooks: {allow_private_targets: 1}", "webhooks.allow_private_targets", "true or false"},
		{"apps: [{id: a, key: k, webhooks: [{url: 'http://x', headers: {a: 1}}]}]", "apps[0].webhooks[0].headers.a", "must be text"},
		{"bootstrap: {company: {id: -1}}", "bootstrap.company.id", "negative"},
		{"bootstrap: {company: {id: 99999999999999999999}}", "bootstrap.company.id", "must be an integer"},
		{"bootstrap: {company: {name: ''}}", "bootstrap.company.name", ""},
		{"bootstrap: {user: {email: nobody}}", "bootstrap.user.email", ""},
		{"bootstrap: {user: {password: short}}", "bootstrap.user.password", ""},
		{"bootstrap: {license: {messengers: [a-b]}}", "bootstrap.license.messengers[0]", "letters and digits"},
		{"bootstrap: {license: {messengers: [a, a]}}", "bootstrap.license.messengers[1]", "twice"},
		{"bootstrap: {app_id: bitrix}", "bootstrap.app_id", ""},
		{"whatsapp: {root_key: ab}", "whatsapp.root_key", "only used with whatsapp.endpoint"},
		{"whatsapp: {endpoint: 'x:1', root_key: ab}", "whatsapp.root_key", "64 digits"},
		{"whatsapp: {endpoint: x, root_key: '" + strings.Repeat("ab", 32) + "'}", "whatsapp.endpoint", "host:port"},
		{"whatsapp: {send_within: 1s}", "whatsapp.send_within", "from 1m"},
		{"whatsapp: {send_delay: 1h}", "whatsapp.send_delay", "from 0s to 1m"},
		{"whatsapp: {typing: 31s}", "whatsapp.typing", "from 0s to 30s"},
		{"whatsapp: {cold_contacts_per_day: -1}", "whatsapp.cold_contacts_per_day", "negative"},
		{"whatsapp: {checks_per_day: -1}", "whatsapp.checks_per_day", "negative"},
		{"journal: {retention: 1s}", "journal.retention", "at least 1m"},
		{"tracing: {endpoint: collector:4318}", "tracing.endpoint", "must be like http://"},
		{"tracing: {endpoint: 'http://u:p@x/v1/traces'}", "tracing.endpoint", "without a password"},
		{"tracing: {one_in: 0}", "tracing.one_in", "at least 1"},
		{"journal: {retention: 7 days}", "journal.retention", "must be a duration"},
		{"audit: {retention: 1h}", "audit.retention", "at least 24h"},
		{"socketio: {ping_timeout: 0s}", "socketio.ping_timeout", "from 1s to 1h"},
		{"socketio: {ping_interval: 2h}", "socketio.ping_interval", "from 1s to 1h"},
		{"socketio: {connect_timeout: -1s}", "socketio.connect_timeout", "from 1s"},
		{"socketio: {upgrade_timeout: 0s}", "socketio.upgrade_timeout", "from 1s"},
		{"socketio: {packet_bytes: 100}", "socketio.packet_bytes", "from 16384 to 104857600, not 100"},
		{"socketio: {packets_per_second: 0}", "socketio.packets_per_second", "from 1"},
		{"socketio: {packets_burst: 0}", "socketio.packets_burst", "from 1"},
		{"socketio: {namespaces_per_connection: 0}", "socketio.namespaces_per_connection", "from 1"},
		{"socketio: {namespaces_per_key: -1}", "socketio.namespaces_per_key", "from 0"},
		{"socketio: {connections: -1}", "socketio.connections", "from 0"},
		{"evolution: {shape: v3}", "evolution.shape", "v2, v1 or l2msg"},
		{"audit: {retention: -1h}", "audit.retention", "at least 24h"},
		{"limits: {message_bytes: 1}", "limits.message_bytes", "from 512"},
		{"limits: {queue_bytes: 9999999999}", "limits.queue_bytes", "from 65536"},
		{"limits: {queue_bytes: 65536, event_bytes: 65537}", "limits.event_bytes", "queue_bytes"},
		{"limits: {pong_timeout: 0s}", "limits.pong_timeout", "from 1s"},
	} {
		_, err := load(t, c.yaml, nil, nil)
		violations, ok := err.(ConfigError)
		if !ok || len(violations) != 1 {
			t.Errorf("%s: %v, want one violation at %s", c.yaml, err, c.key)
			continue
		}
		if f := violations[0]; f.Key != c.key || !strings.Contains(f.Message, c.says) {
			t.Errorf("%s: %s: %s; want %s to say %q", c.yaml, f.Key, f.Message, c.key, c.says)
		}
	}
}

func TestAllViolationsAreNamed(t *testing.T) {
	_, err := load(t, "server: {adress: x}\nlog: {level: 5}\n",
		[]string{"CHATCAST_SERVR_ADDRESS=x", "CHATCAST_LIMITS_QUEUE_BYTES=many"}, map[string]string{"journal.retention": "long"})
	for _, key := range []string{"server.adress", "log.level", "CHATCAST_SERVR_ADDRESS", "CHATCAST_LIMITS_QUEUE_BYTES", "--journal.retention"} {
		if err == nil || !strings.Contains(err.Error(), "  "+key+": ") {
			t.Errorf("%s is not named in: %v", key, err)
		}
	}
	_, err = load(t, "whatsapp: {endpoint: 'x:1'}", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "whatsapp.root_key: is needed") {
		t.Errorf("an endpoint without its root key: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), nil, nil); err == nil {
		t.Error("a file that is not there was read")
	}
}

// No secret appears in the output of config or in an error.
func TestSecretsAreMasked(t *testing.T) {
	const hidden = "hunter2-hunter2"
	cfg := Default()
	cfg.Apps[0].Secret = hidden
	cfg.Apps[0].Webhooks = []apps.Webhook{{URL: "https://u:" + hidden + "@x/?t=" + hidden, Headers: map[string]string{"X-Key": hidden}}}
	cfg.Bootstrap.User.Password = hidden
	cfg.Encryption.Keys = hidden
	cfg.Database.URL = "postgres://u:" + hidden + "@h/db?sslmode=require&password=" + hidden
	cfg.Bus.URL = "redis://:" + hidden + "@h?master_set=set-of-masters&sentinel_password=" + hidden
	cfg.Files.S3.SecretKey = hidden
	out, err := cfg.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out, hidden) || !strings.Contains(out, Masked) {
		t.Errorf("config shows a secret:\n%s", out)
	}
	if !strings.Contains(out, "sslmode=require") || !strings.Contains(out, "X-Key") || !strings.Contains(out, "set-of-masters") {
		t.Errorf("config hides what is no secret:\n%s", out)
	}
	if cfg.Apps[0].Secret != hidden || cfg.Apps[0].Webhooks[0].Headers["X-Key"] != hidden {
		t.Error("printing changed the configuration")
	}
	for _, yaml := range []string{
		"database: {url: '" + hidden + "'}", "database: {url: 'postgres://u:" + hidden + "@%zz'}", "apps: " + hidden,
		"apps: [{id: a, key: k, secret: [" + hidden + "]}]", "bootstrap: {user: {password: {" + hidden + ": 1}}}",
		"encryption: {keys: [" + hidden + "]}", "encryption: {keys: " + hidden + "}",
		"bus: {url: 'redis://:" + hidden + "@h'}", "apps: [{secret: " + hidden + "]",
	} {
		if _, err := load(t, yaml, nil, nil); err == nil || strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: %v", yaml, err)
		}
	}
}

// The output of config reads back to the same configuration.
func TestPrintedConfigReadsBack(t *testing.T) {
	out, err := Default().YAML()
	if err != nil {
		t.Fatal(err)
	}
	got, err := load(t, out, nil, nil)
	if err != nil || !reflect.DeepEqual(got, Default()) {
		t.Errorf("%v: %+v\nfrom\n%s", err, got, out)
	}
}
