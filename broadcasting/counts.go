package broadcasting

import (
	"sync"
	"time"

	"chatcast/channels"
)

// A channel is told the number of its subscribers at each change. A channel with more
// than countCrowd subscribers is told once in a countRound: a growing crowd would hear
// of nothing else.
const (
	countCrowd = 100
	countRound = 5 * time.Second
)

// counts holds the crowded channels whose number has changed since the last round.
type counts struct {
	mu    sync.Mutex
	stale []*channel // each once, see channel.stale; guarded by mu
}

// counted notes that the number of ch's subscribers has changed, on this node (here) or
// on another; needs ch.mu. Presence channels report their members instead, and a user's
// own channel has nobody to tell.
func (e *Engine) counted(ch *channel, here bool) {
	if !ch.counting || ch.kind == channels.Presence || ch.kind == channels.User {
		return
	}
	ch.changedHere = ch.changedHere || here
	if e.subscriptions(ch) <= countCrowd {
		e.tellCount(ch)
		return
	}
	if !ch.stale {
		ch.stale = true
		e.counts.mu.Lock()
		e.counts.stale = append(e.counts.stale, ch)
		e.counts.mu.Unlock()
	}
}

// tellCount needs ch.mu.
func (e *Engine) tellCount(ch *channel) {
	n := e.subscriptions(ch)
	ch.fanOut(nil, func(d Dialect) []byte { return d.SubscriptionCount(ch.key.name, n) })
	if ch.changedHere { // else the other node records it
		e.record(ch, ChannelEvent{Kind: Counted, Count: n})
	}
	ch.changedHere = false
}

// countRound tells the crowded channels their numbers.
func (e *Engine) countRound() {
	e.counts.mu.Lock()
	list := e.counts.stale
	e.counts.stale = nil
	e.counts.mu.Unlock()
	for _, ch := range list {
		ch.mu.Lock()
		// A channel that is no longer crowded was told of later changes at once.
		if ch.stale = false; e.subscriptions(ch) > countCrowd {
			e.tellCount(ch)
		}
		ch.mu.Unlock()
	}
}
