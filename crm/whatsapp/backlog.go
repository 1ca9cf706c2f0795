package whatsapp

import (
	"context"
	"strings"
	"sync"
	"time"
)

// backlog is what WhatsApp has delivered over one connection and we have not yet
// acknowledged. whatsmeow keeps 2048 nodes in their order; what comes beyond that,
// because the database is slow or much has waited for us, it hands on in any order.
// It cannot be told to wait, but tells its log of each node before it puts it in
// line, from the goroutine that reads the socket, and of each that it sends. So the
// reader is held up there, and the rest waits with WhatsApp.
type backlog struct {
	ctx context.Context // the connection's

	mu      sync.Mutex
	waiting map[string]bool // guarded by mu: tags and ids
	moved   chan struct{}   // closed and made anew when something was acknowledged; guarded by mu
	asked   string          // guarded by mu: the last question of ours without an answer
}

const (
	// maxBacklog leaves room in whatsmeow's line for what is not acknowledged.
	maxBacklog = 1000
	// backlogPause is how long nothing may be acknowledged before it is believed
	// that something never will be: longer than our patience with the database.
	backlogPause = time.Minute
	// answerPause is the same while WhatsApp's answer to a question of ours may stand
	// behind what is held up, and a handler wait for it.
	answerPause = 5 * time.Second
)

func newBacklog(ctx context.Context) *backlog {
	return &backlog{ctx: ctx, waiting: map[string]bool{}, moved: make(chan struct{})}
}

// came is told a node that arrived, and returns when it may be put in line.
func (b *backlog) came(xml string) {
	tag, id := nodeOf(xml)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch tag {
	case "message", "receipt", "notification", "call":
	default: // an answer that somebody waits for, or how the connection ends
		if tag == "iq" && id == b.asked {
			b.asked = ""
		}
		return
	}
	for len(b.waiting) >= maxBacklog && b.ctx.Err() == nil {
		moved, pause := b.moved, backlogPause
		if b.asked != "" {
			pause = answerPause
		}
		b.mu.Unlock()
		limited, cancel := context.WithTimeout(b.ctx, pause)
		still := false
		select {
		case <-moved:
		case <-limited.Done():
			still = true
		}
		cancel()
		b.mu.Lock()
		if still {
			clear(b.waiting)
		}
	}
	b.waiting[id] = true
}

// went is told a node that we send: an acknowledgement, most often.
func (b *backlog) went(xml string) {
	tag, id := nodeOf(xml)
	b.mu.Lock()
	defer b.mu.Unlock()
	if tag == "iq" && !strings.Contains(xml, `xmlns="w:p"`) { // nobody's work waits for the answer to a ping
		b.asked = id
	}
	if tag != "ack" && tag != "receipt" {
		return
	}
	if b.waiting[id] {
		delete(b.waiting, id)
		close(b.moved)
		b.moved = make(chan struct{})
	}
}

// nodeOf reads tag and id of a node as whatsmeow writes it.
func nodeOf(xml string) (tag, id string) {
	head, _, _ := strings.Cut(xml, ">")
	tag, attrs, _ := strings.Cut(strings.Trim(head, "</"), " ")
	_, id, _ = strings.Cut(" "+attrs, ` id="`)
	id, _, _ = strings.Cut(id, `"`)
	return tag, id
}
