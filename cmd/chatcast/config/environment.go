package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"chatcast/broadcasting/apps"
)

// EnvPrefix is the prefix of the program's environment variables.
const EnvPrefix = "CHATCAST_"

// foreignEnv matches variables that orchestrators set in every container for a service
// named chatcast. They are not settings, and not a mistake of the user.
var foreignEnv = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// readEnv applies the variables: whole lists before their elements, so that
// CHATCAST_APPS_1_KEY changes or adds an app of CHATCAST_APPS.
func readEnv(cfg *Config, environ []string, violations *ConfigError) {
	values := map[string]string{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, EnvPrefix) && name != EnvPrefix+"CONFIG" {
			values[name] = value
		}
	}
	names := slices.SortedFunc(maps.Keys(values), func(a, b string) int { // CHATCAST_APPS before CHATCAST_APPS_0_WEBHOOKS
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	for changed := true; changed; {
		changed = false
		names = slices.DeleteFunc(names, func(name string) bool {
			key := keyOfEnv(cfg, name)
			if key == "" {
				changed = extend(cfg, name) || changed
				return false
			}
			if !isTable(valueOf(cfg, key)) {
				return false
			}
			readText(cfg, key, name, values[name], violations)
			changed = true
			return true
		})
	}
	for _, name := range names {
		key := keyOfEnv(cfg, name)
		switch {
		case key != "":
			readText(cfg, key, name, values[name], violations)
		case foreignEnv.MatchString(name):
		default:
			violations.add(name, "%s", whyUnknown(cfg, name))
		}
	}
}

// isTable reports whether v is a list of sections, such as apps.
func isTable(v reflect.Value) bool {
	return v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct
}

// tables visits the lists of sections with their keys.
func tables(cfg *Config, visit func(key string, list reflect.Value)) {
	walk("", reflect.ValueOf(cfg).Elem(), "", func(key string, v reflect.Value, _ string) {
		if isTable(v) {
			visit(key, v)
		}
	})
}

// extend appends an element, with its defaults, to the list of sections whose next element
// has this variable, if there is such a list.
func extend(cfg *Config, name string) bool {
	var grown reflect.Value
	var element string
	tables(cfg, func(key string, list reflect.Value) {
		next := fmt.Sprintf("%s[%d]", key, list.Len())
		if strings.HasPrefix(name, envName(next)+"_") {
			grown, element = list, next
		}
	})
	if !grown.IsValid() {
		return false
	}
	before := grown.Len()
	grown.Set(reflect.Append(grown, newElement(grown.Type().Elem())))
	known := keyOfEnv(cfg, name) != ""
	tables(cfg, func(key string, _ reflect.Value) { // it may be in a list of the new element
		known = known || strings.HasPrefix(key, element+".") && strings.HasPrefix(name, envName(key)+"_")
	})
	if !known {
		grown.Set(grown.Slice(0, before))
	}
	return known
}

// newElement returns an element of a list for which nothing is set.
func newElement(of reflect.Type) reflect.Value {
	if of == reflect.TypeFor[apps.App]() {
		return reflect.ValueOf(apps.Default())
	}
	return reflect.New(of).Elem()
}

// whyUnknown returns what is wrong with a variable that no setting has.
func whyUnknown(cfg *Config, name string) (why string) {
	why = fmt.Sprintf("unknown environment variable; each is %s and a key in capitals, such as %s", EnvPrefix, envName("server.address"))
	tables(cfg, func(key string, list reflect.Value) {
		number, _, _ := strings.Cut(strings.TrimPrefix(name, envName(key)+"_"), "_")
		if n, err := strconv.Atoi(number); err == nil && n > list.Len() {
			why = fmt.Sprintf("there is no %s[%d] before it; elements are counted from 0, without a gap", key, list.Len())
		}
	})
	return why
}

func keyOfEnv(cfg *Config, name string) string {
	for _, key := range Keys(cfg) {
		if envName(key) == name {
			return key
		}
	}
	return ""
}

var notInEnv = strings.NewReplacer(".", "_", "[", "_", "]", "")

// envName returns the environment variable of a key: CHATCAST_SERVER_ADDRESS for
// server.address, CHATCAST_APPS_0_KEY for apps[0].key.
func envName(key string) string { return EnvPrefix + strings.ToUpper(notInEnv.Replace(key)) }

// valueOf returns the value of a key, the zero Value if there is none.
func valueOf(cfg *Config, key string) (found reflect.Value) {
	walk("", reflect.ValueOf(cfg).Elem(), "", func(k string, v reflect.Value, _ string) {
		if k == key {
			found = v
		}
	})
	return found
}

// isYAML reports whether a list of texts is written as YAML or JSON. What begins with a *
// is not: in YAML that is an alias.
func isYAML(text string) bool {
	text = strings.TrimSpace(text)
	return text == "" || strings.ContainsAny(text[:1], "[-'\"")
}

// commaList parses a list as the environment and flags usually spell it: a, b.
func commaList(text string) (items []any) {
	for _, item := range strings.Split(text, ",") {
		items = append(items, strings.TrimSpace(item))
	}
	return items
}
