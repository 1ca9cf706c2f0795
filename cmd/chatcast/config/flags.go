package config

import (
	"net/url"
	"reflect"
	"strings"
)

// readFlag applies a flag, and refuses one that gives a secret: everybody on the machine
// sees the command line of a running program.
func readFlag(cfg *Config, key, text string, violations *ConfigError) {
	flag := "--" + key
	readText(cfg, key, flag, text, violations)
	walk("", reflect.ValueOf(cfg).Elem(), "", func(k string, v reflect.Value, secret string) {
		given := k == key || strings.HasPrefix(k, key+"[") || strings.HasPrefix(k, key+".")
		if !given || !holdsSecret(v, secret) {
			return
		}
		violations.add(flag, "holds a secret, and everybody on this machine can read a command line; set %s in the configuration file (--config /dev/stdin reads it from standard input) or in the environment variable %s",
			k, envName(k))
	})
}

// holdsSecret reports whether a value with this secret tag holds a secret.
func holdsSecret(v reflect.Value, secret string) bool {
	switch {
	case secret == "all":
		return (v.Kind() == reflect.String || v.Kind() == reflect.Map) && v.Len() > 0
	case secret == "url" && v.Kind() == reflect.String:
		u, err := url.Parse(v.String())
		if err != nil {
			return strings.Contains(v.String(), "@") // refused anyway, and nobody knows what it holds
		}
		_, has := u.User.Password()
		for name := range u.Query() {
			has = has || strings.Contains(strings.ToLower(name), "password")
		}
		return has
	}
	return false
}
