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
	maxAtOnce  = 2 // lines that are counted: the database has others to serve
)

// countCache holds what was counted of lines.
type countCache struct {
	turns chan struct{} // holds one for each line that is being counted

	mu   sync.Mutex
	held map[crm.Line]countedLine // guarded by mu
}

type countedLine struct {
	figures instanceFigures
	until   time.Time
}

// of returns the figures of a line. Of many who ask at once for one that was not counted lately,
// most wait for the others.
func (k *countCache) of(ctx context.Context, on crm.Line, count func() (instanceFigures, error)) (instanceFigures, error) {
	if figures, has := k.counted(on); has {
		return figures, nil
	}
	select {
	case k.turns <- struct{}{}:
		defer func() { <-k.turns }()
	case <-ctx.Done():
		return instanceFigures{}, ctx.Err()
	}
	if figures, has := k.counted(on); has {
		return figures, nil
	}
	figures, err := count()
	if err != nil {
		return figures, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held == nil || len(k.held) >= maxCounts {
		k.held = map[crm.Line]countedLine{}
	}
	k.held[on] = countedLine{figures, time.Now().Add(countsLife)}
	return figures, nil
}

// counted returns figures that are not too old.
func (k *countCache) counted(on crm.Line) (instanceFigures, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	held, has := k.held[on]
	return held.figures, has && time.Now().Before(held.until)
}
