package whatsapp

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"chatcast/crm"
)

const (
	picturesAgain  = 10 * time.Minute // after which a picture is asked for again
	maxPictures    = 5000             // that are remembered
	picturesInCall = 500              // in one call
	picturesWait   = time.Second      // for others to go along
)

// wantedPictures are the chats of lines of other processes that somebody looks at here.
type wantedPictures struct {
	wake chan struct{}

	mu    sync.Mutex
	asked map[wantedPicture]time.Time // guarded by mu
	next  map[crm.Line][]string       // guarded by mu
}

type wantedPicture struct {
	line   crm.Line
	chatID string
}

func newWantedPictures() wantedPictures {
	return wantedPictures{wake: make(chan struct{}, 1), asked: map[wantedPicture]time.Time{}, next: map[crm.Line][]string{}}
}

// add wants a picture, unless it was wanted a short time ago. When there are too many it
// forgets those before.
func (w *wantedPictures) add(l crm.Line, chatID string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := wantedPicture{l, chatID}
	if at, ok := w.asked[key]; ok && now.Sub(at) < picturesAgain {
		return
	}
	if len(w.asked) >= maxPictures {
		clear(w.asked)
		clear(w.next)
	}
	w.asked[key] = now
	w.next[l] = append(w.next[l], chatID)
	notify(w.wake)
}

// take returns the chats of a line that has some.
func (w *wantedPictures) take() (l crm.Line, chatIDs []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for l, chatIDs = range w.next {
		if n := min(len(chatIDs), picturesInCall); n < len(chatIDs) {
			w.next[l] = chatIDs[n:]
			return l, chatIDs[:n]
		}
		delete(w.next, l)
		return l, chatIDs
	}
	return l, nil
}

// handOnPictures asks the processes that serve the lines for the pictures, until ctx ends.
// What cannot be asked for is wanted again when somebody looks later.
func (m *Messenger) handOnPictures(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.wanted.wake:
		}
		if wait(ctx, picturesWait) != nil {
			return
		}
		for l, chatIDs := m.wanted.take(); len(chatIDs) > 0 && ctx.Err() == nil; l, chatIDs = m.wanted.take() {
			if err := m.askPictures(ctx, l, chatIDs); err != nil {
				m.Log.Debug("pictures could not be asked for", "license", l.LicenseID, "error", err)
			}
		}
	}
}

func (m *Messenger) askPictures(ctx context.Context, l crm.Line, chatIDs []string) error {
	node, err := m.servedBy(ctx, l)
	if err != nil {
		return err
	}
	if node == "" { // it has come here, or nobody serves it
		args, err := json.Marshal(chatIDs)
		if err == nil {
			_, err = picturesMethod.serve(ctx, m, l, args)
		}
		return err
	}
	c, err := m.newCall(ctx, node, l, picturesMethod.name, chatIDs)
	if err != nil {
		return err
	}
	c.Caller = ""
	ctx, cancel := context.WithTimeout(ctx, takeWithin)
	defer cancel()
	return m.rules.CallLine(ctx, c, picturesMethod.within(m.times))
}
