package crm

import (
	"container/list"
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"sync"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"
)

// Limits of a password. The upper limit is bcrypt's, which would ignore the rest.
const (
	minPassword = 8  // characters
	maxPassword = 72 // bytes
)

// maxHashQueue is how many callers of each kind may wait for a processor. Further ones
// are asked to try again later. It is more than the throttle admits at once for one
// account from unknown addresses, so an attack on it does not keep its owner out.
const maxHashQueue = 128

// passwords hashes and compares passwords with bcrypt. It does not use argon2id,
// because a bcrypt comparison takes 4 KB and not tens of megabytes: a flood of sign-ins
// costs time, which is bounded here, but not the memory of the sockets. At most half of
// the processors hash at once, so that sign-ins cannot starve the rest.
//
// Callers that are known, because they are signed in or sign in from where they did
// before, go before the others, so that a flood of guesses does not hold them up.
type passwords struct {
	// static
	cost  int
	slots int
	decoy func() []byte // the hash of a password that nobody has

	mu sync.Mutex
	// guarded by mu
	busy           int       // of slots
	known, unknown list.List // the callers that wait, of chan struct{}
}

func newPasswords(cost int) *passwords {
	if cost == 0 {
		cost = bcrypt.DefaultCost
	}
	return &passwords{
		cost:  cost,
		slots: max(1, runtime.GOMAXPROCS(0)/2),
		decoy: sync.OnceValue(func() []byte {
			hash, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), cost)
			if err != nil {
				panic("crm: bcrypt: " + err.Error()) // a wrong cost: nothing could be hashed
			}
			return hash
		}),
	}
}

// hash returns the bcrypt hash of a password that checkPassword has passed. knownCaller
// is as in enter: whoever has only the code of an invitation or of a reset is not known.
func (p *passwords) hash(ctx context.Context, knownCaller bool, password string) (string, error) {
	leave, err := p.enter(ctx, knownCaller)
	if err != nil {
		return "", err
	}
	defer leave()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), p.cost)
	return string(hash), err
}

// matches reports whether hash is the hash of password. It takes the same time for an
// empty hash, which stands for an unknown user. knownCaller is as in enter.
func (p *passwords) matches(ctx context.Context, knownCaller bool, hash, password string) (bool, error) {
	leave, err := p.enter(ctx, knownCaller)
	if err != nil {
		return false, err
	}
	defer leave()
	known, against := hash != "" && len(password) <= maxPassword, []byte(hash)
	if !known {
		against, password = p.decoy(), "" // bcrypt takes the same time for any length
	}
	err = bcrypt.CompareHashAndPassword(against, []byte(password))
	if err != nil && !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, err
	}
	return known && err == nil, nil
}

// enter waits for a processor. The caller must call leave.
func (p *passwords) enter(ctx context.Context, known bool) (leave func(), err error) {
	p.mu.Lock()
	if p.busy < p.slots {
		p.busy++
		p.mu.Unlock()
		return p.leave, nil
	}
	queue := &p.unknown
	if known {
		queue = &p.known
	}
	if queue.Len() >= maxHashQueue {
		p.mu.Unlock()
		return nil, &Error{Code: CodeThrottled, Message: "too many people sign in at once", RetryAfter: 5}
	}
	turn := make(chan struct{})
	place := queue.PushBack(turn)
	p.mu.Unlock()
	select {
	case <-turn:
		return p.leave, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-turn: // it came meanwhile
		p.passOn()
	default:
		queue.Remove(place)
	}
	return nil, ctx.Err()
}

func (p *passwords) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passOn()
}

// passOn gives a processor to the next caller. The caller of passOn holds mu.
func (p *passwords) passOn() {
	for _, queue := range []*list.List{&p.known, &p.unknown} {
		if first := queue.Front(); first != nil {
			close(queue.Remove(first).(chan struct{}))
			return
		}
	}
	p.busy--
}

// checkPassword refuses a new password that is too short or too long.
func checkPassword(field, password string) error {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return Invalid(field, "must have at least %d characters", minPassword)
	case len(password) > maxPassword:
		return Invalid(field, "is longer than %d bytes", maxPassword)
	}
	return checkText(field, password, maxPassword)
}

// newPassword returns a random password: 26 letters and digits, 128 bits.
func newPassword() string { return rand.Text() }
