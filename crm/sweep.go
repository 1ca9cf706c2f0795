package crm

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chatcast/models"
)

const (
	sweepEvery = time.Hour
	sweepBatch = 500
	// orphanAge is how long a file may lie without a row: longer than any upload takes.
	orphanAge = 24 * time.Hour
)

// RunSweeper removes what nobody needs any more, every hour until ctx ends:
// Idempotency-Keys past their life, replaced secrets of apps past theirs, and files
// that belong to no message. A fault is logged and the next hour tries again.
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

// Sweep is one round of RunSweeper.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		n, err := s.forgetKeys(ctx)
		if err != nil {
			return err
		}
		if n < sweepBatch {
			break
		}
	}
	if err := s.Store.Tx(ctx, func(tx *models.Tx) error { return tx.ForgetOldSecrets(s.Now().Unix()) }); err != nil {
		return err
	}
	return s.sweepFiles(ctx)
}

func (s *Service) forgetKeys(ctx context.Context) (n int64, err error) {
	err = s.change(ctx, func(c *change) error {
		n, err = c.ForgetKeys(c.now.Unix()-KeyLife, sweepBatch)
		return err
	})
	return n, err
}

// sweepFiles removes files without a row: of requests that failed halfway, and
// of chats that were deleted.
func (s *Service) sweepFiles(ctx context.Context) error {
	if s.FilesDir == "" {
		return nil
	}
	folders, err := os.ReadDir(s.FilesDir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if !folder.IsDir() || len(folder.Name()) != 2 {
			continue
		}
		if err := s.sweepFolder(ctx, filepath.Join(s.FilesDir, folder.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) sweepFolder(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var old []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !fileIDForm.MatchString(strings.TrimSuffix(e.Name(), partSuffix)) {
			continue // removed meanwhile, or not ours
		}
		if s.Now().Sub(info.ModTime()) > orphanAge {
			old = append(old, e.Name())
		}
	}
	for len(old) > 0 {
		batch := old[:min(len(old), sweepBatch)]
		old = old[len(batch):]
		known, err := s.Store.Read(ctx).KnownFiles(batch)
		if err != nil {
			return err
		}
		for _, name := range batch {
			if known[name] {
				continue
			}
			if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
	}
	return nil
}
