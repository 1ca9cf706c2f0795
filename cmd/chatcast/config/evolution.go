package config

import (
	"time"

	"chatcast/channels/clientaddr"
	"chatcast/crm"
)

// maxWebhookBase64 bounds the files in bodies of webhooks, which are in memory.
const maxWebhookBase64 = 64 << 20

func checkEvolution(e EvolutionConfig, violations *ConfigError) {
	if !crm.ValidShape(e.Shape) {
		violations.add("evolution.shape", "must be v2, v1 or l2msg")
	}
	limit{"webhook_base64_max", e.WebhookBase64Max, 0, maxWebhookBase64}.check("evolution.", violations)
	timeLimit{"webhook_block_max", e.WebhookBlockMax, time.Second, 24 * time.Hour}.check("evolution.", violations)
	for i, network := range e.Keyless {
		if _, err := clientaddr.ParseProxies([]string{network}); err != nil {
			violations.add(item("evolution.keyless", i), "%v", err)
		}
	}
}
