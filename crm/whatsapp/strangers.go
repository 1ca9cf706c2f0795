package whatsapp

import (
	"slices"

	"chatcast/crm"
)

// strangersAtOnce is how many first messages are begun in one reading of the outbox, so that
// answers that come meanwhile do not wait for hundreds of them.
const strangersAtOnce = 10

// answersFirst moves the items of chats with strangers behind the others. The order within
// each chat stays.
func answersFirst(items []crm.OutboxItem) []crm.OutboxItem {
	strange := map[string]bool{}
	for _, item := range items {
		strange[item.ChatID] = strange[item.ChatID] || first(item)
	}
	ordered := slices.Clone(items)
	slices.SortStableFunc(ordered, func(a, b crm.OutboxItem) int {
		switch {
		case strange[a.ChatID] == strange[b.ChatID]:
			return 0
		case strange[b.ChatID]:
			return -1
		}
		return 1
	})
	return ordered
}
