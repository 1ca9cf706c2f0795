package whatsapp

import (
	"context"
	"slices"
	"time"

	"chatcast/crm"
)

// strangersAtOnce is how many first messages are begun in one reading of the outbox, so that
// answers that come meanwhile do not wait for hundreds of them.
const strangersAtOnce = 10

// full reports whether no more first messages are begun in this reading.
func (g *firstGate) full() bool { return g.begun >= strangersAtOnce }

// page reads the next page of the outbox. Without first messages when none passes any more
// in this reading: thousands may be due.
func (g *firstGate) page(ctx context.Context, at time.Time, after int64) ([]crm.OutboxItem, error) {
	if g.full() || !g.closed.until.IsZero() {
		return g.s.m.rules.OutboxAnswers(ctx, g.s.on, at, after, sendPage)
	}
	return g.s.m.rules.Outbox(ctx, g.s.on, at, after, sendPage)
}

// rest is how long it is until the next reading: the first messages that were left out go on
// then.
func (g *firstGate) rest() time.Duration {
	if g.full() {
		return minWait
	}
	return sendCheck
}

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
