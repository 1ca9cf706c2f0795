package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"chatcast/channels"
	"chatcast/models"
)

// MaxEventsWait is the longest time that Events waits.
const MaxEventsWait = time.Minute

// MaxEventsWaits is how many calls of Events of one user may wait at a time. It is
// limited because each call reads the journal whenever it grows.
const MaxEventsWaits = 32

// EventsQuery asks for the events of one channel.
type EventsQuery struct {
	Channel string
	After   int64         // the number of the last event that the caller has; 0: from the oldest stored one
	Limit   int           // 0: DefaultPage
	Wait    time.Duration // how long to wait for an event when there is none; at most MaxEventsWait
	Newest  bool          // the last Limit events, whatever their numbers; without After and Wait

	AccessToken string // of the actor, with Wait: nothing is told after its session has ended
}

// PublishedEvent is one event of the journal.
type PublishedEvent struct {
	ID      int64           `json:"id"` // payload.meta.eventId
	Event   string          `json:"event"`
	Channel string          `json:"channel"`
	Time    int64           `json:"time"` // of the change, unix seconds
	Data    json.RawMessage `json:"data"` // as on a socket: {"payload":...}
}

// EventsPage is the result of Events.
type EventsPage struct {
	Items     []PublishedEvent `json:"items"`
	NextAfter int64            `json:"nextAfter"` // the After of the next query
	LastID    int64            `json:"lastId"`    // the last number assigned in the whole journal

	Skipped []int64 `json:"skipped,omitempty"` // numbers of entries that cannot be read
}

// Events lists the events of a channel after a cursor, in order. Actors who may not
// enter the channel get CodeDenied, whether or not it exists. When there are no
// events, it waits for q.Wait. A cursor is CodeConflict when the journal no longer has
// the events after it, or never reached it: events would be missing silently.
//
// With q.Newest it lists the last events, and NextAfter is the end of the journal.
//
// NextAfter grows even when the channel has no events, so that the cursor does not
// become too old. An entry that cannot be read is left out, and told of in Skipped.
func (s *Service) Events(ctx context.Context, a Actor, q EventsQuery) (*EventsPage, error) {
	page, err := s.events(ctx, a, q)
	var refused *Error
	if err != nil && ctx.Err() != nil && !errors.As(err, &refused) {
		// The database says only that it was canceled. A server that stops says so itself.
		err = context.Cause(ctx)
	}
	return page, err
}

func (s *Service) events(ctx context.Context, a Actor, q EventsQuery) (*EventsPage, error) {
	name, err := q.check()
	if err != nil {
		return nil, err
	}
	var session TokenSession
	if q.Wait > 0 {
		if session, err = s.SessionOfToken(ctx, q.AccessToken); err != nil {
			return nil, err
		}
		if !s.Journal.wait(a.UserID) {
			return nil, &Error{Code: CodeThrottled, Message: "too many calls wait for events already", RetryAfter: 1}
		}
		defer s.Journal.waited(a.UserID)
	}
	timeout := time.NewTimer(q.Wait)
	defer timeout.Stop()
	for waited := false; ; {
		grown := s.Journal.next() // before reading, so that no later event is missed
		page, err := s.eventsNow(ctx, a, name, q)
		if err == nil && waited {
			_, err = s.TokenSession(ctx, session.ID) // the token may have been refreshed, or revoked
		}
		if err != nil {
			return nil, err
		}
		if len(page.Items)+len(page.Skipped) > 0 || q.Wait <= 0 {
			return page, nil
		}
		timedOut, err := s.waitForEvent(ctx, grown, timeout.C, name, q.After)
		if err != nil {
			return nil, err
		}
		if timedOut {
			return page, nil
		}
		waited, q.After = true, page.NextAfter
	}
}

// waitForEvent returns when the channel has an event after the cursor, or when
// the time is up. Each growth of the journal wakes all waiting calls, so it runs
// only one cheap query.
func (s *Service) waitForEvent(ctx context.Context, grown <-chan struct{}, timeout <-chan time.Time, name channels.Name, after int64) (timedOut bool, err error) {
	s.Journal.waiting.Add(1)
	defer s.Journal.waiting.Add(-1)
	for {
		select {
		case <-grown:
		case <-timeout:
			return true, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
		grown = s.Journal.next()
		rows, err := s.Store.Read(ctx).ChannelJournal(models.ChannelView{Channel: name.Full, Without: channels.InternalPrefix}, after, math.MaxInt64, 1)
		if err != nil || len(rows) > 0 {
			return false, err
		}
	}
}

func (q *EventsQuery) check() (channels.Name, error) {
	name, err := channels.Parse(q.Channel)
	if err != nil {
		return name, Invalid("channel", "must be the name of a private channel")
	}
	if name.Kind == channels.Presence {
		return name, Invalid("channel", "must be private-...: events are not sent to presence channels")
	}
	if q.After < 0 {
		return name, Invalid("after", "must not be negative")
	}
	if q.Limit == 0 {
		q.Limit = DefaultPage
	}
	if q.Limit < 1 || q.Limit > MaxPage {
		return name, Invalid("limit", "must be from 1 to %d", MaxPage)
	}
	if q.Wait < 0 || q.Wait > MaxEventsWait {
		return name, Invalid("wait", "must be from 0 to %d seconds", int(MaxEventsWait.Seconds()))
	}
	if q.Newest && (q.After != 0 || q.Wait != 0) {
		return name, Invalid("newest", "cannot be given with after or wait")
	}
	return name, nil
}

// eventsNow is Events without waiting. It checks the permission each time, because
// access may be taken away during a wait.
func (s *Service) eventsNow(ctx context.Context, a Actor, name channels.Name, q EventsQuery) (*EventsPage, error) {
	found, err := s.readChannel(ctx, a, name, func(v models.ChannelView, upTo int64) (*channelHistory, error) {
		if q.Newest {
			return s.Journal.newest(ctx, v, upTo, q.Limit)
		}
		return s.Journal.after(ctx, v, q.After, upTo, q.Limit, math.MaxInt)
	})
	if err != nil {
		return nil, err
	}
	if found.ahead {
		return nil, cursorConflict("the journal ends at %d: this cursor is not of this journal", found.last)
	}
	if found.lost {
		return nil, cursorConflict("the journal starts at %d: the events before it are no longer kept", found.first)
	}
	page := &EventsPage{Items: []PublishedEvent{}, NextAfter: found.last, LastID: found.last}
	for rest := found.rows; len(rest) > 0; {
		items, err := publishedEvents(rest, name)
		page.Items, rest = append(page.Items, items...), rest[len(items):]
		if err != nil {
			s.Journal.leaveOut(ctx, rest[0], err)
			page.Skipped, rest = append(page.Skipped, *rest[0].Seq), rest[1:]
		}
	}
	if found.more {
		page.NextAfter = *found.rows[len(found.rows)-1].Seq
	}
	return page, nil
}

// readChannel reads what the actor may read of a channel now. read must look no further than
// at upTo: when the actor gets to see more meanwhile, what follows may be of that.
func (s *Service) readChannel(ctx context.Context, a Actor, name channels.Name, read func(v models.ChannelView, upTo int64) (*channelHistory, error)) (*channelHistory, error) {
	bounds, err := s.Store.Read(ctx).JournalBounds() // before the view
	if err != nil {
		return nil, err
	}
	view, err := s.viewOf(ctx, a.UserID, name)
	if errors.Is(err, channels.ErrDenied) {
		return nil, denied("no access to this channel")
	}
	if err != nil {
		return nil, err
	}
	view.Without = channels.InternalPrefix // the history of sockets is of all dialects, this is for clients of the CRM
	return read(view, bounds.LastSeq)
}

// publishedEvents converts rows of a channel's journal, up to one that cannot be converted.
// The list is never nil.
func publishedEvents(rows []models.JournalEntry, name channels.Name) ([]PublishedEvent, error) {
	items := make([]PublishedEvent, 0, len(rows))
	for _, row := range rows {
		e, err := broadcastEntry(row)
		if err != nil {
			return items, err
		}
		items = append(items, PublishedEvent{
			ID: e.Seq, Event: e.Name, Channel: name.Full, Time: row.CreatedAtMS / 1000, Data: json.RawMessage(e.Data),
		})
	}
	return items, nil
}

// viewOf returns what a person may read of a channel now, or channels.ErrDenied.
func (s *Service) viewOf(ctx context.Context, userID int64, name channels.Name) (models.ChannelView, error) {
	if err := (channels.Policy{Access: s}).Authorize(ctx, userID, name); err != nil {
		return models.ChannelView{}, err
	}
	return s.channelView(ctx, userID, name)
}

// channelView returns what may be read of a channel now. A person's channel of a company
// has the events of all chats that the person could see when they happened. What is left
// are those of the lines that the person may still read and, for operators who see only
// their own chats, what is not said in a chat that somebody else has now. They still read
// that they lost the chat.
func (s *Service) channelView(ctx context.Context, userID int64, name channels.Name) (models.ChannelView, error) {
	v, room := models.ChannelView{Channel: name.Full}, name.Room()
	if room.Family != channels.CompanyUser && room.Family != channels.CompanyLines {
		return v, nil
	}
	tx := s.Store.Read(ctx)
	if room.Family == channels.CompanyLines {
		v = models.ChannelView{Company: room.CompanyID}
		err := alsoLines(&v, tx, room.CompanyID, userID)
		return v, err
	}
	e, err := tx.EmployeeOf(room.CompanyID, room.UserID)
	if errors.Is(err, models.ErrNotFound) { // since a moment
		return v, channels.ErrDenied
	}
	if err != nil {
		return v, err
	}
	if onlyMine(e.Role, e.OnlyMine) {
		v.SeenBy = e.UserID
	}
	err = alsoLines(&v, tx, room.CompanyID, room.UserID)
	return v, err
}

// alsoLines limits a view to the lines of a company that a user may read.
func alsoLines(v *models.ChannelView, tx *models.Tx, companyID, userID int64) error {
	lines, err := tx.ReadableLines(companyID, userID)
	v.Also = make([]string, len(lines)) // not nil: without lines there is nothing to read
	for i, l := range lines {
		v.Also[i] = channels.LineName(l.LicenseID, l.Type)
	}
	return err
}

func cursorConflict(format string, seq int64) *Error {
	message := fmt.Sprintf(format, seq)
	return &Error{Code: CodeConflict, Message: message, Fields: map[string]string{"after": message}}
}
