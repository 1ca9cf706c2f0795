package crm

import (
	"context"
	"net/http"
	"time"
)

// CallbackFormat says what an event is in the words of a dialect, and how endpoints of that dialect are
// tried again.
type CallbackFormat interface {
	// Requests returns what is posted for an event, in this order; none: the endpoint does not
	// want it. ctx is that of one attempt, and now its time. Later attempts at the same event
	// return the same requests, unless something was changed meanwhile: how many of them are done
	// with is kept as a number, which counts as long as their names and Settings are the same. Of
	// an error only its text is kept, so it must hold no secret. An event whose ID is 0 is not in
	// the journal: see CallbackPoster and CallbackTest.
	Requests(ctx context.Context, to CallbackTarget, ev CallbackEvent, now time.Time) ([]CallbackRequest, error)
	// Policy returns how requests are tried again. It is always the same.
	Policy() *CallbackPolicy
	// A format may have a method CheckEvents(names []string) error too, which says what is wrong
	// with a list of events in its words.
}

// CallbackRequest is one POST.
type CallbackRequest struct {
	// Name is that of the event in the words of the dialect, for the log; empty: that of the CRM.
	Name string
	// Settings are what decides, besides the event and the endpoint, which requests there are. When
	// they change in the middle of an event, all of its requests are posted.
	Settings string

	URL    string
	Header http.Header // besides User-Agent and Content-Type, which may be set here too
	Body   []byte
	// Open makes the body when it is posted, in place of Body, and headers that need it; nil: Body
	// is whole. It is for what is large. done is called when the body is not needed any more.
	Open func(ctx context.Context) (body []byte, header http.Header, done func(), err error)
}

// CallbackPolicy is how the requests of a format are tried again.
type CallbackPolicy struct {
	Timeout time.Duration // of one POST
	// First is the wait after the first attempt in vain. It doubles up to Most, and Jitter of it
	// is drawn: 0.2 is 20 % more or less.
	First, Most time.Duration
	Jitter      float64
	// Tries is how many attempts a request has; Block is for how long it may hold up the ones
	// behind it, 0: for ever. After either it is given up, if the endpoint takes one that is
	// behind it: one that takes nothing at all loses nothing. When Tries is 0, a request is
	// never given up, and the endpoint is suspended when that takes too long.
	Tries int64
	Block time.Duration
	// Final are the statuses after which a request is given up at once.
	Final []int
}
