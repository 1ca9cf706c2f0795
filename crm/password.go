package crm

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"
)

// Limits of a password. The upper limit is bcrypt's, which would ignore the rest.
const (
	minPassword = 8  // characters
	maxPassword = 72 // bytes
)

// maxHashQueue is how many sign-ins may wait for a processor. Further ones are asked to
// try again later.
const maxHashQueue = 64

// passwords hashes and compares passwords with bcrypt. It does not use argon2id,
// because a bcrypt comparison takes 4 KB and not tens of megabytes: a flood of sign-ins
// costs time, which is bounded here, but not the memory of the sockets. At most half of
// the processors hash at once, so that sign-ins cannot starve the rest.
type passwords struct {
	// static
	cost  int
	slots chan struct{}
	decoy func() []byte // the hash of a password that nobody has

	waiting atomic.Int32
}

func newPasswords(cost int) *passwords {
	if cost == 0 {
		cost = bcrypt.DefaultCost
	}
	return &passwords{
		cost:  cost,
		slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		decoy: sync.OnceValue(func() []byte {
			hash, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), cost)
			if err != nil {
				panic("crm: bcrypt: " + err.Error()) // a wrong cost: nothing could be hashed
			}
			return hash
		}),
	}
}

// hash returns the bcrypt hash of a password that checkPassword has passed.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), p.cost)
	return string(hash), err
}

// matches reports whether hash is the hash of password. It takes the same time for an
// empty hash, which stands for an unknown user.
func (p *passwords) matches(ctx context.Context, hash, password string) (bool, error) {
	leave, err := p.enter(ctx)
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
func (p *passwords) enter(ctx context.Context) (leave func(), err error) {
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > maxHashQueue {
		return nil, &Error{Code: CodeThrottled, Message: "too many people sign in at once", RetryAfter: 5}
	}
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
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
