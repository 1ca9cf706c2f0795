package whatsapp

import (
	"context"
	"sync"
	"time"
)

const (
	surveys    = 3                // in surveysFor
	surveysFor = 10 * time.Minute // a connection that drops again and again must not ask all the time
)

// surveyTimes are when the last surveys began: the questions about the account, its groups and
// its blocked people with which each connection begins.
type surveyTimes struct {
	mu    sync.Mutex
	began []time.Time // guarded by mu
}

// begin begins a survey, or returns how long it has to wait.
func (t *surveyTimes) begin() (later time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if len(t.began) == surveys {
		if later = surveysFor - now.Sub(t.began[0]); later > 0 {
			return later
		}
		t.began = t.began[1:]
	}
	t.began = append(t.began, now)
	return 0
}

// await waits until a survey may begin, and begins it. It returns ctx's error when ctx ends
// first.
func (t *surveyTimes) await(ctx context.Context) error {
	for {
		later := t.begin()
		if later == 0 {
			return nil
		}
		if err := wait(ctx, later); err != nil {
			return err
		}
	}
}
