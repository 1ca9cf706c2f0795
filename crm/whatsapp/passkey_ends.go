package whatsapp

import (
	"context"
	"errors"
	"strings"
	"sync"

	"chatcast/crm"
)

// passkeyEnds remembers, for each line, why its last pairing by passkey ended. A person
// who comes too late with the passkey hears the reason.
type passkeyEnds struct {
	mu   sync.Mutex
	last map[crm.Line]passkeyEnd // guarded by mu
}

type passkeyEnd struct {
	challenge string
	why       string
}

// note records the end of a pairing. One without a passkey step changes nothing.
func (e *passkeyEnds) note(on crm.Line, at *passkeyStep, why error) {
	var reason *crm.Error
	if at == nil || !errors.As(why, &reason) {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.last == nil {
		e.last = map[crm.Line]passkeyEnd{}
	}
	e.last[on] = passkeyEnd{challenge: at.challenge, why: reason.Message}
}

func (e *passkeyEnds) of(on crm.Line) (end passkeyEnd, known bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end, known = e.last[on]
	return end, known
}

// noPasskey returns the error for an answer to a pairing that does not wait for one. An
// assertion to another challenge than that of the last pairing has nothing to do with it;
// an empty challenge stands for any. The last pairing of another process is known by the
// state of the line only.
func (m *Messenger) noPasskey(ctx context.Context, on crm.Line, challenge string) error {
	end, known := m.passkeyEnds.of(on)
	if known && (challenge == "" || challenge == end.challenge) {
		return &crm.Error{Code: crm.CodeConflict, Message: end.why}
	}
	err := crm.NoPasskeyAsked()
	if row, failed := m.rules.SessionOf(ctx, on); !known && failed == nil && row != nil && strings.HasSuffix(row.Detail, crm.NothingPaired) {
		err.Message += ": " + row.Detail
	}
	return err
}
