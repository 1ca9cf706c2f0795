package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"chatcast/crm"
)

// What needs the connection of a line is done by the process that serves the line:
//
//	process that got the request                  process that serves the line
//	call ------------------> row, waiting ------> take: begun
//	  |                                             | do
//	  +-- decode <--- drop <--- row, answered <-----+ answer
//
// A row that was begun is never begun again. When its process dies, or does not answer in
// time, nobody knows what became of the call, and the caller says so. One that was not begun
// goes to the next process of the line.

// method is something that needs the connection of a line. args and results travel as JSON.
type method[A, R any] struct {
	name   string
	within func(t times) time.Duration // how long it may take
	do     func(ctx context.Context, m *Messenger, l crm.Line, args A) (R, error)
}

// callee is a method of any type, for the process that serves the line.
type callee interface {
	serve(ctx context.Context, m *Messenger, l crm.Line, args json.RawMessage) (any, error)
}

// callRequest is the request of a crm.LineCall.
type callRequest struct {
	For  crm.Caller      `json:"for"`
	Args json.RawMessage `json:"args"`
}

// callAnswer is the answer to a crm.LineCall: a result or an error.
type callAnswer struct {
	Result  json.RawMessage `json:"result,omitempty"`
	Refused *crm.Error      `json:"refused,omitempty"`
	Failed  string          `json:"failed,omitempty"` // an error that is not of the rules
	Moved   bool            `json:"moved,omitempty"`  // refused, because the line has just moved: nothing was done
}

// Sizes of a call. What the rules let through is far below.
const (
	maxCallRequest = 1 << 20
	maxCallAnswer  = 8 << 20
)

const (
	moves      = 3               // how often a call may follow its line to another process
	callLook   = time.Second     // how often a call is looked at without a notification
	callGrace  = 5 * time.Second // beyond its deadline, for a database that does not answer
	takeWithin = 5 * time.Second // to take, answer and drop a call
)

// Why a call did not come to its end.
var (
	errElsewhere = crm.Unavailable("another process serves this line, and it has just moved: try again")
	errNotTaken  = crm.Unavailable("the process that serves this line did not take this up, and nothing was done: try again")
	errOutcome   = crm.Unavailable("the process that serves this line did not answer: it is not known whether this was done")
	errTooLarge  = &crm.Error{Code: crm.CodeTooLarge, Message: "what was asked for is too large to be fetched from the process that serves this line"}
	errCallMoved = errors.New("whatsapp: the call was not begun")
)

// call does the method in the process that serves the line, or here when none does.
func (x method[A, R]) call(ctx context.Context, m *Messenger, l crm.Line, args A) (result R, err error) {
	for range moves {
		node, err := m.servedBy(ctx, l)
		if err != nil {
			return result, err
		}
		if node == "" {
			result, err = x.do(ctx, m, l, args)
			if m.Alone || err != error(errElsewhere) {
				return result, err
			}
			continue
		}
		answer, err := m.handOn(ctx, node, l, x.name, args, x.within(m.times))
		if errors.Is(err, errCallMoved) {
			continue
		}
		if err != nil {
			return result, err
		}
		if result, err = x.result(node, answer); err != error(errElsewhere) {
			return result, err
		}
	}
	return result, errElsewhere
}

func (x method[A, R]) result(node string, text string) (result R, err error) {
	var answer callAnswer
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return result, fmt.Errorf("whatsapp: the answer of node %s: %w", node, err)
	}
	switch {
	case answer.Moved:
		return result, errElsewhere
	case answer.Refused != nil:
		return result, answer.Refused
	case answer.Failed != "":
		return result, fmt.Errorf("whatsapp: on node %s: %s", node, answer.Failed)
	}
	if err := json.Unmarshal(answer.Result, &result); err != nil {
		return result, fmt.Errorf("whatsapp: the answer of node %s: %w", node, err)
	}
	return result, nil
}

func (x method[A, R]) serve(ctx context.Context, m *Messenger, l crm.Line, text json.RawMessage) (any, error) {
	var args A
	if err := json.Unmarshal(text, &args); err != nil {
		return nil, fmt.Errorf("whatsapp: the request of %s: %w", x.name, err)
	}
	return x.do(ctx, m, l, args)
}

// servedBy returns the process that serves a line; empty: this one, or none.
func (m *Messenger) servedBy(ctx context.Context, l crm.Line) (node string, err error) {
	if m.Alone || m.serving(l) != nil {
		return "", nil
	}
	row, err := m.rules.SessionOf(ctx, l)
	if err != nil || row == nil || !row.Leased || row.LeaseOwner == m.owner {
		return "", err
	}
	return row.LeaseOwner, nil
}

// Elsewhere implements crm.Clustered.
func (m *Messenger) Elsewhere(l crm.Line) bool {
	s := m.serving(l)
	return !m.Alone && (s == nil || s.given.Load() || s.over.Load())
}

// handOn has a process do a method, and returns its answer. The error is errCallMoved when
// the process has not begun, and never will.
func (m *Messenger) handOn(ctx context.Context, node string, l crm.Line, name string, args any, within time.Duration) (answer string, err error) {
	c, err := m.newCall(ctx, node, l, name, args)
	if err != nil {
		return "", err
	}
	woken := m.answers.expect(c.ID)
	defer m.answers.forget(c.ID)
	limited, cancel := context.WithTimeout(ctx, within+callGrace)
	defer cancel()
	if err := m.rules.CallLine(limited, c, within); err != nil {
		var refusal *crm.Error
		if errors.As(err, &refusal) && refusal.Code == crm.CodeNotFound { // the process has just died, and its lines are free
			return "", errCallMoved
		}
		if end, _, dropped := m.drop(ctx, c.ID); dropped != nil || end != crm.CallMissing && end != crm.CallUnmade { // it was made all the same
			m.Log.Warn("a call to another process could not be taken back", "error", errors.Join(err, dropped))
			return "", errOutcome
		}
		return "", err
	}
	asked := time.Now()
	m.awaitCall(limited, c.ID, woken)
	end, answer, err := m.drop(ctx, c.ID)
	switch {
	case err == nil && end == crm.CallAnswered: // also when the request has just been given up: it was done
		return answer, nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		m.Log.Warn("the answer of another process could not be read", "error", err)
		return "", errOutcome
	case end != crm.CallUnmade: // one that is missing may have been begun before
		return "", errOutcome
	case time.Since(asked) >= within:
		return "", errNotTaken
	}
	return "", errCallMoved
}

func (m *Messenger) newCall(ctx context.Context, node string, l crm.Line, name string, args any) (c crm.LineCall, err error) {
	text, err := json.Marshal(args)
	if err != nil {
		return c, err
	}
	request, err := json.Marshal(callRequest{For: crm.CallerOf(ctx), Args: text})
	if err != nil {
		return c, err
	}
	if len(request) > maxCallRequest {
		return c, errTooLarge
	}
	return crm.LineCall{ID: newCallID(), Node: node, Caller: m.owner, Line: l, Method: name, Request: string(request)}, nil
}

// awaitCall returns when a call is over, or ctx.
func (m *Messenger) awaitCall(ctx context.Context, id string, woken <-chan struct{}) {
	look := time.NewTicker(callLook)
	defer look.Stop()
	for {
		if over, err := m.rules.LineCallOver(ctx, id); err == nil && over {
			return
		}
		select {
		case <-woken:
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// drop takes a call back, also when ctx is over.
func (m *Messenger) drop(ctx context.Context, id string) (end, answer string, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeWithin)
	defer cancel()
	return m.rules.DropLineCall(ctx, id)
}
