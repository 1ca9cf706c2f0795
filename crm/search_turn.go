package crm

import (
	"context"
	"time"
)

// DefaultSearchTime is how long a search in messages may take.
const DefaultSearchTime = 10 * time.Second

// searching runs f when it is a search's turn, and ends it when it takes too long. A word
// that is in all messages of a large company keeps a connection busy for seconds, and half
// of the connections must be left to everybody else.
func (s *Service) searching(ctx context.Context, f func(ctx context.Context) error) error {
	turn := time.NewTimer(s.SearchTime / 2)
	defer turn.Stop()
	select {
	case s.searches <- struct{}{}:
		defer func() { <-s.searches }()
	case <-ctx.Done():
		return ctx.Err()
	case <-turn.C:
		return Unavailable("too many searches run at once; try again later")
	}
	end := time.Now().Add(s.SearchTime)
	bounded, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	err := f(bounded)
	if err != nil && !time.Now().Before(end) && ctx.Err() == nil { // the context may notice a little later
		return Unavailable("the search takes too long; search for a rarer word, or in one chat")
	}
	return err
}
