package whatsapp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"chatcast/crm"
)

// callsAtOnce is how many calls of other processes run here at once. The others wait in the
// database.
const callsAtOnce = 64

// sweepCalls is how often calls of processes that have died are removed.
const sweepCalls = time.Minute

func newCallID() string { return rand.Text() }

// serveCalls does what other processes ask of the lines of this one, until ctx ends.
func (m *Messenger) serveCalls(ctx context.Context) {
	look, sweep := time.NewTicker(callLook), time.NewTicker(sweepCalls)
	defer look.Stop()
	defer sweep.Stop()
	var running sync.WaitGroup
	defer running.Wait()
	places := make(chan struct{}, callsAtOnce)
	for reads := true; ; {
		err := m.takeCalls(ctx, places, &running)
		if err != nil && reads && ctx.Err() == nil { // told once
			m.Log.Warn("what other processes ask could not be read; it is tried again", "error", err)
		}
		reads = err == nil
		select {
		case <-ctx.Done():
			return
		case <-m.asked:
		case <-look.C:
		case <-sweep.C:
			if err := m.rules.SweepLineCalls(ctx); err != nil && ctx.Err() == nil {
				m.Log.Warn("calls of processes that have died could not be removed", "error", err)
			}
		}
	}
}

// takeCalls takes as many calls as there are places, and begins them.
func (m *Messenger) takeCalls(ctx context.Context, places chan struct{}, running *sync.WaitGroup) error {
	free := cap(places) - len(places)
	if free == 0 {
		return nil // a call that ends looks again
	}
	limited, cancel := context.WithTimeout(ctx, takeWithin)
	defer cancel()
	taken := time.Now()
	calls, err := m.rules.TakeLineCalls(limited, m.owner, free)
	for _, c := range calls {
		places <- struct{}{}
		running.Go(func() {
			defer notify(m.asked)
			defer func() { <-places }()
			m.serveCall(ctx, c, taken.Add(c.Left))
		})
	}
	return err
}

// serveCall does what another process asks, and answers. It ends at the deadline, also when
// this process is about to end: then it has still to answer.
func (m *Messenger) serveCall(ctx context.Context, c crm.LineCall, deadline time.Time) {
	log := m.Log.With("license", c.Line.LicenseID, "method", c.Method)
	var answer callAnswer
	limited, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	if !unlessPanics(log, "a call of another process", func() { answer = m.do(limited, c) }) {
		answer = callAnswer{Failed: "it panicked"}
	}
	if answer.Failed != "" {
		log.Warn("what another process asked has failed", "error", answer.Failed)
	}
	text, err := json.Marshal(answer)
	if err == nil && len(text) > maxCallAnswer {
		text, err = json.Marshal(callAnswer{Refused: errTooLarge})
	}
	if err != nil {
		text = []byte(`{"failed":"the answer cannot be encoded"}`)
	}
	c.Answer = string(text)
	for tries := 1; ; tries++ { // as long as the caller waits, who cannot ask again; not when the process ends
		if err = m.answerCall(ctx, c); err == nil || ctx.Err() != nil && tries >= 3 {
			break
		}
		if wait(limited, min(time.Second, time.Duration(tries)*200*time.Millisecond)) != nil {
			break
		}
	}
	if err != nil {
		log.Warn("another process could not be answered", "error", err)
	}
}

func (m *Messenger) answerCall(ctx context.Context, c crm.LineCall) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeWithin)
	defer cancel()
	return m.rules.AnswerLineCall(ctx, c)
}

// do does what a call asks.
func (m *Messenger) do(ctx context.Context, c crm.LineCall) callAnswer {
	result, err := m.doMethod(ctx, c)
	if err == nil {
		text, err := json.Marshal(result)
		if err == nil {
			return callAnswer{Result: text}
		}
		return callAnswer{Failed: err.Error()}
	}
	var refusal *crm.Error
	switch {
	case errors.As(err, &refusal):
		return callAnswer{Refused: refusal, Moved: refusal == errElsewhere}
	case errors.Is(err, context.DeadlineExceeded):
		return callAnswer{Refused: errOutcome}
	}
	return callAnswer{Failed: err.Error()}
}

func (m *Messenger) doMethod(ctx context.Context, c crm.LineCall) (any, error) {
	var request callRequest
	if err := json.Unmarshal([]byte(c.Request), &request); err != nil {
		return nil, fmt.Errorf("whatsapp: the request of %s: %w", c.Method, err)
	}
	x := methods[c.Method]
	if x == nil { // of a newer version
		return nil, crm.Unavailable("the process that serves this line cannot do this: it is of another version")
	}
	return x.serve(crm.WithCaller(ctx, request.For), m, c.Line, request.Args)
}

// answers wakes those who wait for calls.
type answers struct {
	mu      sync.Mutex
	waiting map[string]chan struct{} // guarded by mu: by the call's id
}

func (a *answers) expect(id string) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == nil {
		a.waiting = map[string]chan struct{}{}
	}
	a.waiting[id] = make(chan struct{}, 1)
	return a.waiting[id]
}

func (a *answers) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, id)
}

// come wakes who waits for a call.
func (a *answers) come(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if ch := a.waiting[id]; ch != nil {
		notify(ch)
	}
}

// all wakes everybody who waits.
func (a *answers) all() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, ch := range a.waiting {
		notify(ch)
	}
}
