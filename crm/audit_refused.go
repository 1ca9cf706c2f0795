package crm

import (
	"context"
	"errors"
	"time"

	"chatcast/channels/refusals"
	"chatcast/models"
)

const (
	attemptsWritten = time.Second     // how often failed attempts are looked for
	lastAttempts    = 5 * time.Second // for writing them when the program stops
)

// refuse counts and logs a refusal. If the audit log has an action for it, it will have
// an entry. A user of 0 means that there is no such account.
func (s *Service) refuse(ctx context.Context, what refusals.What, reason refusals.Reason, user int64, from Client, action string, by auditor) {
	attrs := []any{"address", from.Address}
	if user != 0 {
		attrs = append(attrs, "user", user)
	}
	s.Refusals.Add(ctx, what, reason, attrs...)
	if action == "" || reason == refusals.Throttled {
		return
	}
	network, _ := networksOf(from.Address)
	s.failures.add(s.Now(), attempt{action, reason, user, network, by.kind == ActorUser}, from)
}

// refuseSignIn is refuse for a sign-in by somebody unknown.
func (s *Service) refuseSignIn(ctx context.Context, reason refusals.Reason, user int64, from Client) {
	s.refuse(ctx, refusals.SignIn, reason, user, from, AuditSessionRefused, byUnknown)
}

// RunAudit writes the failed attempts to the audit log, until ctx ends. It writes the
// last ones then, logs how many are not in it, and returns nil.
func (s *Service) RunAudit(ctx context.Context) error {
	tick := time.NewTicker(attemptsWritten)
	defer tick.Stop()
	failing := false
	var told time.Time // when dropped attempts were logged last
	for {
		err := s.WriteFailures(ctx)
		if err != nil && ctx.Err() == nil && !failing { // once, not each second
			s.Log.ErrorContext(ctx, "failed attempts could not be written to the audit log", "error", err)
		}
		failing = err != nil
		if s.Now().Sub(told) >= attemptsEvery {
			told = s.Now()
			s.logLost(ctx, s.failures.lost())
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAttempts)
			defer cancel()
			if err := s.writeFailures(last, true); err != nil {
				s.Log.ErrorContext(ctx, "the last failed attempts could not be written to the audit log", "error", err)
			}
			s.logLost(ctx, s.failures.lost()+s.failures.pending())
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) logLost(ctx context.Context, attempts int64) {
	if attempts > 0 {
		s.Log.WarnContext(ctx, "failed attempts are not in the audit log: there were too many, or they could not be written", "attempts", attempts)
	}
}

// WriteFailures is one round of RunAudit.
func (s *Service) WriteFailures(ctx context.Context) error { return s.writeFailures(ctx, false) }

// writeFailures writes what is due, in its turn.
func (s *Service) writeFailures(ctx context.Context, end bool) (err error) {
	for _, w := range s.failures.due(s.Now(), end) {
		if e := s.writeFailure(ctx, w); e != nil {
			s.failures.restore(w)
			err = errors.Join(err, e)
		}
	}
	return err
}

// writeFailure writes one entry about attempts that are alike.
func (s *Service) writeFailure(ctx context.Context, w waiting) error {
	return s.change(ctx, func(c *change) error {
		c.now, c.from = w.at, w.from
		e := audited{action: w.action, by: byUnknown, times: w.times, details: map[string]string{"reason": string(w.reason)}}
		if w.network == "" {
			c.from = Client{}
		}
		if w.user == 0 {
			return c.auditServer(e)
		}
		user, err := c.tx.UserByID(w.user)
		if errors.Is(err, models.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		e.on = userTarget(user.ID, user.Email)
		if w.signed {
			e.by = byUser(user.ID)
		}
		return c.auditUser(user.ID, e)
	})
}
