package crm

import (
	"context"
	"errors"
	"time"

	"chatcast/channels"
	"chatcast/models"
)

// When several processes serve sockets, each has to be told of the end of an access. The one
// that ends it tells the others right after the commit. It may die in between, or not reach
// them all: so the end is stored with the change, and removed when all were told. The others
// look for what was left.
const (
	accessEndAge   = 10 * time.Second // longer than telling takes
	accessEndEvery = 3 * time.Second
	accessEndPage  = 100
)

// endAccess tells the sockets of an end after the commit.
func (c *change) endAccess(e models.AccessEnd) { c.ends = append(c.ends, e) }

// endSockets closes, after the commit, all sockets that the user has now.
func (c *change) endSockets(userID int64) error {
	last, err := c.tx.LastSession(userID)
	c.endAccess(models.AccessEnd{UserID: userID, Kind: models.EndOfSessions, Session: last + 1})
	return err
}

// keepEnds stores the ends, unless this process alone has sockets: they end with it.
func (c *change) keepEnds() error {
	if !c.s.Nodes {
		return nil
	}
	for i := range c.ends {
		if err := c.tx.AddAccessEnd(&c.ends[i]); err != nil {
			return err
		}
	}
	return nil
}

// tellEnds tells the sockets of ends after the commit of their change, and forgets those of
// which all were told.
func (s *Service) tellEnds(ends []models.AccessEnd) {
	var told []int64
	for _, e := range ends {
		var err error
		switch e.Kind {
		case models.EndOfChannels:
			err = s.Live.Unsubscribe(e.UserID, e.Channels...)
		case models.EndOfSession:
			err = s.Live.EndSession(e.UserID, e.Session)
		default:
			err = s.Live.Disconnect(e.UserID)
		}
		if err == nil && e.ID != 0 {
			told = append(told, e.ID)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), accessEndAge)
	defer cancel()
	s.forgetEnds(ctx, told)
}

// forgetEnds removes ends of which all were told.
func (s *Service) forgetEnds(ctx context.Context, ids []int64) {
	if len(ids) == 0 {
		return
	}
	err := s.Store.Tx(ctx, func(tx *models.Tx) error { return tx.RemoveAccessEnds(ids) })
	if err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "ends of accesses of which all were told are still there, and will be told again", "error", err)
	}
}

// RunAccessEnds tells the sockets of the ends of which others have not told all, until ctx
// ends. It returns nil.
func (s *Service) RunAccessEnds(ctx context.Context) error {
	if !s.Nodes {
		return nil
	}
	tick := time.NewTicker(accessEndEvery)
	defer tick.Stop()
	failing := false
	for {
		err := s.repeatEnds(ctx, accessEndAge)
		if err != nil && ctx.Err() == nil && !failing { // once, not each time
			s.Log.ErrorContext(ctx, "ends of accesses that were not told could not be looked for", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// repeatEnds tells the sockets once more of a page of the ends that are kept for that long.
func (s *Service) repeatEnds(ctx context.Context, age time.Duration) error {
	list, err := s.Store.Read(ctx).AccessEndsOf(age.Milliseconds(), accessEndPage)
	var told []int64
	for _, e := range list {
		s.Log.InfoContext(ctx, "an access has ended and not all nodes were told; they are told now", "user", e.UserID, "what", e.Kind)
		if again := s.repeatEnd(ctx, e); again != nil {
			err = errors.Join(err, again)
			continue
		}
		told = append(told, e.ID)
	}
	s.forgetEnds(ctx, told)
	return err
}

// repeatEnd tells of an end that is some time ago: what the user may do again since then goes
// on.
func (s *Service) repeatEnd(ctx context.Context, e models.AccessEnd) error {
	switch e.Kind {
	case models.EndOfChannels:
		var lost []string
		for _, full := range e.Channels {
			name, err := channels.Parse(full)
			if err != nil {
				return err
			}
			err = channels.Policy{Access: s}.Authorize(ctx, e.UserID, name)
			if errors.Is(err, channels.ErrDenied) {
				lost = append(lost, full)
			} else if err != nil {
				return err
			}
		}
		if len(lost) == 0 {
			return nil
		}
		return s.Live.Unsubscribe(e.UserID, lost...)
	case models.EndOfSession:
		return s.Live.EndSession(e.UserID, e.Session)
	}
	return s.Live.EndEarlierSessions(e.UserID, e.Session)
}
