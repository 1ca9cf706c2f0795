package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"math"
	"strconv"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/channels/refusals"
	"chatcast/crm"
	"chatcast/server"
)

// streamEvents answers with the events of a channel as they come, for EventSource. Whatever
// may be refused is refused before the stream begins.
func (a *API) streamEvents(c *gin.Context) {
	noStore(c)
	if !server.ReadNothing(c.Writer, c.Request) {
		c.Abort()
		return
	}
	s, ok := a.authenticateStream(c)
	if !ok {
		return
	}
	ctx, done := server.Wait(c.Request.Context())
	defer done()
	s.ctx, s.end = context.WithCancelCause(ctx)
	defer s.end(nil)
	page, err := a.openStream(c, s)
	defer s.close()
	stopping := s.stopping()
	if err != nil && !stopping {
		a.fail(c, s.refusal(c, err))
		return
	}
	s.out = server.NewStream(c.Writer, c.Request, a.Streams.WriteTimeout)
	defer s.out.Release()
	s.out.Head("text/event-stream")
	var ended StreamEnd
	if stopping { // an error would tell a browser to stay away
		ended = s.goodbye()
	} else {
		ended = s.run(page)
	}
	if s.failed != nil {
		a.Log.ErrorContext(ctx, "a stream of events could not read the journal", "user", s.who.UserID, "error", s.failed)
	}
	a.Streams.count(func(stats *EventStreamStats) { stats.Ended[ended]++ })
	c.Abort()
}

// refusal returns the error to answer with when a stream could not be opened.
func (s *eventStream) refusal(c *gin.Context, err error) error {
	lost := errors.Is(err, broadcasting.ErrRevoked) || errors.Is(err, broadcasting.ErrNotGranted) || errors.Is(err, broadcasting.ErrClosed)
	if lost || s.ctx.Err() != nil && c.Request.Context().Err() == nil {
		return &crm.Error{Code: crm.CodeDenied, Message: "the access has ended"}
	}
	return err
}

// authenticateStream returns the stream of an access token, or of a ticket. It answers the
// request if there is none. The access token itself is never taken from the query, because
// URLs end up in logs.
func (a *API) authenticateStream(c *gin.Context) (s *eventStream, ok bool) {
	s = &eventStream{
		of: a.Streams, rules: a.CRM, ticket: c.Query("ticket"), resume: c.GetHeader("Last-Event-ID") != "", wake: make(chan struct{}, 1),
	}
	after, invalid := streamPosition(c)
	s.after = after
	if s.ticket == "" {
		var err error
		if s.who, err = a.CRM.SessionOfToken(c.Request.Context(), server.AccessToken(c.Request)); err != nil {
			a.refuseToken(c, err)
			return s, false
		}
	}
	if invalid != nil {
		a.fail(c, invalid)
		return s, false
	}
	return s, s.ticket == "" || a.useTicket(c, s)
}

// useTicket sets the session of a stream with a ticket, and where it begins. It answers the
// request if the ticket is not accepted.
func (a *API) useTicket(c *gin.Context, s *eventStream) (ok bool) {
	var err error
	use := crm.TicketUse{Channel: c.Query("channel"), After: s.after, Resume: s.resume}
	if s.who, s.after, err = a.CRM.UseEventTicket(c.Request.Context(), s.ticket, use); err != nil {
		var e *crm.Error
		if errors.As(err, &e) {
			reason := map[crm.Code]refusals.Reason{crm.CodeBadToken: refusals.BadToken, crm.CodeDenied: refusals.MustEnrol}[e.Code]
			a.Refusals.Add(c.Request.Context(), refusals.EventTicket, reason, "address", server.ClientAddress(c))
		}
		a.fail(c, err)
	}
	return err == nil
}

// openStream checks what the stream asks for and registers it with the engine, and then
// reads: an access that ends before the registration is seen by the read, and one that ends
// later ends the stream.
func (a *API) openStream(c *gin.Context, s *eventStream) (*crm.StreamPage, error) {
	s.name.Full = c.Query("channel")
	from := s.after
	s.after = crm.FromNow
	if _, err := s.read(); err != nil { // may the user have it?
		return nil, err
	}
	name, err := channels.Parse(s.name.Full)
	if err != nil {
		return nil, err
	}
	s.name = name
	if err := a.Streams.enter(s); err != nil {
		return nil, err
	}
	s.entered = true
	if err := s.register(); err != nil {
		return nil, err
	}
	s.after = from
	return s.read()
}

// streamPosition returns where a stream begins: after the last event that a client had who
// comes back, or after the number in the URL, or now.
func streamPosition(c *gin.Context) (int64, error) {
	after, err := queryInt(c, "after")
	if err == nil && after < 0 {
		err = crm.Invalid("after", "must not be negative")
	}
	if err != nil {
		return 0, err
	}
	if last := c.GetHeader("Last-Event-ID"); last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < 0 {
			n = math.MaxInt64 // an id of something else: events are missing
		}
		return n, nil
	}
	if _, given := c.GetQuery("after"); given {
		return after, nil
	}
	return crm.FromNow, nil
}

// register makes the stream a subscriber of its channel, for its user and session.
func (s *eventStream) register() (err error) {
	peer := broadcasting.Peer{
		App: s.of.App, ID: "stream." + rand.Text(), Dialect: wakeUp{}, Out: s, CountsEnabled: s.of.CountsEnabled,
		Disconnect: func(broadcasting.DisconnectCause) { s.end(errAccessEnded) },
	}
	if s.conn, err = s.of.Engine.Connect(peer); err != nil {
		return err
	}
	if err := s.grant(peer.ID, s.who); err != nil {
		return err
	}
	now, err := s.rules.TokenSession(s.ctx, s.who.ID) // it may have ended, or been refreshed meanwhile
	if err == nil && now.Until.After(s.who.Until) {
		err = s.grant(peer.ID, now)
	}
	if err != nil {
		return err
	}
	return s.conn.Subscribe(s.ctx, broadcasting.SubscribeRequest{
		Name: s.name, NeedsGrant: true, MaxChannels: 1, SubscriptionCount: s.of.CountsEnabled(),
	})
}

func (s *eventStream) grant(id string, who crm.TokenSession) error {
	owner := broadcasting.Owner{UserID: strconv.FormatInt(who.UserID, 10), Session: who.ID, Until: who.Until}
	found, err := s.of.Engine.Grant(s.ctx, s.of.App, id, owner, s.name.Full, "")
	if err == nil && !found {
		err = cmp.Or(context.Cause(s.ctx), broadcasting.ErrClosed)
	}
	return err
}

// close takes the stream out of the engine and the list.
func (s *eventStream) close() {
	if s.conn != nil {
		s.conn.Close()
	}
	if s.entered {
		s.of.leave(s)
	}
}

// read reads the next events.
func (s *eventStream) read() (*crm.StreamPage, error) {
	return s.rules.StreamEvents(s.ctx, crm.Actor{UserID: s.who.UserID}, crm.StreamQuery{Channel: s.name.Full, After: s.after, Session: s.who.ID})
}
