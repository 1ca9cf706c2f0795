package crm

import (
	"container/list"
	"hash/maphash"
	"math"
	"net/netip"
	"sync"
	"time"
)

// pace is a token bucket: burst at once, then one every refill.
type pace struct {
	burst  float64
	refill time.Duration
}

// Limits of the attempts to sign in. Every attempt is charged to the address; a
// successful attempt costs the account nothing.
var (
	addressPace = pace{60, time.Second}      // an office behind one address
	pairPace    = pace{5, 30 * time.Second}  // one account from one address
	accountPace = pace{20, 10 * time.Second} // one account from everywhere
)

// maxBuckets bounds the memory of a throttle to a few megabytes. The least recently
// used buckets are removed first.
const maxBuckets = 50_000

// throttle slows down the guessing of passwords, per address and per account.
//
// An account that is attacked from many addresses runs out of its own bucket. Its owner
// must not be locked out by that: an address whose bucket for the account is full,
// because it has not failed on the account lately, may still try once. So the owner can
// sign in with the right password at any time, and the attacker is limited to one guess
// for each address and half minute.
type throttle struct {
	seed maphash.Seed // random, so that nobody can make keys that collide

	// guarded by mu
	mu      sync.Mutex
	buckets map[uint64]*list.Element
	recent  *list.List // of *bucket, the most recently used first
}

type bucket struct {
	key    uint64
	tokens float64
	at     time.Time // when tokens was last updated
}

func newThrottle() *throttle {
	return &throttle{seed: maphash.MakeSeed(), buckets: map[uint64]*list.Element{}, recent: list.New()}
}

// admit charges an attempt to sign in to the account from the address. It returns how
// long to wait, or zero when the attempt is admitted. After a successful attempt the
// caller calls refund, which gives back what the account was charged.
func (t *throttle) admit(now time.Time, address, account string) (wait time.Duration, refund func()) {
	address = network(address)
	t.mu.Lock()
	defer t.mu.Unlock()
	addr := t.bucket(now, addressPace, "address", address)
	// Check the address before its attempts make buckets: attempts on ever new accounts
	// would push out the buckets of the accounts that it has failed on.
	if wait := addressPace.until(addr, 1); wait > 0 {
		return wait, nil
	}
	pair := t.bucket(now, pairPace, "pair", address, account)
	acct := t.bucket(now, accountPace, "account", account)

	wait = pairPace.until(pair, 1)
	if acct.tokens < 1 {
		wait = max(wait, min(accountPace.until(acct, 1), pairPace.until(pair, pairPace.burst)))
	}
	if wait > 0 {
		return wait, nil
	}
	addr.tokens--
	pair.tokens--
	acct.tokens = max(0, acct.tokens-1)
	return 0, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		pair.tokens = min(pairPace.burst, pair.tokens+1)
		acct.tokens = min(accountPace.burst, acct.tokens+1)
	}
}

// bucket finds or creates the bucket of the words and refills it up to now. The caller
// holds mu.
func (t *throttle) bucket(now time.Time, p pace, words ...string) *bucket {
	var h maphash.Hash
	h.SetSeed(t.seed)
	for _, w := range words {
		h.WriteString(w)
		h.WriteByte(0)
	}
	key := h.Sum64()
	if e, ok := t.buckets[key]; ok {
		t.recent.MoveToFront(e)
		b := e.Value.(*bucket)
		if elapsed := now.Sub(b.at); elapsed > 0 {
			b.tokens = min(p.burst, b.tokens+float64(elapsed)/float64(p.refill))
			b.at = now
		}
		return b
	}
	if t.recent.Len() >= maxBuckets {
		oldest := t.recent.Back()
		delete(t.buckets, oldest.Value.(*bucket).key)
		t.recent.Remove(oldest)
	}
	b := &bucket{key: key, tokens: p.burst, at: now}
	t.buckets[key] = t.recent.PushFront(b)
	return b
}

// until returns the time until b holds n tokens.
func (p pace) until(b *bucket, n float64) time.Duration {
	if b.tokens >= n {
		return 0
	}
	return time.Duration(math.Ceil((n - b.tokens) * float64(p.refill)))
}

// network returns the network that an address is counted as: the address itself for
// IPv4, the /64 for IPv6, because one customer has a whole /64.
func network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if addr = addr.Unmap(); addr.Is4() {
		return addr.String()
	}
	p, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}
