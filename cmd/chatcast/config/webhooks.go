package config

import "chatcast/broadcasting/webhook"

// endpoint is h as the webhooks take it.
func (h AppHookConfig) endpoint() webhook.Endpoint {
	return webhook.Endpoint{URL: h.URL, Events: h.Events, Channels: h.Channels, Headers: h.Headers, Single: h.Single}
}

// checkWebhooks asks the one who will use them.
func checkWebhooks(key string, hooks []AppHookConfig, violations *ConfigError) {
	if len(hooks) > webhook.MaxEndpoints {
		violations.add(key, "must be at most %d", webhook.MaxEndpoints)
	}
	for i, hook := range hooks {
		for _, violation := range hook.endpoint().Check() {
			violations.add(item(key, i)+"."+violation.Field, "%s", violation.Message)
		}
	}
}
