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

var errBadTicket = &Error{Code: CodeBadToken, Message: "the ticket is wrong, was used, or has expired"}

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

// UseEventTicket returns the session of a ticket for a stream of the channel. A ticket opens
// one stream. After that it is good only to resume, which browsers do by themselves after a
// cut: with the number of the last event that they have.
//
// A ticket ends with its session. While the session's access token has expired and was not
// refreshed, it opens nothing.
func (s *Service) UseEventTicket(ctx context.Context, ticket, channel string, resume bool) (TokenSession, error) {
	hash, now := hashToken(ticket), s.Now()
	t, err := s.Store.Read(ctx).EventTicket(hash)
	if errors.Is(err, models.ErrNotFound) || err == nil && t.Channel != channel {
		return TokenSession{}, errBadTicket
	}
	if err != nil {
		return TokenSession{}, err
	}
	session, err := s.TokenSession(ctx, t.TokenID)
	if err == nil && !session.Until.After(now) {
		err = errBadToken
	}
	if err != nil {
		return TokenSession{}, err
	}
	age := now.Sub(time.Unix(t.CreatedAt, 0))
	if t.OpenedAt != 0 {
		if !resume || age >= EventTicketLife {
			return TokenSession{}, errBadTicket
		}
		return session, nil
	}
	if age >= EventTicketTime {
		return TokenSession{}, errBadTicket
	}
	var first bool
	err = s.Store.Tx(ctx, func(tx *models.Tx) (err error) {
		first, err = tx.OpenEventTicket(hash, now.Unix())
		return err
	})
	if err == nil && !first { // another request was quicker
		err = errBadTicket
	}
	return session, err
}
