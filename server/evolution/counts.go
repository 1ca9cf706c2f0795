package evolution

import (
	"context"
	"sync"
	"time"

	"chatcast/crm"
)

// countsLife is how long figures of lines are shown again: counting takes time that grows with
// what is counted.
const (
	countsLife = 5 * time.Minute
	maxCounts  = 10_000
)

// countCache holds what was counted of lines.
type countCache struct {
	mu   sync.Mutex
	held map[crm.Line]countedLine // guarded by mu
}

type countedLine struct {
	figures instanceFigures
	until   time.Time
}

// of returns the figures of a line that the caller may read.
func (k *countCache) of(ctx context.Context, rules *crm.Service, on crm.Line) (instanceFigures, error) {
	now := time.Now()
	k.mu.Lock()
	held, has := k.held[on]
	k.mu.Unlock()
	if has && now.Before(held.until) {
		return held.figures, nil
	}
	n, err := rules.CountLine(ctx, on)
	if err != nil {
		return instanceFigures{}, err
	}
	figures := instanceFigures{Message: n.Messages, Contact: n.Contacts, Chat: n.Chats}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held == nil || len(k.held) >= maxCounts {
		k.held = map[crm.Line]countedLine{}
	}
	k.held[on] = countedLine{figures, now.Add(countsLife)}
	return figures, nil
}
