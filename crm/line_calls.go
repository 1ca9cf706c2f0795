package crm

import (
	"context"
	"errors"
	"time"

	"chatcast/models"
)

// A line's connection is in one process. What needs it is asked there: by a row that the
// process takes, does and answers. The process that got the request has authorised it, and
// records what was done.

// Clustered is a Messenger whose lines may be served by other processes.
type Clustered interface {
	Messenger
	// Elsewhere reports whether another process may serve the line. The rules tell all
	// processes of what there is to do then, with the commit.
	Elsewhere(l Line) bool
}

// LineNews is what a process tells the others about lines.
type LineNews = models.LineNews

// What LineNews tell.
const (
	NewsMissed   = models.NewsMissed
	NewsOutbox   = models.NewsOutbox
	NewsLabels   = models.NewsLabels
	NewsSettings = models.NewsSettings
	NewsNodes    = models.NewsNodes
	NewsCall     = models.NewsCall
	NewsAnswer   = models.NewsAnswer
)

// LineCall is what a process asks the one that serves a line. Request and Answer are JSON.
type LineCall struct {
	ID      string
	Node    string // that serves the line
	Caller  string // that asks; empty: it wants no answer
	Line    Line
	Method  string
	Request string
	Answer  string
	Left    time.Duration // of a call that was taken: until its deadline
}

// How a LineCall ended.
const (
	CallAnswered = "answered"
	CallUnmade   = "unmade"  // it was not begun, and will not be
	CallUnknown  = "unknown" // it was begun, and what became of it is not known
	CallMissing  = "missing" // it was never there, or was swept or deleted with its line
)

// CallLine asks the process c.Node. The error has CodeNotFound when that does not live.
func (s *Service) CallLine(ctx context.Context, c LineCall, within time.Duration) error {
	err := s.Store.Tx(ctx, func(tx *models.Tx) error {
		return tx.AddLineCall(&models.LineCall{
			ID: c.ID, Node: c.Node, Caller: c.Caller, LicenseID: c.Line.LicenseID, MessengerType: c.Line.Messenger, Method: c.Method, Request: c.Request,
		}, within)
	})
	if errors.Is(err, models.ErrReference) {
		return notFound("messenger")
	}
	return orNotFound(err, "process")
}

// LineCallOver reports whether nothing more is to be expected of a call. DropLineCall tells
// how it ended.
func (s *Service) LineCallOver(ctx context.Context, id string) (bool, error) {
	return s.Store.Read(ctx).LineCallOver(id)
}

// DropLineCall ends a call, and tells how it ended. Nobody begins it afterwards.
func (s *Service) DropLineCall(ctx context.Context, id string) (end, answer string, err error) {
	err = s.Store.Tx(ctx, func(tx *models.Tx) error {
		row, err := tx.DropLineCall(id)
		switch {
		case errors.Is(err, models.ErrNotFound):
			end = CallMissing
			return nil
		case err != nil:
			return err
		case row.State == models.CallAnswered:
			end, answer = CallAnswered, row.Answer
		case row.State == models.CallBegun:
			end = CallUnknown
		default:
			end = CallUnmade
		}
		return nil
	})
	return end, answer, err
}

// callsOfLine is how many calls of one line a process makes at once, so that those of a line
// whose messenger does not answer leave room for others.
const callsOfLine = 16

// TakeLineCalls begins at most limit of the calls that wait for a process. A call is taken
// once: whoever takes it must answer it. After an error none was taken: those that were
// begun all the same have an unknown end.
func (s *Service) TakeLineCalls(ctx context.Context, node string, limit int) (calls []LineCall, err error) {
	if wait, err := s.Store.Read(ctx).LineCallsWait(node); err != nil || !wait { // looked at each second
		return nil, err
	}
	err = s.Store.Tx(ctx, func(tx *models.Tx) error {
		rows, now, err := tx.TakeLineCalls(node, limit, callsOfLine)
		calls = nil
		for _, r := range rows {
			calls = append(calls, LineCall{
				ID: r.ID, Node: r.Node, Caller: r.Caller, Line: Line{r.LicenseID, r.MessengerType}, Method: r.Method, Request: r.Request,
				Left: time.Duration(r.DeadlineMS-now) * time.Millisecond,
			})
		}
		return err
	})
	if err != nil { // also of the commit: what it took back is taken again
		return nil, err
	}
	return calls, nil
}

// AnswerLineCall answers a call that was taken.
func (s *Service) AnswerLineCall(ctx context.Context, c LineCall) error {
	return s.Store.Tx(ctx, func(tx *models.Tx) error {
		return tx.AnswerLineCall(&models.LineCall{ID: c.ID, Caller: c.Caller, Answer: c.Answer})
	})
}

// keepCalls is for how long calls stay after their deadlines when their callers have died.
const keepCalls = time.Minute

// SweepLineCalls removes the calls of processes that have died.
func (s *Service) SweepLineCalls(ctx context.Context) error {
	return s.Store.Tx(ctx, func(tx *models.Tx) error { return tx.SweepLineCalls(keepCalls) })
}

// ListenLines calls heard with what processes tell each other about lines, until ctx ends or
// the database is lost; first with NewsMissed. heard must not block.
func (s *Service) ListenLines(ctx context.Context, heard func(LineNews)) error {
	return s.Store.ListenLines(ctx, heard)
}

// wake tells the other processes with the commit that there is something to do for a line,
// if one of them may serve it.
func (c *change) wake(connector Messenger, on Line, what string) error {
	if to, ok := connector.(Clustered); !ok || !to.Elsewhere(on) {
		return nil
	}
	n := LineNews{What: what, LicenseID: on.LicenseID, MessengerType: on.Messenger}
	if c.told[n] {
		return nil
	}
	if c.told == nil {
		c.told = map[LineNews]bool{}
	}
	c.told[n] = true
	return c.tx.NotifyLines(n)
}

// wakeLines tells the other processes about lines with answers and labels to send.
func (c *change) wakeLines() error {
	for what, lines := range map[string]map[Line]bool{NewsOutbox: c.answers, NewsLabels: c.labels} {
		for on := range lines {
			connector, err := c.s.messenger(on.Messenger)
			if err != nil {
				continue // nothing serves it
			}
			if err := c.wake(connector, on, what); err != nil {
				return err
			}
		}
	}
	return nil
}

// Caller is for whom a connector acts, and where the request came from. It goes along when
// another process acts.
type Caller struct {
	UserID int64  `json:"user"`
	AppID  string `json:"app"`
	Client Client `json:"client"`
}

// CallerOf returns the caller in a context in which a connector acts.
func CallerOf(ctx context.Context) Caller {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return Caller{UserID: a.UserID, AppID: a.AppID, Client: clientIn(ctx)}
}

// WithCaller returns a context in which a connector acts for a caller in another process.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return asking(WithClient(ctx, c.Client), Actor{UserID: c.UserID, AppID: c.AppID})
}
