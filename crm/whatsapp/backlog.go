package whatsapp

import (
	"context"
	"strings"
	"sync"
	"time"
)

// backlog holds the nodes that WhatsApp has delivered over one connection and we have
// not yet acknowledged. whatsmeow queues 2048 nodes in order. When more arrive, because
// the database is slow or many nodes waited for us, it delivers them in any order. It
// has no way to wait, but it logs each node before it queues it, from the goroutine
// that reads the socket, and each node that it sends. So backlog blocks the reader in
// the log call, and the remaining nodes wait at WhatsApp.
//
// It also reports the nodes after which the line must not connect again. whatsmeow queues
// them behind everything that arrived before, and the cut of the socket overtakes them.
type backlog struct {
	ctx context.Context // the connection's
	end func(ending)

	mu      sync.Mutex
	waiting map[string]bool // guarded by mu: tags and ids
	moved   chan struct{}   // closed and replaced when a node is acknowledged; guarded by mu
	asked   string          // guarded by mu: the id of our last unanswered query
}

const (
	// maxBacklog leaves room in whatsmeow's queue for nodes that get no acknowledgement.
	maxBacklog = 1000
	// backlogPause is the time without an acknowledgement after which some nodes are
	// assumed never to get one. It is longer than our patience with the database.
	backlogPause = time.Minute
	// answerPause replaces backlogPause while a query of ours is unanswered: the answer
	// may be behind the blocked nodes, and a handler may be waiting for it.
	answerPause = 5 * time.Second
)

func newBacklog(ctx context.Context, end func(ending)) *backlog {
	return &backlog{ctx: ctx, end: end, waiting: map[string]bool{}, moved: make(chan struct{})}
}

// came records a node that arrived. It blocks until the node may be queued.
func (b *backlog) came(xml string) {
	tag, id := nodeOf(xml)
	if tag == "stream:error" {
		if end, ok := finalEnding(xml); ok {
			b.end(end)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch tag {
	case "message", "receipt", "notification", "call":
	default: // an answer that a caller waits for, or the end of the connection
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

// went records a node that we send, which is usually an acknowledgement.
func (b *backlog) went(xml string) {
	tag, id := nodeOf(xml)
	b.mu.Lock()
	defer b.mu.Unlock()
	if tag == "iq" && !strings.Contains(xml, `xmlns="w:p"`) { // nothing waits for the answer to a ping
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

// nodeOf returns the tag and the id of a node in whatsmeow's text form.
func nodeOf(xml string) (tag, id string) {
	head, _, _ := strings.Cut(xml, ">")
	tag, attrs, _ := strings.Cut(strings.Trim(head, "</"), " ")
	_, id, _ = strings.Cut(" "+attrs, ` id="`)
	id, _, _ = strings.Cut(id, `"`)
	return tag, id
}
