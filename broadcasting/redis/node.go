package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
)

// Options are the options of a node.
type Options struct {
	URL        string // see CheckURL
	Log        *slog.Logger
	CacheTTL   time.Duration // how long the last event of a cache channel is kept; 0: 30 minutes
	CacheBytes int           // limit for all those events together; 0: 64 MiB

	// For tests; 0: those of a cluster.Node.
	Lease, Beat time.Duration
}

// transport implements cluster.Transport.
type transport struct {
	// static
	address   address
	log       *slog.Logger
	limits    *cluster.CacheLimits
	names     *names
	interests interests
	current   atomic.Pointer[link] // the one that sends
	lost      atomic.Uint64        // messages that were lost on the way
	clock     atomic.Pointer[moment]

	// of the node's turn: Join, Renew, Send and Leave are called one at a time
	id     string
	sent   map[string]uint64 // the number of the last payload, by channel
	orders int64             // the last order that this node knows of
}

// moment is a time by the clock of Redis.
type moment struct {
	redis time.Time
	at    time.Time
}

var _ cluster.Transport = (*transport)(nil)

// Open connects to Redis and makes this process a node of the cluster. The caller must
// Close it.
func Open(ctx context.Context, o Options) (*cluster.Node, error) {
	a, err := parseURL(o.URL)
	if err != nil {
		return nil, fmt.Errorf("redis: the URL %w", err)
	}
	t := &transport{
		address: a, log: o.Log, limits: cluster.NewCacheLimits(o.CacheTTL, o.CacheBytes),
		names: newNames(a.prefix, a.options.SelectDB), interests: interests{have: map[string]struct{}{}}, sent: map[string]uint64{},
	}
	n, err := cluster.Open(ctx, cluster.Options{Log: o.Log, Limits: t.limits, Lease: o.Lease, Beat: o.Beat}, t)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Close implements cluster.Transport.
func (t *transport) Close() {
	if l := t.current.Load(); l != nil {
		l.Close()
	}
}

// errNoLink means that Redis was never reached.
var errNoLink = errors.New("redis: not connected")

// do sends one command.
func (t *transport) do(ctx context.Context, c command) (r rueidis.RedisResult, err error) {
	l := t.current.Load()
	if l == nil {
		return r, errNoLink
	}
	r = l.client.Do(ctx, c.build(l.client))
	if err := r.Error(); err != nil && !rueidis.IsRedisNil(err) {
		return r, shown(err)
	}
	return r, nil
}

// command is a command with keys of one partition, or of the nodes. A channel stands there
// as a key, so that a cluster takes all that is published to it at one place, in order.
type command struct {
	words []string // up to the keys
	keys  []string
	args  []string
}

func (c command) build(client rueidis.Client) rueidis.Completed {
	return client.B().Arbitrary(c.words...).Keys(c.keys...).Args(c.args...).Build()
}

// script is a command that runs one of the scripts.
func script(text string, keys []string, args ...string) command {
	return command{[]string{"EVAL", text, strconv.Itoa(len(keys))}, keys, args}
}

func (t *transport) setClock(now time.Time) { t.clock.Store(&moment{now, time.Now()}) }

// now returns the time by the clock of Redis, and false before it is known.
func (t *transport) now() (time.Time, bool) {
	m := t.clock.Load()
	if m == nil {
		return time.Time{}, false
	}
	return m.redis.Add(time.Since(m.at)), true
}

// Last implements cluster.Transport.
func (t *transport) Last(ctx context.Context, app, channel string) (last broadcasting.LastEvent, err error) {
	key := t.names.kept(partitionOf(app, channel))[0]
	r, err := t.do(ctx, command{[]string{"HGET"}, []string{key}, []string{field(app, channel)}})
	if err != nil {
		return last, fmt.Errorf("the last event of a channel: %w", err)
	}
	text, err := r.ToString()
	if rueidis.IsRedisNil(err) {
		return last, nil
	}
	if err != nil {
		return last, fmt.Errorf("the last event of a channel: %w", shown(err))
	}
	return t.lastOf(text)
}

// lastOf reads what keepScript has stored.
func (t *transport) lastOf(text string) (last broadcasting.LastEvent, err error) {
	line, body, _ := strings.Cut(text, "\n")
	words := strings.Fields(line)
	events, err := cutEvents(body, func(string, string) bool { return true })
	if err != nil || len(words) != 3 || len(events) != 1 {
		return last, fmt.Errorf("the last event of a channel: %w", errPayload)
	}
	version, err := strconv.ParseUint(words[0], 10, 64)
	ends, errEnds := strconv.ParseInt(words[1], 10, 64)
	now, known := t.now()
	if err != nil || errEnds != nil || !known {
		return last, fmt.Errorf("the last event of a channel: %w", errPayload)
	}
	left := time.UnixMicro(ends).Sub(now)
	if left <= 0 {
		return last, nil
	}
	return broadcasting.LastEvent{Event: events[0].Engine(), Version: version, TTL: left}, nil
}

// RemoveApp implements cluster.Transport.
func (t *transport) RemoveApp(ctx context.Context, app string) error {
	for p := range partitions {
		if _, err := t.do(ctx, script(removeScript, t.names.kept(p)[:3], field(app, ""))); err != nil {
			return fmt.Errorf("remove the events of an app: %w", err)
		}
	}
	return nil
}
