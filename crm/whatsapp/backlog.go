package whatsapp

import (
	"context"
	"sync"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
)

// backlog holds the nodes that WhatsApp has delivered over one connection and we have
// not yet acknowledged. whatsmeow queues 2048 nodes in order. When more arrive, because
// the database is slow or many nodes waited for us, it delivers them in any order. It
// has no way to wait, but it logs each node before it queues it, from the goroutine
// that reads the socket, and each node that it sends. So backlog blocks the reader in
// the log call, and the remaining nodes wait at WhatsApp.
//
// It also reports the nodes after which the line must not connect again. whatsmeow handles
// them when it has queued them, but the cut of the socket may overtake a node on its way
// into the queue, and then the node is dropped.
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
func (b *backlog) came(n *waBinary.Node) {
	id := idOf(n)
	if n.Tag == "stream:error" {
		if end, ok := finalEnding(n); ok {
			b.end(end)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch n.Tag {
	case "message", "status", "receipt", "notification", "call":
	default: // an answer that a caller waits for, or the end of the connection
		if n.Tag == "iq" && id == b.asked {
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
func (b *backlog) went(n *waBinary.Node) {
	id := idOf(n)
	b.mu.Lock()
	defer b.mu.Unlock()
	if n.Tag == "iq" && n.Attrs["xmlns"] != "w:p" { // nothing waits for the answer to a ping
		b.asked = id
	}
	if n.Tag != "ack" && n.Tag != "receipt" {
		return
	}
	if b.waiting[id] {
		delete(b.waiting, id)
		close(b.moved)
		b.moved = make(chan struct{})
	}
}

func idOf(n *waBinary.Node) string {
	id, _ := n.Attrs["id"].(string)
	return id
}
