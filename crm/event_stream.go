package crm

import (
	"context"

	"chatcast/models"
)

// streamPageSize is after how many bytes of data a page of a stream ends. A client that
// takes them slowly keeps them in memory meanwhile, on each of its streams.
const streamPageSize = 256 << 10

// FromNow is the cursor of a stream that begins with the next event.
const FromNow = -1

// StreamQuery asks for the next events of a stream.
type StreamQuery struct {
	Channel string
	After   int64 // as in EventsQuery, or FromNow
	Session int64 // of the actor: nothing is told after its end
}

// StreamPage is the result of StreamEvents.
type StreamPage struct {
	Items []PublishedEvent
	Next  int64 // the After of the next query
	More  bool  // there may be more events already

	Lost   bool  // the stream cannot go on from After, and goes on from Next
	Oldest int64 // with Lost: the lowest number that the journal still has, or will have
}

// StreamEvents lists the events of a channel after a cursor, in order, like Events: with
// the same checks at each call, and without what Events would not list. Large events make
// the pages short. A cursor that the
// journal cannot go on from is no error here, because the stream goes on.
//
// A few calls read at a time, the others wait: many streams that wake up together take the
// database from nobody.
func (s *Service) StreamEvents(ctx context.Context, a Actor, q StreamQuery) (*StreamPage, error) {
	asked := EventsQuery{Channel: q.Channel}
	name, err := asked.check()
	if err != nil {
		return nil, err
	}
	select {
	case s.streamReads <- struct{}{}:
		defer func() { <-s.streamReads }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	found, err := s.readChannel(ctx, a, name, func(v models.ChannelView, upTo int64) (*channelHistory, error) {
		if q.After == FromNow {
			return &channelHistory{last: upTo}, nil
		}
		return s.Journal.after(ctx, v, q.After, upTo, MaxPage, streamPageSize)
	})
	if err == nil {
		_, err = s.TokenSession(ctx, q.Session)
	}
	if err != nil {
		return nil, err
	}
	page := &StreamPage{Next: found.last}
	if found.ahead || found.lost {
		page.Lost, page.Oldest = true, found.first
		return page, nil
	}
	page.Items, err = publishedEvents(found.rows, name)
	switch n := len(page.Items); {
	case err != nil:
		bad := found.rows[n]
		s.Journal.leaveOut(ctx, bad, err)
		page.More = true
		if page.Next = *bad.Seq; n == 0 {
			page.Lost, page.Oldest = true, page.Next+1
		} else {
			page.Next = page.Items[n-1].ID
		}
	case found.more:
		page.More, page.Next = true, page.Items[n-1].ID
	}
	return page, nil
}
