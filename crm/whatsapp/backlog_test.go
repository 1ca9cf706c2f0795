package whatsapp

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waHistorySync"
	"google.golang.org/protobuf/proto"

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

// TestAnswerBehindABacklog: a handler that waits for an answer of WhatsApp's gets it,
// though it stands behind more than is read at once.
func TestAnswerBehindABacklog(t *testing.T) {
	w := newWorld(t)
	w.pair(t)
	const many = 1500
	w.shop.Hold()
	w.shop.SendHistory(&waHistorySync.HistorySync{
		SyncType:  waHistorySync.HistorySync_PUSH_NAME.Enum(),
		Pushnames: []*waHistorySync.Pushname{{ID: proto.String("79995550077@s.whatsapp.net"), Pushname: proto.String("Old friend")}},
	}, false) // as a file: where it lies, WhatsApp is asked
	for i := range many {
		w.anna.SendText(w.shop, fmt.Sprintf("text %d", i))
	}
	began := time.Now()
	w.shop.Release(false)
	w.awaitText(t, fmt.Sprintf("text %d", many-1))
	w.awaitTidings(t, "the piece of history", func(told crm.Tidings) bool { return told.History && len(told.Contacts) == 1 })
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}
