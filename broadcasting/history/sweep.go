package history

import (
	"context"
	"time"
)

// sweep removes what is no longer kept, but nothing that this node has not delivered yet.
// Several nodes may do it at once.
func (k *Keeper) sweep(ctx context.Context) {
	tick := time.NewTicker(k.opt.Sweep)
	defer tick.Stop()
	for {
		if err := k.sweepOnce(ctx); err != nil && ctx.Err() == nil {
			k.opt.Log.WarnContext(ctx, "old events could not be removed from the history, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (k *Keeper) sweepOnce(ctx context.Context) error {
	if err := inBatches(func() (int, error) { return k.opt.Store.RemoveExpired(ctx, k.told.Load(), sweepBatch) }); err != nil {
		return err
	}
	bytes, err := k.opt.Store.Bytes(ctx)
	if err != nil {
		return err
	}
	for app, n := range bytes {
		most := k.opt.MaxBytes(app)
		if n <= most {
			continue
		}
		if err := inBatches(func() (int, error) { return k.opt.Store.RemoveExcess(ctx, app, most, k.told.Load(), sweepBatch) }); err != nil {
			return err
		}
		k.opt.Log.InfoContext(ctx, "the oldest events of an app's history were removed, because it was full", "app", app, "limit", most)
	}
	return nil
}

// inBatches calls remove until there is less to remove than it removes at once.
func inBatches(remove func() (int, error)) error {
	for {
		if n, err := remove(); err != nil || n < sweepBatch {
			return err
		}
	}
}
