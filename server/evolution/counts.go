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
	maxAtOnce  = 2 // queries that count: the database has others to serve
)

// countCache holds what was counted of lines.
type countCache struct {
	turns chan struct{} // holds one for each query that counts

	mu   sync.Mutex
	held map[crm.Line]countedLine // guarded by mu
}

type countedLine struct {
	figures instanceFigures
	until   time.Time
}

// of returns the figures of lines. Those that were not counted lately are counted together. Of many
// who ask at once, most wait for the others.
func (k *countCache) of(ctx context.Context, lines []crm.Line, count func(some []crm.Line) (map[crm.Line]instanceFigures, error)) (map[crm.Line]instanceFigures, error) {
	figures, rest := k.counted(lines)
	if len(rest) == 0 {
		return figures, nil
	}
	select {
	case k.turns <- struct{}{}:
		defer func() { <-k.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if figures, rest = k.counted(lines); len(rest) == 0 {
		return figures, nil
	}
	counted, err := count(rest)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held == nil || len(k.held)+len(counted) > maxCounts {
		k.held = map[crm.Line]countedLine{}
	}
	until := time.Now().Add(countsLife)
	for line, f := range counted {
		figures[line] = f
		if len(k.held) < maxCounts {
			k.held[line] = countedLine{f, until}
		}
	}
	return figures, nil
}

// counted returns figures that are not too old, and the lines that have none.
func (k *countCache) counted(lines []crm.Line) (figures map[crm.Line]instanceFigures, rest []crm.Line) {
	k.mu.Lock()
	defer k.mu.Unlock()
	figures = make(map[crm.Line]instanceFigures, len(lines))
	for _, line := range lines {
		if held, has := k.held[line]; has && time.Now().Before(held.until) {
			figures[line] = held.figures
		} else {
			rest = append(rest, line)
		}
	}
	return figures, rest
}
