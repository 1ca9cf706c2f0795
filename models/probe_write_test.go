package models_test

import (
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/models"
	"chatcast/models/testdb"
)

// Several processes may probe one database at once, and none of them fails by that.
func TestProbeWriteAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		var probes errgroup.Group
		for range 8 {
			probes.Go(func() error {
				for range 25 {
					if err := store.ProbeWrite(t.Context()); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := probes.Wait(); err != nil {
			t.Error(err)
		}
	})
}
