package whatsapp

import (
	"context"
	"errors"
	"time"

	"chatcast/crm"
)

// lossAgain is how long the rules are left alone after they could not tell a loss.
const lossAgain = 5 * time.Second

// tellLosses has the rules tell that the line is not connected for too long, at the moment when it
// is, until ctx ends. The rules know since when: it may have been lost in another process.
func (s *session) tellLosses(ctx context.Context) {
	due := time.NewTimer(lossAgain)
	due.Stop()
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.losses:
		case <-due.C:
		}
		due.Stop()
		later, err := s.m.rules.TellLoss(ctx, s.on, s.m.owner)
		var refusal *crm.Error
		switch {
		case errors.As(err, &refusal) && (refusal.Code == crm.CodeConflict || refusal.Code == crm.CodeNotFound): // another process has the line, or it is gone: tend sees that
			continue
		case err != nil && ctx.Err() == nil:
			s.log.Warn("the loss of the connection could not be told yet", "error", err)
			later = lossAgain
		}
		if later > 0 {
			due.Reset(later)
		}
	}
}
