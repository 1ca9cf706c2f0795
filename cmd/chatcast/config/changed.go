package config

import (
	"reflect"
	"strings"
)

// Changed returns the keys of the settings that differ. The list of apps is one setting.
func Changed(a, b *Config) (keys []string) {
	var values []reflect.Value
	visit := func(f func(key string, v reflect.Value)) func(string, reflect.Value, string) {
		return func(key string, v reflect.Value, _ string) {
			if v.Kind() != reflect.Struct && !strings.HasPrefix(key, "apps[") {
				f(key, v)
			}
		}
	}
	walk("", reflect.ValueOf(a).Elem(), "", visit(func(_ string, v reflect.Value) { values = append(values, v) }))
	i := 0
	walk("", reflect.ValueOf(b).Elem(), "", visit(func(key string, v reflect.Value) {
		if !reflect.DeepEqual(values[i].Interface(), v.Interface()) {
			keys = append(keys, key)
		}
		i++
	}))
	return keys
}
