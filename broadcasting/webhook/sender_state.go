package webhook

import (
	"crypto/rand"
	"strings"
	"time"
)

// current returns the state.
func (s *sender) current() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.named()
}

// named returns the state with the names of the endpoint.
func (s *sender) named() State {
	st, to := s.state, s.to.Load()
	st.App, st.Endpoint = to.app.ID, to.id
	return st
}

// name returns the state in one word.
func (st State) name() string {
	switch {
	case !st.Suspended.IsZero():
		return StateSuspended
	case st.Failures > 0:
		return StateFailing
	}
	return StateActive
}

// succeeded notes an attempt that succeeded. It returns the state before, and the one
// after if that is another one.
func (s *sender) succeeded() (before State, after *State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before = s.state
	if s.state = (State{Generation: before.Generation}); s.state == before {
		return before, nil
	}
	now := s.named()
	return before, &now
}

// failedSince notes an attempt that failed, and suspends the endpoint if that has been so
// for too long. An endpoint that had nothing to take meanwhile is not suspended by its first
// failure: the first delivery must have been tried for a while. It returns the state after it.
func (s *sender) failedSince(began, now time.Time) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Failures == 0 {
		s.state.Since = began
	}
	s.state.Failures++
	tried := len(s.queue) > 0 && now.Sub(s.queue[0].since) >= min(giveUpAfter, s.suspendAfter)
	if s.suspendAfter > 0 && now.Sub(s.state.Since) >= s.suspendAfter && tried {
		s.state.Suspended = now
	}
	return s.named()
}

// restore takes the state that the store has, if it is not known yet or a person has
// resumed the endpoint since.
func (s *sender) restore(st State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.unknown && st.Generation <= s.state.Generation {
		return
	}
	resumed := !s.unknown
	st.App, st.Endpoint = "", ""
	s.unknown, s.state = false, st
	if resumed {
		select {
		case s.kick <- struct{}{}:
		default:
		}
	}
}

// asks reports whether the state in the store may be another one.
func (s *sender) asks() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unknown || s.state.Failures > 0
}

// givenUp returns what people are shown of deliveries that are given up, as few batches as
// the bounds of a POST allow, of which the newest are kept. last is the last failed attempt.
func givenUp(to *endpoint, gone []waiting, last *Attempt, now time.Time) (list []Attempt) {
	var texts []string
	size, count := 0, 0
	cut := func() {
		if len(texts) > 0 {
			events := strings.Join(texts, ",")
			list = append(list, Attempt{
				App: to.app.ID, Endpoint: to.id, Kind: KindGivenUp, Batch: rand.Text(), Events: events, Count: count,
				Began: now, Reason: last.Reason, Error: last.Error,
			})
		}
		texts, size, count = nil, 0, 0
	}
	for _, w := range gone {
		if to.Single || count+w.Count > postEvents || size+len(w.Events) > postBytes {
			cut()
		}
		texts = append(texts, w.Events)
		size, count = size+len(w.Events)+1, count+w.Count
	}
	cut()
	return newest(list)
}
