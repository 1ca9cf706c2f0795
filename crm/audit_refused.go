package crm

import (
	"context"
	"errors"
	"sync"
	"time"

	"chatcast/channels/refusals"
	"chatcast/models"
)

// Limits of the entries about failed attempts, which anybody may cause. Attempts that
// are alike, of one address on one account, share an entry each attemptsEvery, which
// tells how many they were. More than attemptsBurst entries at once wait for their turn,
// one each attemptsRefill: with one company for each account that is a million entries a
// year under an attack that never ends.
const (
	attemptsWritten = time.Second // how often they are looked for
	attemptsEvery   = 10 * time.Minute
	attemptsBurst   = 100
	attemptsRefill  = 30 * time.Second
	maxAttempts     = 1000 // kinds of attempts that are remembered
)

// attempt is what attempts that are alike have in common.
type attempt struct {
	action  string
	reason  refusals.Reason
	user    int64  // the account; 0: there is none
	network string // empty: of several
	signed  bool   // the user was signed in
}

// attempts are failed attempts that are alike.
type attempts struct {
	times int64  // not written yet
	from  Client // of the last one
	at    time.Time
	next  time.Time // they are not written before
}

// failures are the failed attempts that the audit log is to have. They are not written
// when they happen, so that the time of an answer does not tell whether there is an
// account, but about a second later.
type failures struct {
	mu sync.Mutex
	// guarded by mu
	kinds map[attempt]*attempts
	rows  bucket // entries that may be written now
}

func newFailures() *failures { return &failures{kinds: map[attempt]*attempts{}} }

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

func (f *failures) add(now time.Time, kind attempt, from Client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.kinds[kind]
	if a == nil && len(f.kinds) >= maxAttempts { // from too many addresses, or on too many accounts, to tell them apart
		kind.user, kind.network = 0, ""
		a = f.kinds[kind]
	}
	if a == nil {
		a = &attempts{}
		f.kinds[kind] = a
	}
	a.times++
	a.from, a.at = from, now
}

// due takes the attempts whose turn it is to be written, and forgets those that were.
func (f *failures) due(now time.Time) map[attempt]attempts {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rows.at.IsZero() {
		f.rows = bucket{tokens: attemptsBurst, at: now}
	}
	if passed := now.Sub(f.rows.at); passed > 0 {
		f.rows.tokens = min(attemptsBurst, f.rows.tokens+float64(passed)/float64(attemptsRefill))
		f.rows.at = now
	}
	list := map[attempt]attempts{}
	for kind, a := range f.kinds {
		switch {
		case now.Before(a.next):
		case a.times == 0:
			delete(f.kinds, kind)
		case f.rows.tokens >= 1:
			f.rows.tokens--
			list[kind] = *a
			a.times, a.next = 0, now.Add(attemptsEvery)
		}
	}
	return list
}

// restore gives back attempts that could not be written.
func (f *failures) restore(kind attempt, lost attempts) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.kinds[kind]
	if a == nil {
		a = &attempts{from: lost.from, at: lost.at}
		f.kinds[kind] = a
	}
	a.times += lost.times
	a.next = lost.next
}

// RunAudit writes the failed attempts to the audit log, until ctx ends. It writes the
// last ones then, and returns nil.
func (s *Service) RunAudit(ctx context.Context) error {
	tick := time.NewTicker(attemptsWritten)
	defer tick.Stop()
	failing := false
	for {
		err := s.WriteFailures(ctx)
		if err != nil && ctx.Err() == nil && !failing { // once, not each second
			s.Log.ErrorContext(ctx, "failed attempts could not be written to the audit log", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := s.WriteFailures(last); err != nil {
				s.Log.ErrorContext(ctx, "the last failed attempts are not in the audit log", "error", err)
			}
			return nil
		case <-tick.C:
		}
	}
}

// WriteFailures is one round of RunAudit.
func (s *Service) WriteFailures(ctx context.Context) (err error) {
	for kind, a := range s.failures.due(s.Now()) {
		if e := s.writeFailures(ctx, kind, a); e != nil {
			s.failures.restore(kind, a)
			err = errors.Join(err, e)
		}
	}
	return err
}

// writeFailures writes one entry about attempts that are alike.
func (s *Service) writeFailures(ctx context.Context, kind attempt, a attempts) error {
	return s.change(ctx, func(c *change) error {
		c.now, c.from = a.at, a.from
		e := audited{action: kind.action, by: byUnknown, times: a.times, details: map[string]string{"reason": string(kind.reason)}}
		if kind.network == "" && kind.user == 0 {
			c.from = Client{}
		}
		if kind.user == 0 {
			return c.auditServer(e)
		}
		user, err := c.tx.UserByID(kind.user)
		if errors.Is(err, models.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		e.on = userTarget(user.ID, user.Email)
		if kind.signed {
			e.by = byUser(user.ID)
		}
		return c.auditUser(user.ID, e)
	})
}
