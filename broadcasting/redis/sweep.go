package redis

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// Limits of a sweep.
const (
	sweepEvents = 100             // of each partition that are looked at in a round
	sweepRounds = 100             // the next sweep goes on
	sweepTime   = 5 * time.Second // one node sweeps in this time
)

// keptEvent is an event that is kept.
type keptEvent struct {
	of            int
	field         string
	version, size int64
	expired       bool
}

// Sweep implements cluster.Transport.
func (t *transport) Sweep(ctx context.Context) error {
	r, err := t.do(ctx, command{[]string{"SET"}, []string{t.names.sweeping()}, []string{t.id, "NX", "PX", number(sweepTime.Milliseconds())}})
	if err != nil {
		return err
	}
	if rueidis.IsRedisNil(r.Error()) {
		return nil // another node does
	}
	for range sweepRounds {
		again, err := t.sweepOnce(ctx)
		if err != nil || !again {
			return err
		}
	}
	return nil
}

// sweepOnce drops the oldest events, and reports whether there are more to drop.
func (t *transport) sweepOnce(ctx context.Context) (again bool, err error) {
	var events []keptEvent
	total := int64(0)
	for p := range partitions {
		list, bytes, err := t.oldest(ctx, p)
		if err != nil {
			return false, err
		}
		events = append(events, list...)
		total += bytes
	}
	// An event that has not expired may stand before one that has: the time to keep them
	// was changed.
	slices.SortFunc(events, func(a, b keptEvent) int { return cmp.Compare(a.version, b.version) })
	drop := map[int][]string{}
	dropped := 0
	for _, e := range events {
		if e.expired {
			total -= e.size
		}
	}
	for _, e := range events {
		if !e.expired {
			if total <= t.limits.Bytes() {
				continue
			}
			total -= e.size
		}
		drop[e.of] = append(drop[e.of], e.field, strconv.FormatInt(e.version, 10))
		dropped++
	}
	for p, args := range drop {
		if _, err := t.do(ctx, script(dropScript, t.names.kept(p)[:3], args...)); err != nil {
			return false, err
		}
	}
	return dropped > 0 && dropped == len(events) || total > t.limits.Bytes() && dropped > 0, nil
}

// oldest returns the oldest events of a partition, and the bytes of all.
func (t *transport) oldest(ctx context.Context, p int) (list []keptEvent, bytes int64, err error) {
	r, err := t.do(ctx, script(oldestScript, t.names.kept(p)[:3], strconv.Itoa(sweepEvents)))
	if err != nil {
		return nil, 0, err
	}
	words, err := r.AsStrSlice()
	if err != nil {
		return nil, 0, shown(err)
	}
	if len(words) < 2 || len(words)%4 != 2 {
		return nil, 0, errPayload
	}
	n := func(s string) int64 {
		v, _ := strconv.ParseInt(s, 10, 64) // a script has written it
		return v
	}
	bytes = n(words[0])
	now := n(words[1])
	for rest := words[2:]; len(rest) > 0; rest = rest[4:] {
		list = append(list, keptEvent{of: p, field: rest[0], version: n(rest[1]), size: n(rest[3]), expired: n(rest[2]) <= now})
	}
	return list, bytes, nil
}
