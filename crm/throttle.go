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

// How often somebody may try to sign in. Every try costs the address; a try that
// succeeds costs the account nothing.
var (
	addressPace = pace{60, time.Second}      // an office behind one address
	pairPace    = pace{5, 30 * time.Second}  // one account from one address
	accountPace = pace{20, 10 * time.Second} // one account from everywhere
)

// maxBuckets bounds the memory of a throttle to a few megabytes; the ones longest
// untouched go first.
const maxBuckets = 50_000

// throttle slows down who guesses passwords, per address and per account.
//
// An account that is being attacked from many addresses runs out of its own
// bucket. Its owner must not be locked out by that: an address whose own bucket
// for the account is full, that is, which has not failed on it of late, may
// still try once. So the owner's right password is let in at any time, and the
// attacker is down to one guess for each address and half minute.
type throttle struct {
	seed maphash.Seed // random, so that nobody can make keys that collide

	// guarded by mu
	mu      sync.Mutex
	buckets map[uint64]*list.Element
	recent  *list.List // of *bucket, the last touched in front
}

type bucket struct {
	key    uint64
	tokens float64
	at     time.Time // when tokens was right
}

func newThrottle() *throttle {
	return &throttle{seed: maphash.MakeSeed(), buckets: map[uint64]*list.Element{}, recent: list.New()}
}

// admit charges a try to sign in to the account from the address. It returns how
// long to wait, zero when the try is admitted; then refund takes back what the
// account was charged, for a try that succeeded.
func (t *throttle) admit(now time.Time, address, account string) (wait time.Duration, refund func()) {
	address = network(address)
	t.mu.Lock()
	defer t.mu.Unlock()
	addr := t.bucket(now, addressPace, "address", address)
	// Before its tries make buckets: with ever new accounts they would push out
	// those of the accounts it has failed on.
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

// bucket finds or makes the bucket of the words and fills it up to now. The
// caller holds mu.
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

// until is how long it takes until b holds n tokens.
func (p pace) until(b *bucket, n float64) time.Duration {
	if b.tokens >= n {
		return 0
	}
	return time.Duration(math.Ceil((n - b.tokens) * float64(p.refill)))
}

// network is whom an address belongs to: itself for IPv4, the /64 for IPv6, of
// which one customer has all.
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
