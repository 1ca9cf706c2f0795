package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

const envPrefix = "CHATCAST_"

// ConfigError is every fault of a configuration, each with its key.
type ConfigError []Fault

// Fault is one thing wrong: with a key, an environment variable or a flag.
type Fault struct{ Key, Message string }

func (e ConfigError) Error() string {
	lines := make([]string, len(e))
	for i, f := range e {
		lines[i] = "  " + f.Key + ": " + f.Message
	}
	faults := "faults"
	if len(e) == 1 {
		faults = "fault"
	}
	return fmt.Sprintf("the configuration has %d %s:\n%s", len(e), faults, strings.Join(lines, "\n"))
}

func (e *ConfigError) add(key, format string, args ...any) {
	*e = append(*e, Fault{key, fmt.Sprintf(format, args...)})
}

// asError is nil when nothing is wrong.
func (e ConfigError) asError() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// Load reads the defaults, then the file at path (none when path is empty), then
// the environment ("NAME=value" lines), then flags (key to value), each over what
// was before, and checks the whole. It names all faults, not the first.
func Load(path string, environ []string, flags map[string]string) (Config, error) {
	cfg := Default()
	var faults ConfigError
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return cfg, fmt.Errorf("the configuration file cannot be read: %w", err)
		}
		readYAML(&cfg, text, &faults)
	}
	readEnv(&cfg, environ, &faults)
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		readText(&cfg, key, "--"+key, flags[key], &faults)
	}
	var wrong ConfigError
	check(&cfg, &wrong)
	for _, f := range wrong {
		if !slices.ContainsFunc(faults, func(unread Fault) bool { return strings.HasPrefix(unread.Key, f.Key) }) {
			faults = append(faults, f)
		}
	}
	return cfg, faults.asError()
}

// readYAML sets what text says and returns the keys it named.
func readYAML(cfg *Config, text []byte, faults *ConfigError) (seen map[string]bool) {
	seen = map[string]bool{}
	var doc any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		faults.add("file", "is no YAML: %s", strings.TrimSpace(yaml.FormatError(err, false, false)))
		return seen
	}
	if doc != nil {
		assign("", reflect.ValueOf(cfg).Elem(), doc, faults, seen)
	}
	return seen
}

// What orchestrators put into every container for a service named chatcast: not
// ours to read, and no mistake of the user's.
var foreignEnv = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

func readEnv(cfg *Config, environ []string, faults *ConfigError) {
	values := map[string]string{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, envPrefix) && name != envPrefix+"CONFIG" {
			values[name] = value
		}
	}
	names := slices.SortedFunc(maps.Keys(values), func(a, b string) int { // CHATCAST_APPS before CHATCAST_APPS_0_KEY
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		key := keyOfEnv(cfg, name)
		switch {
		case key != "":
			readText(cfg, key, name, values[name], faults)
		case !foreignEnv.MatchString(name):
			faults.add(name, "unknown environment variable; each is %s and a key in capitals, such as %s", envPrefix, envName("server.address"))
		}
	}
}

func keyOfEnv(cfg *Config, name string) string {
	for _, key := range settingKeys(cfg) {
		if envName(key) == name {
			return key
		}
	}
	return ""
}

var notInEnv = strings.NewReplacer(".", "_", "[", "_", "]", "")

// envName is the environment's name of a key: server.address is
// CHATCAST_SERVER_ADDRESS, apps[0].key is CHATCAST_APPS_0_KEY.
func envName(key string) string { return envPrefix + strings.ToUpper(notInEnv.Replace(key)) }

// settingKeys are all keys that take a value, and the lists' own.
func settingKeys(cfg *Config) (keys []string) {
	walk("", reflect.ValueOf(cfg).Elem(), "", func(key string, v reflect.Value, _ string) {
		if v.Kind() != reflect.Struct {
			keys = append(keys, key)
		}
	})
	return keys
}

// readText sets key from text, as the environment and flags give it: plain for
// text, numbers and durations, YAML (or JSON) for lists.
func readText(cfg *Config, key, from, text string, faults *ConfigError) {
	var dst reflect.Value
	walk("", reflect.ValueOf(cfg).Elem(), "", func(k string, v reflect.Value, _ string) {
		if k == key {
			dst = v
		}
	})
	if !dst.IsValid() {
		faults.add(from, "unknown key")
		return
	}
	var src any = text
	if k := dst.Kind(); k != reflect.String && dst.Type() != reflect.TypeFor[Duration]() {
		if err := yaml.Unmarshal([]byte(text), &src); err != nil {
			faults.add(from, "is no YAML: %s", yaml.FormatError(err, false, false))
			return
		}
	}
	assign(from, dst, src, faults, map[string]bool{})
}

// walk visits every value of the configuration with its key and its secret tag,
// a struct or list before what is in it.
func walk(key string, v reflect.Value, secret string, visit func(key string, v reflect.Value, secret string)) {
	if key != "" {
		visit(key, v, secret)
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			walk(join(key, f.Tag.Get("yaml")), v.Field(i), f.Tag.Get("secret"), visit)
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

// assign sets dst, the setting named key, to src, a value as YAML gives it.
func assign(key string, dst reflect.Value, src any, faults *ConfigError, seen map[string]bool) {
	seen[key] = true
	if dst.Kind() == reflect.Struct {
		assignStruct(key, dst, src, faults, seen)
		return
	}
	if src == nil {
		faults.add(key, `has no value; write "" for an empty text, [] for an empty list`)
		return
	}
	if dst.Type() == reflect.TypeFor[Duration]() {
		s, _ := src.(string)
		d, err := time.ParseDuration(s)
		if err != nil {
			faults.add(key, "must be a duration such as 30s or 168h, not %s", shown(src))
			return
		}
		dst.SetInt(int64(d))
		return
	}
	switch dst.Kind() {
	case reflect.String:
		s, ok := src.(string)
		if !ok {
			faults.add(key, "must be text, not %s: put it in quotes", kind(src))
			return
		}
		dst.SetString(s)
	case reflect.Bool:
		b, ok := src.(bool)
		if !ok {
			faults.add(key, "must be true or false, not %s", shown(src))
			return
		}
		dst.SetBool(b)
	case reflect.Int:
		n, err := integer(src)
		if err != nil {
			faults.add(key, "must be an integer, not %s", shown(src))
			return
		}
		dst.SetInt(n)
	case reflect.Slice:
		assignSlice(key, dst, src, faults, seen)
	case reflect.Map:
		assignMap(key, dst, src, faults)
	}
}

func assignStruct(key string, dst reflect.Value, src any, faults *ConfigError, seen map[string]bool) {
	if src == nil { // a section whose keys are all commented out
		return
	}
	m, ok := src.(map[string]any)
	if !ok {
		faults.add(orFile(key), "must be a section with keys, not %s", kind(src))
		return
	}
	fields := map[string]reflect.Value{}
	var known []string
	for i := range dst.NumField() {
		name := dst.Type().Field(i).Tag.Get("yaml")
		fields[name], known = dst.Field(i), append(known, name)
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		field, ok := fields[name]
		if !ok {
			sort.Strings(known)
			faults.add(join(key, name), "unknown key; known here: %s", strings.Join(known, ", "))
			continue
		}
		assign(join(key, name), field, m[name], faults, seen)
	}
}

func assignSlice(key string, dst reflect.Value, src any, faults *ConfigError, seen map[string]bool) {
	items, ok := src.([]any)
	if !ok {
		faults.add(key, "must be a list, not %s", kind(src))
		return
	}
	list := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, item := range items {
		if dst.Type().Elem() == reflect.TypeFor[AppConfig]() {
			list.Index(i).Set(reflect.ValueOf(defaultApp()))
		}
		assign(fmt.Sprintf("%s[%d]", key, i), list.Index(i), item, faults, seen)
	}
	dst.Set(list)
}

func assignMap(key string, dst reflect.Value, src any, faults *ConfigError) {
	m, ok := src.(map[string]any)
	if !ok {
		faults.add(key, "must be a section of names and texts, not %s", kind(src))
		return
	}
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		s, ok := m[name].(string)
		if !ok {
			faults.add(join(key, name), "must be text, not %s: put it in quotes", kind(m[name]))
		}
		out[name] = s
	}
	dst.Set(reflect.ValueOf(out))
}

func orFile(key string) string {
	if key == "" {
		return "file"
	}
	return key
}

func integer(src any) (int64, error) {
	switch n := src.(type) {
	case uint64:
		if n <= math.MaxInt64 {
			return int64(n), nil
		}
	case int64:
		return n, nil
	case int:
		return int64(n), nil
	}
	return 0, errors.New("no integer")
}

// shown is a wrong value of a setting that can hold no secret.
func shown(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case bool, uint64, int64, float64:
		return fmt.Sprint(v)
	}
	return kind(v)
}

// kind is all that is said of a value that may be, or hold, a secret.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case string:
		return "text"
	case bool:
		return "true or false"
	case map[string]any:
		return "a section"
	case []any:
		return "a list"
	}
	return "a number"
}
