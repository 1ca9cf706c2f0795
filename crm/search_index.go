package crm

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"chatcast/models"
)

const (
	indexBatch = 200 // rows in one transaction: other changes wait for it on SQLite
	indexRetry = 10 * time.Second
)

// RunIndexer folds the names of chats and contacts that are older than their column for
// searches, and indexes the messages that are older than the index, until all are done or
// ctx ends. Meanwhile searches find these names as they are written, and say that the
// messages are not complete.
func (s *Service) RunIndexer(ctx context.Context) error {
	var both errgroup.Group // neither waits for the other, which may meet errors
	both.Go(func() error { return s.until(ctx, "names of chats and contacts", s.foldOld) })
	both.Go(func() error { return s.until(ctx, "old messages", s.indexOld) })
	return both.Wait()
}

// until calls step until nothing more is to be indexed, or ctx ends. It returns nil.
func (s *Service) until(ctx context.Context, what string, step func(context.Context) (more bool, err error)) error {
	for told := false; ; {
		more, err := step(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			s.Log.WarnContext(ctx, "not everything could be indexed for search", "what", what, "error", err, "retry", indexRetry)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(indexRetry):
			}
		case !more:
			if told {
				s.Log.InfoContext(ctx, "indexed for search", "what", what)
			}
			return nil
		case !told:
			told = true
			s.Log.InfoContext(ctx, "indexing for search; until then searches are not complete", "what", what)
		}
	}
}

// foldOld folds one batch of old names and reports whether any are left.
func (s *Service) foldOld(ctx context.Context) (more bool, err error) {
	if some, err := s.Store.Read(ctx).UnfoldedNames(); err != nil || !some {
		return false, err
	}
	err = s.Store.Tx(ctx, func(tx *models.Tx) error {
		more, err = tx.FoldOld(indexBatch)
		return err
	})
	return more, err
}

// indexOld indexes one batch of old messages and reports whether any are left.
func (s *Service) indexOld(ctx context.Context) (more bool, err error) {
	if waiting, err := s.Store.Read(ctx).UnindexedMessages(); err != nil || waiting == 0 {
		return false, err
	}
	err = s.Store.Tx(ctx, func(tx *models.Tx) error {
		more, err = tx.IndexOld(indexBatch, func(m *models.Message) string {
			text, err := searchText(m)
			if err != nil {
				s.Log.WarnContext(ctx, "an old message cannot be searched", "error", err)
			}
			return text
		})
		return err
	})
	return more, err
}
