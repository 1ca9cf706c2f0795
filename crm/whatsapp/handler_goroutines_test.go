package whatsapp

import (
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
)

// TestCoalescedWork checks that of much work of a kind one runs and the last one waits, that
// other kinds do not wait for it, and that a panic ends neither.
func TestCoalescedWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handlerGoroutines{log: slog.New(slog.DiscardHandler)}
		var ran []int // unguarded: one runs at a time
		release, other := make(chan struct{}), false
		for i := range 150 {
			h.Coalesce("list", func() {
				ran = append(ran, i)
				<-release
			})
		}
		h.Coalesce("another list", func() { other = true })
		synctest.Wait()
		if !slices.Equal(ran, []int{0}) || !other {
			t.Errorf("%v run, and the other kind: %v", ran, other)
		}
		close(release)
		synctest.Wait()
		h.Coalesce("list", func() { panic("a fault") })
		h.Coalesce("list", func() { ran = append(ran, 150) })
		synctest.Wait()
		h.end()
		h.Coalesce("list", func() { ran = append(ran, 151) })
		synctest.Wait()
		if want := []int{0, 149, 150}; !slices.Equal(ran, want) {
			t.Errorf("%v ran and not %v", ran, want)
		}
	})
}
