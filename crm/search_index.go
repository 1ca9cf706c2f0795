package crm

import (
	"context"
	"time"

	"chatcast/models"
)

const (
	indexBatch = 200 // messages in one transaction: other changes wait for it on SQLite
	indexRetry = 10 * time.Second
)

// RunIndexer indexes the messages that are older than the index, until all are indexed or
// ctx ends. Searches find the others meanwhile, and say that they are not complete.
func (s *Service) RunIndexer(ctx context.Context) error {
	for told := false; ; {
		more, err := s.indexOld(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			s.Log.WarnContext(ctx, "old messages were not indexed for search", "error", err, "retry", indexRetry)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(indexRetry):
			}
		case !more:
			if told {
				s.Log.InfoContext(ctx, "old messages are indexed for search")
			}
			return nil
		case !told:
			told = true
			s.Log.InfoContext(ctx, "old messages are being indexed for search; until then searches are not complete")
		}
	}
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
