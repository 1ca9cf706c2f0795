package socketio

import (
	"container/list"
	"sync"
	"time"
)

// deadlines calls functions after a time, unless they are removed before. The time is the
// same for all, so one timer for the oldest is enough.
type deadlines struct {
	within time.Duration

	mu sync.Mutex
	// guarded by mu
	waiting *list.List // of *deadline, oldest first
	timer   *time.Timer
	begun   bool // the timer runs, or its function does
}

// deadline is a function that will be called.
type deadline struct {
	until time.Time
	over  func()        // must not block
	at    *list.Element // nil: it was removed, or is being called; guarded by deadlines.mu
}

func newDeadlines(within time.Duration) *deadlines {
	return &deadlines{within: within, waiting: list.New()}
}

func (d *deadlines) add(over func()) *deadline {
	one := &deadline{until: time.Now().Add(d.within), over: over}
	d.mu.Lock()
	defer d.mu.Unlock()
	one.at = d.waiting.PushBack(one)
	if !d.begun {
		d.begun = true
		d.begin(d.within)
	}
	return one
}

// begin starts the timer. The caller holds mu.
func (d *deadlines) begin(after time.Duration) {
	if d.timer == nil {
		d.timer = time.AfterFunc(after, d.look)
	} else {
		d.timer.Reset(after)
	}
}

// remove does nothing if one is over already, or nil.
func (d *deadlines) remove(one *deadline) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if one == nil || one.at == nil {
		return
	}
	d.waiting.Remove(one.at)
	one.at = nil
	if d.waiting.Len() == 0 && d.timer.Stop() {
		d.begun = false
	}
}

// look calls what is due, and waits for the next.
func (d *deadlines) look() {
	d.mu.Lock()
	now := time.Now()
	var due []*deadline
	for e := d.waiting.Front(); e != nil; e = d.waiting.Front() {
		one := e.Value.(*deadline)
		if now.Before(one.until) {
			break
		}
		d.waiting.Remove(e)
		one.at = nil
		due = append(due, one)
	}
	if next := d.waiting.Front(); next != nil {
		d.begin(next.Value.(*deadline).until.Sub(now))
	} else {
		d.begun = false
	}
	d.mu.Unlock()
	for _, one := range due {
		one.over()
	}
}
