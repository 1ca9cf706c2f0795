package config

import (
	"net/url"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"

	"chatcast/broadcasting/apps"
)

// Masked is printed in place of a secret.
const Masked = "********"

// YAML returns the configuration as a file, with secrets masked.
func (c Config) YAML() (string, error) {
	c.Apps = append([]apps.App(nil), c.Apps...) // the masks go into a copy
	for i := range c.Apps {
		c.Apps[i].Webhooks = append([]apps.Webhook{}, c.Apps[i].Webhooks...)
	}
	walk("", reflect.ValueOf(&c).Elem(), "", func(_ string, v reflect.Value, secret string) {
		switch {
		case secret == "all" && v.Kind() == reflect.Map:
			hidden := map[string]string{}
			for _, k := range v.MapKeys() {
				hidden[k.String()] = Masked
			}
			v.Set(reflect.ValueOf(hidden))
		case secret == "all" && v.Kind() == reflect.String && v.Len() > 0:
			v.SetString(Masked)
		case secret == "url" && v.Kind() == reflect.String:
			v.SetString(maskURL(v.String()))
		}
	})
	out, err := yaml.MarshalWithOptions(c, yaml.IndentSequence(true))
	return string(out), err
}

// maskURL masks the parts of a URL that may be secret: the password and the values of
// the query. Text that does not parse as a URL is masked whole, unless it is SQLite's.
func maskURL(text string) string {
	if strings.HasPrefix(text, "sqlite:") || text == "memory:" || text == "" {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		return Masked
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), Masked)
	}
	q := u.Query()
	for name := range q {
		if !publicParams[name] {
			q.Set(name, Masked)
		}
	}
	u.RawQuery = q.Encode()
	return strings.ReplaceAll(u.String(), "%2A", "*")
}

// publicParams are the parameters of the URLs of the database and of Redis that hold no
// secret.
var publicParams = map[string]bool{
	"sslmode": true, "host": true, "port": true, "dbname": true, "user": true, "application_name": true, "connect_timeout": true,
	"addr": true, "ca_file": true, "db": true, "master_set": true, "prefix": true, "sentinel_username": true, "skip_verify": true,
}
