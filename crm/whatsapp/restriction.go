package whatsapp

import (
	"context"
	"time"

	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// WhatsApp locks accounts that write to too many strangers: for a time, their messages to
// people who never answered are refused with 463. It announces the lock and its end.
// Until then first messages wait in the outbox, and answers are sent.

const (
	// unknownLock is how long a lock lasts whose end WhatsApp does not tell. Afterwards a
	// first message is tried.
	unknownLock = time.Hour
	// longestLock bounds what we believe. The longest that people have reported is 30 days.
	longestLock = 90 * 24 * time.Hour
)

// restricted stores that the account was locked or is free again. whatsmeow acknowledges
// the notification in any case, so it is stored before restricted returns, or the
// connection ends.
func (s *session) restricted(ctx context.Context, e *events.NotifyAccountReachoutTimelock) (kept bool) {
	until := lockEnd(e, time.Now())
	s.log.Warn("WhatsApp has locked the account for new people, or set it free", "locked", until != nil, "until", e.TimeEnforcementEnds.Time, "kind", content.Clip(e.EnforcementType, 64))
	return s.persist(ctx, "a lock of the account", func() error { return s.m.rules.SetLineRestriction(ctx, s.on, until) })
}

// lockEnd returns when a lock ends, in unix seconds, or nil when there is none any more.
func lockEnd(e *events.NotifyAccountReachoutTimelock, now time.Time) *int64 {
	if !e.IsActive {
		return nil
	}
	end := e.TimeEnforcementEnds.Time
	switch {
	case end.Unix() <= 0:
		end = now.Add(unknownLock)
	case !end.After(now):
		return nil
	case end.After(now.Add(longestLock)):
		end = now.Add(longestLock)
	}
	unix := end.Unix()
	return &unix
}

// persist calls do until it succeeds. When that takes too long it closes the connection,
// and returns false.
func (s *session) persist(ctx context.Context, what string, do func() error) bool {
	began := time.Now()
	for tries := 1; !s.broken.Load(); tries++ {
		err := do()
		if err == nil {
			return true
		}
		if refusal, ok := refusedByRules(err); ok {
			s.log.Error(what+" was refused by the rules", "error", refusal)
			return true
		}
		s.log.Warn(what+" could not be stored yet", "try", tries, "error", err)
		if time.Since(began) > s.m.times.patience || wait(ctx, min(5*time.Second, time.Duration(tries)*200*time.Millisecond)) != nil {
			break
		}
	}
	s.breakOff()
	return false
}

// lockedUntil returns until when the account is locked, or the zero time. The database
// has it, because the lock outlives the process.
func (s *session) lockedUntil(ctx context.Context) (until time.Time, err error) {
	row, err := s.m.rules.SessionOf(ctx, s.on)
	if err == nil && row != nil && row.RestrictedUntil != nil {
		if t := time.Unix(*row.RestrictedUntil, 0); t.After(time.Now()) {
			until = t
		}
	}
	return until, err
}

// parkRefused lets an item wait for the end of the account's lock, if it is locked: WhatsApp has
// refused it for that. It returns how long the item's chat has to wait, or 0 when the lock
// is not the reason. It is none for a person who has written to the account.
func (s *session) parkRefused(ctx context.Context, item crm.OutboxItem) (later time.Duration) {
	if item.Answers {
		return 0
	}
	until, err := s.lockedUntil(ctx)
	if err == nil && until.IsZero() {
		return 0
	}
	if err == nil {
		err = s.m.rules.OutboxPark(ctx, item, until, crm.SendError{Code: codeReachout, Message: lockSentence(until)})
	}
	if err != nil {
		s.log.Warn("a message that WhatsApp refused could not be parked", "error", err)
		return time.Second
	}
	return max(time.Until(until), minWait)
}

func lockSentence(until time.Time) string {
	return "WhatsApp does not let the account write to new people until " + until.UTC().Format(time.RFC3339)
}
