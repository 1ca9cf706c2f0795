package config

import (
	"fmt"
	"strings"
	"testing"

	"chatcast/broadcasting/apps"
)

// Each limit of the table can be set for one app and for all, in the file, the
// environment and by a flag, up to the ends of its range and not beyond.
func TestEveryLimitCanBeSet(t *testing.T) {
	for _, limit := range apps.Table() {
		own, common := "apps[0].limits."+limit.Name, "limits."+limit.Common
		flags := map[string]string{own: fmt.Sprint(limit.Max), common: fmt.Sprint(max(limit.Min, 1))}
		cfg, err := Load("", nil, flags)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := *limit.Field(&cfg.Apps[0].Limits); got != limit.Max {
			t.Errorf("%s is %d, want %d", own, got, limit.Max)
		}
		if got := *limit.Field(&cfg.Limits.Apps); got != max(limit.Min, 1) {
			t.Errorf("%s is %d", common, got)
		}
		text, err := cfg.YAML()
		if err != nil || !strings.Contains(text, fmt.Sprintf("\n      %s: %d\n", limit.Name, limit.Max)) ||
			!strings.Contains(text, fmt.Sprintf("\n  %s: %d\n", limit.Common, max(limit.Min, 1))) {
			t.Errorf("%s is not printed: %v", limit.Name, err)
		}
		for key, value := range map[string]int{own: limit.Max + 1, common: limit.Min - 1} {
			_, err := Load("", []string{envName(key) + "=" + fmt.Sprint(value)}, nil)
			if violations, ok := err.(ConfigError); !ok || len(violations) != 1 || violations[0].Key != key {
				t.Errorf("%s of %d: %v", key, value, err)
			}
		}
	}
}
