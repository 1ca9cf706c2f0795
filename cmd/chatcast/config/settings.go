package config

import (
	"reflect"

	"github.com/goccy/go-yaml"

	"chatcast/broadcasting/apps"
)

// setting is one setting of a section.
type setting struct {
	name   string
	value  reflect.Value
	secret string // the tag
}

// settings returns the settings of a section, an addressable struct, in the order of
// its fields. Like go-yaml, it takes names from the tag yaml, or else json, and skips
// "-". The limits that all apps have in common are listed among the section's own.
func settings(section reflect.Value) (list []setting) {
	for i := range section.NumField() {
		f, value := section.Type().Field(i), section.Field(i)
		name, ok := f.Tag.Lookup("yaml")
		if !ok {
			name = f.Tag.Get("json")
		}
		switch name {
		case "-":
		case ",inline":
			common := value.Addr().Interface().(*apps.Limits)
			for _, limit := range apps.Table() {
				list = append(list, setting{limit.Common, reflect.ValueOf(limit.Field(common)).Elem(), ""})
			}
		default:
			list = append(list, setting{name, value, f.Tag.Get("secret")})
		}
	}
	return list
}

// MarshalYAML implements yaml.InterfaceMarshaler. It names the limits that all apps
// have in common as the file does.
func (l LimitsConfig) MarshalYAML() (any, error) {
	var section yaml.MapSlice
	for _, f := range settings(reflect.ValueOf(&l).Elem()) {
		section = append(section, yaml.MapItem{Key: f.name, Value: f.value.Interface()})
	}
	return section, nil
}
