package whatsapp

import (
	"fmt"
	"slices"
	"testing"

	"chatcast/crm"
)

// TestMoreThanTheLibraryHolds: what comes while the line is busy stays in order,
// also when it is more than whatsmeow's queue holds, after which its order is a
// matter of luck.
func TestMoreThanTheLibraryHolds(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	const many = 5000
	busy := make(chan struct{})
	w.onMessage(func() error {
		w.rules.mu.Unlock() // others look
		<-busy
		w.rules.mu.Lock()
		return nil
	})
	want := make([]string, many)
	for i := range want {
		want[i] = fmt.Sprintf("text %d", i)
		w.anna.SendText(w.shop, want[i])
	}
	close(busy)
	var got []string
	err := w.rules.await(within(t), "all of them", func() bool {
		got = nil
		for _, told := range w.rules.tidings {
			for _, m := range told.Messages {
				if m.Type == crm.MessageText {
					got = append(got, m.Message.Text)
				}
			}
		}
		return len(got) >= many
	})
	if err != nil {
		t.Fatal(err, len(got))
	}
	if !slices.Equal(got, want) {
		at := 0
		for at < min(len(got), many) && got[at] == want[at] {
			at++
		}
		t.Errorf("%d messages, not in order from %d on: %q", len(got), at, got[at:min(at+3, len(got))])
	}
}
