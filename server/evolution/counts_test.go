package evolution

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/crm"
)

// Many who ask at once for lines that take long to count let few of them be counted at once, and
// none twice as often as there are turns.
func TestCountsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &countCache{turns: make(chan struct{}, maxAtOnce)}
		var now, most, all atomic.Int64
		one := []crm.Line{{LicenseID: 1}}
		count := func(some []crm.Line) (map[crm.Line]instanceFigures, error) {
			most.Store(max(most.Load(), now.Add(1)))
			all.Add(1)
			time.Sleep(time.Second)
			now.Add(-1)
			return map[crm.Line]instanceFigures{some[0]: {Message: 7}}, nil
		}
		done := make(chan error, 100)
		for range cap(done) {
			go func() {
				got, err := k.of(t.Context(), one, count)
				if err == nil && got[one[0]].Message != 7 {
					err = errors.New("other figures")
				}
				done <- err
			}()
		}
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if most.Load() > maxAtOnce || all.Load() > maxAtOnce {
			t.Errorf("%d counted at once, %d in all", most.Load(), all.Load())
		}
		time.Sleep(countsLife)
		ctx, cancel := context.WithCancel(t.Context())
		for range maxAtOnce {
			k.turns <- struct{}{}
		}
		cancel()
		if _, err := k.of(ctx, one, count); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone waits: %v", err)
		}
	})
}
