package whatsapp

import (
	"errors"
	"sync"

	"chatcast/crm"
)

// failureCount counts failed attempts to handle each message.
type failureCount struct {
	mu    sync.Mutex
	count map[string]int // guarded by mu
}

func (f *failureCount) more(id string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil || len(f.count) > 1000 {
		f.count = map[string]int{}
	}
	f.count[id]++
	return f.count[id]
}

// refusedByRules reports whether the rules refuse the batch itself, so that a second
// try would fail too.
func refusedByRules(err error) (*crm.Error, bool) {
	var e *crm.Error
	if !errors.As(err, &e) {
		return nil, false
	}
	return e, e.Code == crm.CodeInvalid || e.Code == crm.CodeTooLarge
}
