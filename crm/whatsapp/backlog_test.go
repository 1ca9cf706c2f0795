package whatsapp

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"

	"chatcast/channels/testwait"
	"chatcast/crm"
)

// TestMoreThanTheLibraryHolds checks that messages that arrive while the line is busy
// stay in order, even when there are more than whatsmeow's queue holds. Without the
// backlog their order would be random.
func TestMoreThanTheLibraryHolds(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	const many = 2048 + 600 // 600 more than it holds
	busy := make(chan struct{})
	w.onMessage(func() error {
		w.rules.mu.Unlock() // let other goroutines read the rules
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
	seen := 0
	ctx, cancel := context.WithTimeout(t.Context(), 5*testwait.Long)
	defer cancel()
	err := w.rules.await(ctx, "all of them", func() bool {
		for ; seen < len(w.rules.batches); seen++ {
			for _, m := range w.rules.batches[seen].Messages {
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

// TestBacklogWaits checks how long the backlog blocks the reader, depending on what was
// sent meanwhile.
func TestBacklogWaits(t *testing.T) {
	for name, c := range map[string]struct {
		sent waBinary.Node // while the reader is blocked
		want time.Duration
	}{
		"nothing is acknowledged":    {waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"id": "9", "xmlns": "w:p"}}, backlogPause},
		"an answer may stand behind": {waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"id": "9", "xmlns": "w:m"}}, answerPause},
		"acknowledged":               {waBinary.Node{Tag: "ack", Attrs: waBinary.Attrs{"id": "7", "class": "message"}}, 0},
		"received":                   {waBinary.Node{Tag: "receipt", Attrs: waBinary.Attrs{"id": "7"}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBacklog(t.Context(), nil)
				for i := range maxBacklog {
					b.came(&waBinary.Node{Tag: "message", Attrs: waBinary.Attrs{"id": fmt.Sprint(i)}})
				}
				began := time.Now()
				go func() { b.went(&c.sent) }()
				synctest.Wait()
				b.came(&waBinary.Node{Tag: "message", Attrs: waBinary.Attrs{"id": "more"}})
				if took := time.Since(began); took != c.want {
					t.Errorf("it waited %v, want %v", took, c.want)
				}
				b.came(&waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"id": "9", "type": "result"}})
				if b.asked != "" {
					t.Error("the answer is waited for still")
				}
			})
		})
	}
}
