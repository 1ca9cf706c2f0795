package crm

import (
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"time"

	"chatcast/channels/clientaddr"
)

// pace is a token bucket: burst at once, then one every refill.
type pace struct {
	burst  float64
	refill time.Duration
}

// Limits of the attempts to sign in. Every attempt is charged to the address; a
// successful attempt costs the account nothing.
var (
	addressPace = pace{60, time.Second}       // an office behind one address
	hoodPace    = pace{600, time.Second / 10} // a neighbourhood of addresses
	pairPace    = pace{5, 30 * time.Second}   // one account from one address
	accountPace = pace{20, 10 * time.Second}  // one account from all unknown addresses
	// For an account that has run out of its bucket:
	crowdPace  = pace{1, 30 * time.Second} // from one neighbourhood of unknown addresses
	attackPace = pace{100, time.Second}    // from all unknown addresses
)

// Limits of what a throttle remembers, about ten megabytes. The least recently used is
// forgotten first.
const (
	maxBuckets       = 50_000
	maxKnownAccounts = 50_000
	maxKnownNetworks = 8 // of one account
)

// throttle slows down the guessing of passwords, per address and per account.
//
// An address is known to an account while it is one of the last from which somebody
// signed in to it. Only its own attempts count there: whatever others do, the owner gets
// in from a known address. All unknown addresses share the account's bucket. When an
// attacker has emptied that, each neighbourhood (see clientaddr) may still try once in
// half a minute, so the owner gets in from an unknown address too, unless the attack
// comes from more than thirty neighbourhoods at once. So however many addresses an
// attacker has, an account is guessed at no more than 120 times at once and about once
// per second.
type throttle struct {
	seed maphash.Seed // random, so that nobody can make keys that collide

	// guarded by mu
	mu      sync.Mutex
	buckets lru[bucket]
	guarded lru[bucket]   // those of accounts alone: others must not push them out
	known   lru[[]uint64] // keys of the networks that are known to an account, the newest last
}

type bucket struct {
	tokens float64
	at     time.Time // when tokens was last updated
}

func newThrottle() *throttle {
	return &throttle{seed: maphash.MakeSeed(), buckets: newLRU[bucket](maxBuckets), guarded: newLRU[bucket](maxBuckets), known: newLRU[[]uint64](maxKnownAccounts)}
}

// admission is the throttle's answer to an attempt to sign in.
type admission struct {
	wait  time.Duration // zero: the attempt is admitted
	known bool          // the address is known to the account
	// succeeded gives back what the account was charged, and makes the address known to
	// it. The caller calls it after a successful attempt. It is nil when there is a wait.
	succeeded func()
}

// admit charges an attempt to sign in to the account from the address.
func (t *throttle) admit(now time.Time, address, account string) admission {
	network, neighbourhood := networksOf(address)
	t.mu.Lock()
	defer t.mu.Unlock()
	addr := t.bucket(now, addressPace, "address", network)
	// Check the address before its attempts make buckets: attempts on ever new accounts
	// would push out the buckets of the accounts that it has failed on.
	hood := t.bucket(now, hoodPace, "neighbourhood", neighbourhood)
	if wait := max(addressPace.until(addr, 1), hoodPace.until(hood, 1)); wait > 0 {
		return admission{wait: wait}
	}
	charges := []charge{{pairPace, t.bucket(now, pairPace, "pair", network, account)}}
	known := t.knows(account, network)
	if !known {
		acct := charge{accountPace, t.bucket(now, accountPace, "account", account)}
		if acct.tokens >= 1 {
			charges = append(charges, acct)
		} else {
			charges = append(charges,
				charge{crowdPace, t.bucket(now, crowdPace, "crowd", neighbourhood, account)},
				charge{attackPace, t.bucket(now, attackPace, "attack", account)})
		}
	}
	var wait time.Duration
	for _, c := range charges {
		wait = max(wait, c.until(c.bucket, 1))
	}
	if wait > 0 {
		return admission{wait: wait, known: known}
	}
	addr.tokens--
	hood.tokens--
	for _, c := range charges {
		c.tokens--
	}
	return admission{known: known, succeeded: func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, c := range charges {
			c.tokens = min(c.burst, c.tokens+1)
		}
		t.know(account, network)
	}}
}

// admitGuess charges a guess of something short, which must not be guessed faster from
// many addresses: all that are not known to the account share the pace of one. An empty
// address is known. The caller calls succeeded after a right guess. A wait that is not zero refuses the guess.
func (t *throttle) admitGuess(now time.Time, address, account string) (succeeded func(), wait time.Duration) {
	network, _ := networksOf(address)
	t.mu.Lock()
	defer t.mu.Unlock()
	from := "anywhere"
	if address == "" || t.knows(account, network) {
		from = network
	}
	b := t.bucket(now, pairPace, "guess", account, from)
	if wait := pairPace.until(b, 1); wait > 0 {
		return nil, wait
	}
	b.tokens--
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		b.tokens = min(pairPace.burst, b.tokens+1)
		t.know(account, network)
	}, 0
}

// spend takes n tokens from the bucket of the words, or returns how long until it has them.
func (t *throttle) spend(now time.Time, p pace, n int, words ...string) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.bucket(now, p, words...)
	if wait = p.until(b, float64(n)); wait == 0 {
		b.tokens -= float64(n)
	}
	return wait
}

// charge is one token of a bucket of this pace.
type charge struct {
	pace
	*bucket
}

// bucket finds or creates the bucket of the words and refills it up to now. The caller
// holds mu.
func (t *throttle) bucket(now time.Time, p pace, words ...string) *bucket {
	key, kept := t.key(words...), &t.buckets
	if words[0] == "account" || words[0] == "attack" || words[0] == "guess" {
		kept = &t.guarded
	}
	b := kept.get(key)
	if b == nil {
		return kept.put(key, bucket{tokens: p.burst, at: now})
	}
	if elapsed := now.Sub(b.at); elapsed > 0 {
		b.tokens = min(p.burst, b.tokens+float64(elapsed)/float64(p.refill))
		b.at = now
	}
	return b
}

// knows reports whether the network is known to the account. The caller holds mu.
func (t *throttle) knows(account, network string) bool {
	networks := t.known.get(t.key(account))
	return networks != nil && slices.Contains(*networks, t.key(network))
}

// know makes the network the newest that is known to the account. The caller holds mu.
func (t *throttle) know(account, network string) {
	key, of := t.key(network), t.key(account)
	networks := t.known.get(of)
	if networks == nil {
		t.known.put(of, []uint64{key})
		return
	}
	list := append(slices.DeleteFunc(*networks, func(k uint64) bool { return k == key }), key)
	*networks = list[max(0, len(list)-maxKnownNetworks):]
}

func (t *throttle) key(words ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	for _, w := range words {
		h.WriteString(w)
		h.WriteByte(0)
	}
	return h.Sum64()
}

// until returns the time until b holds n tokens.
func (p pace) until(b *bucket, n float64) time.Duration {
	if b.tokens >= n {
		return 0
	}
	return time.Duration(math.Ceil((n - b.tokens) * float64(p.refill)))
}

// networksOf returns the network that an address is counted as, and its neighbourhood.
// What is no address stands for itself.
func networksOf(address string) (network, neighbourhood string) {
	addr, ok := clientaddr.Parse(address)
	if !ok {
		return address, address
	}
	return clientaddr.Network(addr).String(), clientaddr.Neighbourhood(addr).String()
}
