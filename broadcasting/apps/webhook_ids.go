package apps

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// WebhookIDs returns the ids of the app's webhooks, under which deliveries are kept. An id
// is made of a hash of the URL, because the URL itself may hold a secret; of how many
// webhooks of the app before it have the same URL; and of when the app was made, so that
// what waits for a removed app does not go to another one with its id.
func (a App) WebhookIDs() []string {
	ids, seen := make([]string, len(a.Webhooks)), map[string]int{}
	for i, hook := range a.Webhooks {
		sum := sha256.Sum256([]byte(hook.URL))
		ids[i] = hex.EncodeToString(sum[:16]) + "-" + strconv.Itoa(seen[hook.URL])
		if a.Made != 0 {
			ids[i] += "-" + strconv.FormatInt(a.Made, 10)
		}
		seen[hook.URL]++
	}
	return ids
}
