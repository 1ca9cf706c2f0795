package webhook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"time"

	"chatcast/crm"
)

// What a dialect says of its endpoints.
type (
	Format  = crm.CallbackFormat
	Request = crm.CallbackRequest
	Policy  = crm.CallbackPolicy
)

// httpRequest returns the POST. What Open has taken is given back when ctx ends.
func httpRequest(ctx context.Context, r Request) (*http.Request, error) {
	body, header := r.Body, r.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if r.Open != nil {
		opened, more, done, err := r.Open(ctx)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, done)
		body = opened
		maps.Copy(header, more)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{"User-Agent": "chatcast", "Content-Type": "application/json"} {
		if header.Get(name) == "" {
			header.Set(name, value)
		}
	}
	req.Header = header
	return req, nil
}

// listOf names a list of requests. Lists of other requests have other names.
func listOf(list []Request) string {
	h := sha256.New()
	for _, r := range list {
		fmt.Fprintf(h, "%q %q\n", r.Name, r.Settings)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// waitAfter returns how long to wait after the nth attempt in vain.
func waitAfter(p *Policy, n int64) time.Duration {
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

// CheckEvents implements crm.CallbackPoster.
func (h *Hooks) CheckEvents(format, field string, names []string) error {
	f, err := h.format(format)
	if err != nil {
		return crm.Invalid("format", "is none of this program")
	}
	if f, ok := f.(interface{ CheckEvents(names []string) error }); ok {
		if err := f.CheckEvents(names); err != nil {
			return crm.Invalid(field, "%v", err)
		}
	}
	return nil
}
