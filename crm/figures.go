package crm

import (
	"context"
	"maps"
	"sync"
	"time"

	"chatcast/models"
)

// Figures describe the state of the whole database, whichever nodes work on it, for those
// who watch the server.
type Figures struct {
	Lines      []models.LineCount   // with an account, by messenger type and state
	Ratings    []models.RatingCount // of paired lines, by messenger type
	Outbox     Backlog              // items of all lines
	Journal    Backlog              // entries that were not published yet
	Searchable bool                 // all messages are in the index of searches
}

// Backlog is how much waits, and how long the oldest of it has waited.
type Backlog struct {
	Items  int64
	Oldest time.Duration
}

func (s *Service) backlog(w models.Waiting) Backlog {
	if w.N == 0 {
		return Backlog{}
	}
	return Backlog{Items: w.N, Oldest: max(0, s.Now().Sub(time.UnixMilli(w.Oldest)))}
}

// Figures reads the figures now.
func (s *Service) Figures(ctx context.Context) (f Figures, err error) {
	tx := s.Store.Read(ctx)
	counts, err := tx.LineCounts()
	if err != nil {
		return f, err
	}
	f.Lines = s.allStates(counts)
	ratings, err := tx.RatingCounts()
	if err != nil {
		return f, err
	}
	f.Ratings = s.allRatings(ratings)
	outbox, err := tx.OutboxWaiting()
	if err != nil {
		return f, err
	}
	journal, err := tx.JournalWaiting()
	if err != nil {
		return f, err
	}
	unindexed, err := tx.UnindexedMessages()
	f.Outbox, f.Journal, f.Searchable = s.backlog(outbox), s.backlog(journal), unindexed == 0
	return f, err
}

// allStates adds the states that no line is in: a figure that is missing looks like one
// that was never there.
func (s *Service) allStates(counts []models.LineCount) []models.LineCount {
	known := map[[2]string]bool{}
	for _, c := range counts {
		known[[2]string{c.MessengerType, c.State}] = true
	}
	for messenger := range s.Messengers {
		for state := range stateSentences {
			if messenger != "" && !known[[2]string{messenger, state}] {
				counts = append(counts, models.LineCount{MessengerType: messenger, State: state})
			}
		}
	}
	return counts
}

// allRatings adds the ratings that no line has.
func (s *Service) allRatings(counts []models.RatingCount) []models.RatingCount {
	known := map[[2]string]bool{}
	for _, c := range counts {
		known[[2]string{c.MessengerType, c.Rating}] = true
	}
	for messenger := range s.Messengers {
		for _, rating := range []string{RatingOK, RatingCareful, RatingStop} {
			if messenger != "" && !known[[2]string{messenger, rating}] {
				counts = append(counts, models.RatingCount{MessengerType: messenger, Rating: rating})
			}
		}
	}
	return counts
}

// Send is the result of sends of a messenger type: OutSent, OutFailed or OutRetry.
type Send struct{ Messenger, Result string }

// sends counts what became of items of the outboxes on this node since the process started.
type sends struct {
	mu sync.Mutex
	n  map[Send]uint64 // guarded by mu
}

// countSend counts a result when the change commits.
func (s *Service) countSend(c *change, on Line, result string) {
	c.after = append(c.after, func() {
		s.sends.mu.Lock()
		defer s.sends.mu.Unlock()
		if s.sends.n == nil {
			s.sends.n = map[Send]uint64{}
		}
		s.sends.n[Send{on.Messenger, result}]++
	})
}

// Sends returns how many attempts to send had each result on this node, since the process
// started. What waits too long fails without an attempt, and is counted too.
func (s *Service) Sends() map[Send]uint64 {
	counts := map[Send]uint64{}
	for messenger := range s.Messengers {
		for _, result := range []string{OutSent, OutFailed, OutRetry} {
			if messenger != "" {
				counts[Send{messenger, result}] = 0
			}
		}
	}
	s.sends.mu.Lock()
	defer s.sends.mu.Unlock()
	maps.Copy(counts, s.sends.n)
	return counts
}
