package crm

import (
	"context"
	"errors"
	"time"

	"chatcast/channels"
	"chatcast/models"
)

// Times of tickets for streams of events, since they were made.
const (
	// EventTicketTime is how long a ticket can open its first stream.
	EventTicketTime = time.Minute
	// EventTicketLife is how long a stream that was cut can go on with its ticket.
	EventTicketLife = time.Hour
)

// eventTickets is how many tickets a user may make in EventTicketTime.
const eventTickets = 60

var (
	errBadTicket   = &Error{Code: CodeBadToken, Message: "the ticket is wrong, was used, or has expired"}
	errEarlyTicket = &Error{Code: CodeBadToken, Message: "the stream of the ticket began later"}
)

// EventTicket stands for the access token in the URL of one stream of events. It is of no
// use for anything else.
type EventTicket struct {
	Ticket      string `json:"ticket"`
	OpenUntil   int64  `json:"openUntil"`   // when it can no longer open its first stream, unix seconds
	ResumeUntil int64  `json:"resumeUntil"` // when the stream can no longer go on with it after a cut
}

// MakeEventTicket makes a ticket for a stream of the channel's events in the session of an
// access token. Only its hash is stored.
func (s *Service) MakeEventTicket(ctx context.Context, a Actor, accessToken, channel string) (*EventTicket, error) {
	asked := EventsQuery{Channel: channel}
	name, err := asked.check()
	if err != nil {
		return nil, err
	}
	session, err := s.SessionOfToken(ctx, accessToken)
	if err == nil && session.Key { // a program sends its key
		err = ErrForPeople
	}
	if err != nil {
		return nil, err
	}
	if err := (channels.Policy{Access: s}).Authorize(ctx, a.UserID, name); err != nil {
		if errors.Is(err, channels.ErrDenied) {
			return nil, denied("no access to this channel")
		}
		return nil, err
	}
	ticket := randomToken()
	var made time.Time
	err = s.change(ctx, func(c *change) error {
		made = c.now
		if _, err := c.tx.LockUser(a.UserID); err != nil { // so that the limit holds
			return err
		}
		n, oldest, err := c.tx.EventTicketsSince(a.UserID, made.Add(-EventTicketTime).Unix())
		if err != nil {
			return err
		}
		if n >= eventTickets {
			wait := time.Unix(oldest, 0).Add(EventTicketTime).Sub(made)
			return &Error{Code: CodeThrottled, Message: "too many tickets were made in the last minute", RetryAfter: seconds(wait)}
		}
		return c.tx.CreateEventTicket(&models.EventTicket{
			Hash: hashToken(ticket), TokenID: session.ID, UserID: a.UserID, Channel: name.Full, CreatedAt: made.Unix(),
		})
	})
	if errors.Is(err, models.ErrReference) { // the session is gone since a moment
		err = errBadToken
	}
	if err != nil {
		return nil, err
	}
	return &EventTicket{
		Ticket: ticket, OpenUntil: made.Add(EventTicketTime).Unix(), ResumeUntil: made.Add(EventTicketLife).Unix(),
	}, nil
}

// TicketUse is what a stream asks for with a ticket.
type TicketUse struct {
	Channel string
	After   int64 // as in StreamQuery
	Resume  bool  // it goes on after a cut
}

// UseEventTicket returns the session of a ticket for a stream, and after which number the
// stream begins. A ticket opens one stream. After that it is good only to resume, which
// browsers do by themselves after a cut: with the number of the last event that they have.
// What happened before the first stream is not for who finds the ticket in a log.
//
// A ticket ends with its session. While the session's access token has expired and was not
// refreshed, it opens nothing.
func (s *Service) UseEventTicket(ctx context.Context, ticket string, use TicketUse) (session TokenSession, after int64, err error) {
	hash, now := hashToken(ticket), s.Now()
	t, err := s.Store.Read(ctx).EventTicket(hash)
	if errors.Is(err, models.ErrNotFound) || err == nil && t.Channel != use.Channel {
		return session, 0, errBadTicket
	}
	if err != nil {
		return session, 0, err
	}
	session, err = s.TokenSession(ctx, t.TokenID)
	if err == nil && !session.Until.After(now) {
		err = errBadToken
	}
	if err != nil {
		return TokenSession{}, 0, err
	}
	age := now.Sub(time.Unix(t.CreatedAt, 0))
	switch {
	case t.OpenedAt == 0 && age < EventTicketTime:
		after, err = s.openTicket(ctx, hash, use.After)
	case t.OpenedAt == 0 || !use.Resume || age >= EventTicketLife:
		err = errBadTicket
	case use.After < t.OpenedSeq:
		err = errEarlyTicket
	default:
		after = use.After
	}
	if err != nil {
		return TokenSession{}, 0, err
	}
	return session, after, nil
}

// openTicket opens the first stream of a ticket, and returns after which number it begins.
func (s *Service) openTicket(ctx context.Context, hash string, after int64) (int64, error) {
	err := s.Store.Tx(ctx, func(tx *models.Tx) error {
		bounds, err := tx.JournalBounds()
		if err != nil {
			return err
		}
		if after == FromNow {
			after = bounds.LastSeq
		}
		// From a number that was never reached, the stream goes on from the last one.
		first, err := tx.OpenEventTicket(hash, s.Now().Unix(), min(after, bounds.LastSeq))
		if err == nil && !first { // another request was quicker
			err = errBadTicket
		}
		return err
	})
	return after, err
}
