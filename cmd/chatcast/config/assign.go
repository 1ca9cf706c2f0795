package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// assign sets dst, the setting named key, to src, a value decoded from YAML.
func assign(key string, dst reflect.Value, src any, violations *ConfigError, seen map[string]bool) {
	seen[key] = true
	if dst.Kind() == reflect.Struct {
		assignStruct(key, dst, src, violations, seen)
		return
	}
	if src == nil {
		violations.add(key, `has no value; write "" for an empty text, [] for an empty list`)
		return
	}
	if dst.Type() == reflect.TypeFor[Duration]() {
		s, _ := src.(string)
		d, err := time.ParseDuration(s)
		if err != nil {
			violations.add(key, "must be a duration such as 30s or 168h, not %s", shown(src))
			return
		}
		dst.SetInt(int64(d))
		return
	}
	switch dst.Kind() {
	case reflect.String:
		s, ok := src.(string)
		if !ok {
			violations.add(key, "must be text, not %s: put it in quotes", kind(src))
			return
		}
		dst.SetString(s)
	case reflect.Bool:
		b, ok := src.(bool)
		if !ok {
			violations.add(key, "must be true or false, not %s", shown(src))
			return
		}
		dst.SetBool(b)
	case reflect.Int:
		n, err := integer(src)
		if err != nil {
			violations.add(key, "must be an integer, not %s", shown(src))
			return
		}
		dst.SetInt(n)
	case reflect.Slice:
		assignSlice(key, dst, src, violations, seen)
	case reflect.Map:
		assignMap(key, dst, src, violations)
	}
}

func assignStruct(key string, dst reflect.Value, src any, violations *ConfigError, seen map[string]bool) {
	if src == nil { // a section whose keys are all commented out
		return
	}
	m, ok := src.(map[string]any)
	if !ok {
		violations.add(orFile(key), "must be a section with keys, not %s", kind(src))
		return
	}
	fields := map[string]reflect.Value{}
	var known []string
	for _, f := range settings(dst) {
		fields[f.name], known = f.value, append(known, f.name)
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		field, ok := fields[name]
		if !ok {
			sort.Strings(known)
			violations.add(join(key, name), "unknown key; known here: %s", strings.Join(known, ", "))
			continue
		}
		assign(join(key, name), field, m[name], violations, seen)
	}
}

func assignSlice(key string, dst reflect.Value, src any, violations *ConfigError, seen map[string]bool) {
	items, ok := src.([]any)
	if !ok {
		violations.add(key, "must be a list, not %s", kind(src))
		return
	}
	list := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, item := range items {
		list.Index(i).Set(newElement(dst.Type().Elem()))
		assign(fmt.Sprintf("%s[%d]", key, i), list.Index(i), item, violations, seen)
	}
	dst.Set(list)
}

func assignMap(key string, dst reflect.Value, src any, violations *ConfigError) {
	m, ok := src.(map[string]any)
	if !ok {
		violations.add(key, "must be a section of names and texts, not %s", kind(src))
		return
	}
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		s, ok := m[name].(string)
		if !ok {
			violations.add(join(key, name), "must be text, not %s: put it in quotes", kind(m[name]))
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

// shown formats a wrong value of a setting that cannot hold a secret.
func shown(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case bool, uint64, int64, float64:
		return fmt.Sprint(v)
	}
	return kind(v)
}

// kind describes a value that may be, or contain, a secret, by its kind alone.
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
