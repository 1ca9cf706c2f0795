package whatsapp

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"chatcast/crm"
)

// lockedBuffer is a log that several write.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// TestMessagesAreNotLogged: a conversation leaves no line in the log as it usually
// is, neither of what was said nor of who said it.
func TestMessagesAreNotLogged(t *testing.T) {
	var log lockedBuffer
	w := newWorld(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	stranger := w.NewContact("79995550011", "", "Zoe") // without a hidden id, of which whatsmeow has a word for each message
	w.pair(t)
	w.anna.SendText(w.shop, "0")
	w.awaitText(t, "0")
	before := len(log.String())
	for i := range 5 {
		w.anna.SendText(w.shop, fmt.Sprintf("a secret %d", i))
		id := stranger.SendText(w.shop, fmt.Sprintf("their secret %d", i))
		w.say(fmt.Sprintf("3EB00%d", i), "our secret")
		if o := w.awaitOutcome(t, i+1); o.Status != crm.OutSent {
			t.Errorf("%+v", o)
		}
		if err := stranger.AwaitDelivered(within(t), id); err != nil {
			t.Fatal(err)
		}
	}
	if said := log.String()[before:]; strings.Contains(said, "secret") || strings.Contains(said, "7999555") {
		t.Errorf("the log says:\n%s", said)
	}
}
