package crm

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"chatcast/channels/refusals"
)

// Limits of the entries about failed attempts, which anybody may cause. Attempts that are
// alike, of one network on one account, share an entry each attemptsEvery, which tells how
// many they were. Attempts on accounts and those of strangers, who named none, have limits
// of their own, so that strangers crowd out nothing that was tried on an account: of each,
// more than attemptsBurst entries at once wait for their turn, one each attemptsRefill.
// With one company for each account that is two million entries a year under attacks that
// never end.
const (
	attemptsEvery  = 10 * time.Minute
	attemptsBurst  = 100
	attemptsRefill = 30 * time.Second

	// How many networks are told apart. What comes from others is alike, and its entry
	// names no address.
	maxStrangers       = 100  // in all
	maxAccountNetworks = 20   // of one account
	maxNetworks        = 1000 // of all accounts, besides the first of each
	// How many accounts, and ways to fail on one, are remembered. What is beyond is
	// dropped: there are only as many as the database has.
	maxAccounts = 20_000
)

// attempt is what attempts that are alike have in common.
type attempt struct {
	action  string
	reason  refusals.Reason
	user    int64  // the account; 0: there is none
	network string // empty: of several, or not known
	signed  bool   // the user was signed in
}

// attempts are failed attempts that are alike.
type attempts struct {
	times int64  // not written yet
	from  Client // of the last one
	at    time.Time
	next  time.Time // they are not written before
}

// waiting are attempts whose entry may be written.
type waiting struct {
	attempt
	attempts
}

// failures are the failed attempts that the audit log is to have. They are not written
// when they happen, so that the time of an answer does not tell whether there is an
// account, but about a second later.
type failures struct {
	mu sync.Mutex
	// guarded by mu
	kinds    map[attempt]*attempts
	networks map[int64]int // how many kinds have one, by account
	told     int           // how many kinds of accounts have a network
	accounts bucket        // entries about accounts that may be written now
	others   bucket        // entries about strangers, likewise
	dropped  int64         // attempts that will have no entry
}

func newFailures() *failures {
	return &failures{kinds: map[attempt]*attempts{}, networks: map[int64]int{}}
}

func (f *failures) add(now time.Time, kind attempt, from Client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.kind(kind); a != nil {
		a.times++
		a.from, a.at = from, now
	}
}

// kind returns the attempts that are alike; nil when there are too many kinds. It needs mu.
func (f *failures) kind(kind attempt) *attempts {
	if f.kinds[kind] == nil && f.crowded(kind.user) {
		kind.network = ""
	}
	a := f.kinds[kind]
	if a != nil {
		return a
	}
	if kind.user != 0 && len(f.kinds) >= maxAccounts {
		f.dropped++
		return nil
	}
	a = &attempts{}
	f.kinds[kind] = a
	f.count(kind, 1)
	return a
}

// crowded reports whether no more networks are told apart for the account; needs mu.
func (f *failures) crowded(user int64) bool {
	if user == 0 {
		return f.networks[0] >= maxStrangers
	}
	return f.networks[user] >= maxAccountNetworks || f.told >= maxNetworks && f.networks[user] > 0
}

// count needs mu.
func (f *failures) count(kind attempt, n int) {
	if kind.network == "" {
		return
	}
	if kind.user != 0 {
		f.told += n
	}
	if f.networks[kind.user] += n; f.networks[kind.user] == 0 {
		delete(f.networks, kind.user)
	}
}

// due takes the attempts whose turn it is to be written, and forgets those that were. In
// the end it takes all attempts on accounts, for there is no later turn, and drops those
// of strangers that it does not take.
func (f *failures) due(now time.Time, end bool) (list []waiting) {
	f.mu.Lock()
	defer f.mu.Unlock()
	entries := map[int64]int{} // of the last attemptsEvery, by account
	for kind, a := range f.kinds {
		switch {
		case now.Before(a.next):
			entries[kind.user]++
		case a.times == 0:
			delete(f.kinds, kind)
			f.count(kind, -1)
		}
		if a.times > 0 && (end || !now.Before(a.next)) {
			list = append(list, waiting{kind, *a})
		}
	}
	refill(&f.accounts, now)
	refill(&f.others, now)
	return slices.DeleteFunc(inTurn(list, entries), func(w waiting) bool {
		a, b := f.kinds[w.attempt], f.entries(w.user)
		if late := b.tokens < 1; late && (!end || w.user == 0) {
			if end {
				f.dropped += w.times
				a.times = 0
			}
			return true
		}
		b.tokens--
		a.times, a.next = 0, now.Add(attemptsEvery)
		return false
	})
}

// entries returns the bucket of the entries about the account; needs mu.
func (f *failures) entries(user int64) *bucket {
	if user == 0 {
		return &f.others
	}
	return &f.accounts
}

// inTurn sorts what waits: first the accounts that have had the fewest entries lately, so
// that those about one account do not hold up another's, and of each the oldest first.
func inTurn(list []waiting, entries map[int64]int) []waiting {
	slices.SortFunc(list, func(x, y waiting) int { return x.at.Compare(y.at) })
	turns := make(map[attempt]int, len(list))
	for _, w := range list {
		turns[w.attempt] = entries[w.user]
		entries[w.user]++
	}
	slices.SortStableFunc(list, func(x, y waiting) int { return cmp.Compare(turns[x.attempt], turns[y.attempt]) })
	return list
}

func refill(b *bucket, now time.Time) {
	if b.at.IsZero() {
		*b = bucket{tokens: attemptsBurst, at: now}
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(attemptsBurst, b.tokens+float64(passed)/float64(attemptsRefill))
		b.at = now
	}
}

// restore gives back attempts that could not be written.
func (f *failures) restore(w waiting) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries(w.user).tokens++
	if a := f.kind(w.attempt); a != nil {
		if a.times == 0 {
			a.from, a.at = w.from, w.at
		}
		a.times += w.times
		a.next = w.next
	}
}

// lost returns how many attempts will have no entry since it was called last.
func (f *failures) lost() (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, f.dropped = f.dropped, 0
	return n
}

// pending returns how many attempts wait to be written.
func (f *failures) pending() (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.kinds {
		n += a.times
	}
	return n
}
