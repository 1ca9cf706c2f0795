package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
)

// ConfigError holds every error of a configuration, each with its key.
type ConfigError []Violation

// Violation is one error, with the key, environment variable or flag that causes it.
type Violation struct{ Key, Message string }

// Error returns each error on a line of its own.
func (e ConfigError) Error() string {
	lines := make([]string, len(e))
	for i, f := range e {
		lines[i] = "  " + f.Key + ": " + f.Message
	}
	noun := "errors"
	if len(e) == 1 {
		noun = "error"
	}
	return fmt.Sprintf("the configuration has %d %s:\n%s", len(e), noun, strings.Join(lines, "\n"))
}

func (e *ConfigError) add(key, format string, args ...any) {
	*e = append(*e, Violation{key, fmt.Sprintf(format, args...)})
}

// asError returns e as an error, nil if e is empty.
func (e ConfigError) asError() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// Load reads the defaults, then the file at path (none if path is empty), then the
// environment ("NAME=value" lines), then flags (key to value), each overriding the one
// before; flags must not hold secrets. It checks the whole configuration. It returns all errors, not the first.
func Load(path string, environ []string, flags map[string]string) (Config, error) {
	cfg := Default()
	var violations ConfigError
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return cfg, fmt.Errorf("the configuration file cannot be read: %w", err)
		}
		readYAML(&cfg, path, text, &violations)
	}
	readEnv(&cfg, environ, &violations)
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		readFlag(&cfg, key, flags[key], &violations)
	}
	if cfg.Bootstrap.AppID == Default().Bootstrap.AppID { // it contains the user's id
		cfg.Bootstrap.AppID = fmt.Sprintf("app_%d_1", cfg.Bootstrap.User.ID)
	}
	var wrong ConfigError
	check(&cfg, &wrong)
	for _, f := range wrong {
		if !slices.ContainsFunc(violations, func(unread Violation) bool { return strings.HasPrefix(unread.Key, f.Key) }) {
			violations = append(violations, f)
		}
	}
	return cfg, violations.asError()
}

// The marks that editors, mostly on Windows, put at the beginning of a text. YAML allows
// that of UTF-8; the library takes it for a part of the first key.
var utf8BOM, utf16LE, utf16BE = []byte("\xef\xbb\xbf"), []byte("\xff\xfe"), []byte("\xfe\xff")

// readYAML applies the settings in text, which the file at path holds, and returns the
// keys that it names.
func readYAML(cfg *Config, path string, text []byte, violations *ConfigError) (seen map[string]bool) {
	seen = map[string]bool{}
	if bytes.HasPrefix(text, utf16LE) || bytes.HasPrefix(text, utf16BE) {
		violations.add("file", "%s is UTF-16; save it as UTF-8", path)
		return seen
	}
	text = bytes.TrimPrefix(text, utf8BOM)
	var doc, more any
	in := yaml.NewDecoder(bytes.NewReader(text))
	if err := in.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		at, message := place(err)
		violations.add("file", "%s%s is no YAML: %s", path, at, message)
		return seen
	}
	if err := in.Decode(&more); !errors.Is(err, io.EOF) {
		violations.add("file", "must be one document: what follows --- would not be read")
	}
	if doc != nil {
		assign("", reflect.ValueOf(cfg).Elem(), doc, violations, seen)
	}
	return seen
}

// place splits an error of the YAML library into its place, ":LINE:COLUMN" or nothing, and
// its message.
func place(err error) (at, message string) {
	var e interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &e) {
		return "", err.Error()
	}
	if t := e.GetToken(); t != nil && t.Position != nil {
		at = fmt.Sprintf(":%d:%d", t.Position.Line, t.Position.Column)
	}
	return at, e.GetMessage()
}

// Keys returns the keys of all values, and those of the lists.
func Keys(cfg *Config) (keys []string) {
	walk("", reflect.ValueOf(cfg).Elem(), "", func(key string, v reflect.Value, _ string) {
		if v.Kind() != reflect.Struct {
			keys = append(keys, key)
		}
	})
	return keys
}

// readText sets key from text, as the environment and flags give it: plain for
// text, numbers and durations; YAML (or JSON) for lists, or, for lists of texts, separated
// by commas.
func readText(cfg *Config, key, from, text string, violations *ConfigError) {
	dst := valueOf(cfg, key)
	if !dst.IsValid() {
		violations.add(from, "unknown key")
		return
	}
	var src any = text
	switch {
	case dst.Type() == reflect.TypeFor[[]string]() && !isYAML(text):
		src = commaList(text)
	case dst.Kind() != reflect.String && dst.Type() != reflect.TypeFor[Duration]():
		if err := yaml.Unmarshal([]byte(text), &src); err != nil {
			_, message := place(err)
			violations.add(from, "is no YAML: %s", message)
			return
		}
		if text, plain := src.(string); plain && dst.Type() == reflect.TypeFor[[]string]() {
			src = commaList(text)
		}
	}
	assign(from, dst, src, violations, map[string]bool{})
}

// walk visits every value of the configuration with its key and its secret tag. It
// visits a struct or list before its elements.
func walk(key string, v reflect.Value, secret string, visit func(key string, v reflect.Value, secret string)) {
	if key != "" {
		visit(key, v, secret)
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, f := range settings(v) {
			walk(join(key, f.name), f.value, f.secret, visit)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Struct {
			for i := range v.Len() {
				walk(fmt.Sprintf("%s[%d]", key, i), v.Index(i), secret, visit)
			}
		}
	}
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}
