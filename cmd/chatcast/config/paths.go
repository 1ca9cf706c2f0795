package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Path returns what stands before every path that clients use, such as /chat; empty:
// nothing. A server.public_url with a path is enough to set it.
func (s ServerConfig) Path() string {
	if s.BasePath != "" {
		return s.BasePath
	}
	u, err := url.Parse(s.PublicURL)
	if err != nil {
		return ""
	}
	return u.Path
}

// URL returns server.public_url with the path; empty if it is not set.
func (s ServerConfig) URL() string {
	u, err := url.Parse(s.PublicURL)
	if s.PublicURL == "" || err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + s.Path()
}

// pathForm matches a base path: segments without a slash at the end, of characters that
// are never escaped.
var pathForm = regexp.MustCompile(`\A(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\z`)

// ownPaths begin the paths of the program itself: a base path like one of them would hide
// it.
var ownPaths = []string{
	"api", "app", "apps", "assets", "asyncapi.yaml", "broadcasting", "business", "call", "chatwoot", "console.json", "dify", "docs", "evoai", "evolutionBot",
	"flowise", "group", "healthz", "instance", "kafka", "label", "lib", "licenses.txt", "message", "n8n", "nats", "openai", "openapi",
	"openapi-3.0.json", "openapi.json", "openapi.yaml", "passkey-extension.zip", "proxy", "pusher", "rabbitmq", "readyz", "s3", "schemas",
	"settings", "socket.io", "sqs", "template", "try", "typebot", "v1", "verify-creds", "webhook", "websocket", "whatsapp", "ws",
}

// checkPaths checks the public URL and the base path.
func checkPaths(s ServerConfig, violations *ConfigError) {
	u, err := url.Parse(s.PublicURL)
	if s.PublicURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		s.PublicURL != u.Scheme+"://"+u.Host+u.Path || u.Path != "" && !pathForm.MatchString(u.Path)) {
		violations.add("server.public_url", "must be like https://chat.example.com or https://example.com/chat, with nothing after the host, the port and the path")
		return
	}
	key, path := "server.base_path", s.BasePath
	if path == "" && err == nil {
		key, path = "server.public_url", u.Path
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case path == "":
	case !pathForm.MatchString(path):
		violations.add(key, "must be like /chat: a slash before each part, none at the end")
	case slices.Contains(ownPaths, first):
		violations.add(key, "may not begin with /%s, which is a path of the program's own", first)
	case s.BasePath != "" && u.Path != "" && u.Path != s.BasePath:
		violations.add(key, "must be %s, the path of server.public_url", u.Path)
	}
}
