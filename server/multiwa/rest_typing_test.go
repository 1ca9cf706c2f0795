package multiwa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/crm"
)

// TestTypeFor checks when people are shown what, for durations around that after which they are
// shown it again.
func TestTypeFor(t *testing.T) {
	for _, c := range []struct {
		kind  string
		d     time.Duration
		shown []string
	}{
		{crm.TypingText, 0, []string{"0s text"}},
		{crm.TypingText, time.Millisecond, []string{"0s text", "1ms paused"}},
		{crm.TypingText, 8 * time.Second, []string{"0s text", "8s paused"}},
		{crm.TypingVoice, 20 * time.Second, []string{"0s voice", "8s voice", "16s voice", "20s paused"}},
		{crm.TypingPaused, 20 * time.Second, []string{"0s paused"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			began, shown := time.Now(), []string(nil)
			err := typeFor(t.Context(), c.d, c.kind, func(_ context.Context, kind string) error {
				shown = append(shown, fmt.Sprint(time.Since(began), " ", kind))
				return nil
			})
			if err != nil || !slices.Equal(shown, c.shown) {
				t.Errorf("%s for %v: %q, %v; want %q", c.kind, c.d, shown, err, c.shown)
			}
		})
	}
}

// TestTypeForEnds checks that a client that goes is waited for no longer, and that what is not
// shown at first is not waited for.
func TestTypeForEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began, shown := time.Now(), 0
		err := typeFor(ctx, time.Minute, crm.TypingText, func(context.Context, string) error { shown++; return nil })
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || shown != 1 || took != 5*time.Second {
			t.Errorf("%v after %v, it was shown %d times", err, took, shown)
		}
		lost := crm.Unavailable("no")
		if err := typeFor(t.Context(), time.Minute, crm.TypingText, func(context.Context, string) error { return lost }); !errors.Is(err, lost) || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
