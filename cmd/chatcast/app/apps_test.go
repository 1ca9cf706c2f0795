package app

import (
	"reflect"
	"testing"

	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
)

// Each limit of an app reaches those who serve it, and the common one where it has
// none of its own.
func TestEveryLimitOfAnAppIsServed(t *testing.T) {
	var own crm.AppLimits
	for i := range reflect.TypeOf(own).NumField() {
		reflect.ValueOf(&own).Elem().Field(i).SetInt(int64(1000 + i))
	}
	var common config.LimitsConfig
	for i := range reflect.TypeOf(common).NumField() {
		reflect.ValueOf(&common).Elem().Field(i).SetInt(7)
	}
	served, byDefault := reflect.ValueOf(pusherLimits(own, common)), reflect.ValueOf(pusherLimits(crm.AppLimits{}, common))
	if served.NumField() != reflect.TypeOf(own).NumField() {
		t.Errorf("%d limits are served, an app has %d", served.NumField(), reflect.TypeOf(own).NumField())
	}
	for i := range served.NumField() {
		name := served.Type().Field(i).Name
		if want := reflect.ValueOf(own).FieldByName(name); !want.IsValid() || served.Field(i).Int() != want.Int() {
			t.Errorf("%s is served as %v, the app says %v", name, served.Field(i), want)
		}
		if byDefault.Field(i).Int() != 7 {
			t.Errorf("%s has no common limit", name)
		}
	}
}
