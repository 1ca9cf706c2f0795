package config

import "chatcast/broadcasting/webhook"

// endpoint is h as the webhooks take it.
func (h AppHookConfig) endpoint() webhook.Endpoint {
	return webhook.Endpoint{URL: h.URL, Events: h.Events, Channels: h.Channels, Headers: h.Headers, Single: h.Single}
}

// checkWebhooks asks the one who will use them.
func checkWebhooks(key string, hooks []AppHookConfig, faults *ConfigError) {
	if len(hooks) > webhook.MaxEndpoints {
		faults.add(key, "must be at most %d", webhook.MaxEndpoints)
	}
	for i, hook := range hooks {
		for _, fault := range hook.endpoint().Check() {
			faults.add(item(key, i)+"."+fault.Field, "%s", fault.Message)
		}
	}
}
