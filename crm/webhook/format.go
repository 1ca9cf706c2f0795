package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"chatcast/crm"
)

// Format says what an event is in the words of a dialect, and how endpoints of that dialect are
// tried again.
type Format interface {
	// Requests returns what is posted for an event, in this order; none: the endpoint does not
	// want it. ctx is that of one attempt, and now its time. Later attempts at the same event
	// return the same requests, unless the event or the endpoint was changed meanwhile: how many
	// of them are done with is kept as a number. Of an error only its text is kept, so it must
	// hold no secret. An event whose ID is 0 is not in the journal: see Hooks.Live and
	// crm.CallbackTest.
	Requests(ctx context.Context, to crm.CallbackTarget, ev crm.CallbackEvent, now time.Time) ([]Request, error)
	// Policy returns how requests are tried again. It is always the same.
	Policy() *Policy
}

// Request is one POST.
type Request struct {
	// Name is that of the event in the words of the dialect, for the log; empty: that of the CRM.
	Name   string
	URL    string
	Header http.Header // besides User-Agent and Content-Type, which may be set here too
	Body   []byte
	// Open makes the body when it is posted, in place of Body; nil: Body is whole. It is for what
	// is large. The length is that of what is read; done is called when nothing is read any more.
	Open func(ctx context.Context) (body io.Reader, length int64, done func(), err error)
}

// http returns the POST. What Open has taken is given back when ctx ends.
func (r *Request) http(ctx context.Context) (*http.Request, error) {
	var body io.Reader = bytes.NewReader(r.Body)
	length := int64(len(r.Body))
	if r.Open != nil {
		opened, n, done, err := r.Open(ctx)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, done)
		body, length = opened, n
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, body)
	if err != nil {
		return nil, err
	}
	req.ContentLength = length
	req.Header = r.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	for name, value := range map[string]string{"User-Agent": "chatcast", "Content-Type": "application/json"} {
		if req.Header.Get(name) == "" {
			req.Header.Set(name, value)
		}
	}
	return req, nil
}

// Policy is how the requests of a format are tried again.
type Policy struct {
	Timeout time.Duration // of one POST
	// First is the wait after the first attempt in vain. It doubles up to Most, and Jitter of it
	// is drawn: 0.2 is 20 % more or less.
	First, Most time.Duration
	Jitter      float64
	// Tries is how many attempts a request has; Block is for how long it may hold up the ones
	// behind it, 0: for ever. After either it is given up, if the endpoint takes one that is
	// behind it: one that takes nothing at all loses nothing. When Tries is 0, a request is
	// never given up, and the endpoint is suspended after Options.SuspendAfter.
	Tries int64
	Block time.Duration
	// Final are the statuses after which a request is given up at once.
	Final []int
}

// wait returns how long to wait after the nth attempt in vain.
func (p *Policy) wait(n int64) time.Duration {
	wait := p.Most
	if n < 30 {
		wait = min(p.First<<(n-1), p.Most)
	}
	return time.Duration(float64(wait) * (1 + p.Jitter*(2*rand.Float64()-1)))
}

// reasonFormat is why an attempt failed whose request could not be made.
const reasonFormat = "format"

// format returns the Format with a name.
func (h *Hooks) format(name string) (Format, error) {
	if name == "" {
		return h.chatapp, nil
	}
	if f := h.Formats[name]; f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("this program has no format %q", name)
}

// policy returns how requests of a format are tried again.
func (h *Hooks) policy(name string) *Policy {
	f, err := h.format(name)
	if err != nil {
		return &h.chatapp.policy
	}
	return f.Policy()
}

// requests returns what an event is at a target.
func (h *Hooks) requests(ctx context.Context, to crm.CallbackTarget, ev crm.CallbackEvent) (list []Request, err error) {
	f, err := h.format(to.Format)
	if err != nil {
		return nil, err
	}
	defer func() { // one event must not end the process
		if r := recover(); r != nil {
			h.Log.Error("an event could not be put into the words of an endpoint", "format", to.Format, "event", ev.ID, "panic", r)
			list, err = nil, errors.New("the event could not be put into the words of the endpoint")
		}
	}()
	return f.Requests(ctx, to, ev, time.Now())
}
