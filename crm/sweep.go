package crm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chatcast/models"
)

const (
	sweepEvery = time.Hour
	sweepBatch = 500
	partsBatch = 5000 // chats whose parts are looked through in one transaction
	// orphanAge is how long a file may exist without a row: longer than any upload
	// takes.
	orphanAge = 24 * time.Hour
)

// RunSweeper removes what is no longer needed, every hour until ctx ends: expired
// Idempotency-Keys, expired replaced secrets of apps and callback URLs, expired invitations and tickets for streams, old entries
// of the audit log and of the logs of callback URLs and webhooks, days that no line is rated by any more, calls that are over, files that belong to no
// message, and parts in chats of people who may have none. It logs an error and tries
// again in the next hour.
func (s *Service) RunSweeper(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "sweep failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep is one round of RunSweeper. What fails stops nothing else.
func (s *Service) Sweep(ctx context.Context) (err error) {
	for _, forget := range []func(context.Context) (int64, error){s.forgetKeys, s.forgetDeletedFiles, s.forgetAudit, s.forgetCallbackLogs, s.forgetWebhookLogs} {
		for n := int64(sweepBatch); n >= sweepBatch; {
			var failed error
			if n, failed = forget(ctx); failed != nil {
				err, n = errors.Join(err, failed), 0
			}
		}
	}
	for _, forget := range []func(tx *models.Tx) error{
		func(tx *models.Tx) error { return tx.ForgetOldSecrets(s.Now().Unix()) },
		func(tx *models.Tx) error { return tx.ForgetLineDays(models.Day(s.Now().Unix()) - lineDays) },
		func(tx *models.Tx) error { return tx.DeleteExpiredInvitations(s.Now().Unix()) },
		func(tx *models.Tx) error { return tx.ForgetCalls(s.Now().Add(-callLife).Unix()) },
		func(tx *models.Tx) error { return tx.DeleteEventTickets(s.Now().Add(-EventTicketLife).Unix()) },
	} {
		err = errors.Join(err, s.Store.Tx(ctx, forget))
	}
	return errors.Join(err, s.leaveStray(ctx), s.sweepFiles(ctx))
}

func (s *Service) forgetDeletedFiles(ctx context.Context) (n int64, err error) {
	err = s.change(ctx, func(c *change) error {
		n, err = c.tx.ForgetDeletedFiles(sweepBatch)
		return err
	})
	return n, err
}

func (s *Service) forgetAudit(ctx context.Context) (n int64, err error) {
	if s.AuditRetention == 0 {
		return 0, nil
	}
	err = s.change(ctx, func(c *change) error {
		n, err = c.tx.ForgetAudit(c.now.Add(-s.AuditRetention).Unix(), sweepBatch)
		return err
	})
	return n, err
}

func (s *Service) forgetKeys(ctx context.Context) (n int64, err error) {
	err = s.change(ctx, func(c *change) error {
		n, err = c.tx.ForgetKeys(c.now.Unix()-KeyLife, sweepBatch)
		return err
	})
	return n, err
}

// sweepFiles removes files without a row. They are left by requests that failed halfway,
// by deleted messages and by deleted chats.
func (s *Service) sweepFiles(ctx context.Context) error {
	var failed skipped
	batch := make([]string, 0, sweepBatch)
	for id, err := range s.Files.Old(ctx, s.Now().Add(-orphanAge)) {
		if err != nil {
			return errors.Join(failed.err(), err)
		}
		if batch = append(batch, id); len(batch) == sweepBatch {
			if err := s.deleteOrphans(ctx, batch, &failed); err != nil {
				return errors.Join(failed.err(), err)
			}
			batch = batch[:0]
		}
	}
	err := s.deleteOrphans(ctx, batch, &failed)
	return errors.Join(failed.err(), err)
}

// deleteOrphans removes the files that have no row, as far as that does not fail.
func (s *Service) deleteOrphans(ctx context.Context, ids []string, failed *skipped) error {
	if len(ids) == 0 {
		return nil
	}
	known, err := s.Store.Read(ctx).KnownFiles(ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !known[id] {
			failed.add(s.Files.Delete(ctx, id))
		}
	}
	return ctx.Err()
}

// skipped are errors of single things, over which a sweep goes on to the others. There may
// be very many: the first one is told, and how many there are.
type skipped struct {
	first error
	more  int
}

func (s *skipped) add(err error) {
	switch {
	case err == nil:
	case s.first == nil:
		s.first = err
	default:
		s.more++
	}
}

func (s *skipped) err() error {
	if s.more == 0 {
		return s.first
	}
	return fmt.Errorf("%w (and %d more)", s.first, s.more)
}
