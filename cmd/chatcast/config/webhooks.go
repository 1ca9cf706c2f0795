package config

import (
	"fmt"
	"strings"

	"chatcast/broadcasting/apps"
)

// checkWebhooks asks the one who will use them.
func checkWebhooks(key string, hooks []AppHookConfig, violations *ConfigError) {
	app := apps.App{ID: "1", Key: "1"}
	for _, h := range hooks {
		app.Webhooks = append(app.Webhooks, apps.Webhook{URL: h.URL, Events: h.Events, Channels: h.Channels, Headers: h.Headers, Single: h.Single})
	}
	for _, violation := range app.Check() {
		violations.add(fmt.Sprint(key, strings.TrimPrefix(violation.Field, "webhooks")), "%s", violation.Message)
	}
}
