package whatsapp

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow/store"
)

// lockedSessions guards the Signal sessions of one device. whatsmeow decrypts and
// encrypts a message by loading the session, advancing its ratchet and storing it,
// and does both at once when we write to somebody whose messages are coming in: the
// later one overwrites the other's session. Then a counter is used twice, and the
// other side silently discards the second message as a copy (whatsmeow's issue 1095).
//
//	decrypting        DoDecryptionTxn [ load, advance, store ]
//	encrypting        GetManySessions [ advance, ask for keys ] PutManySessions
//	encrypting again  GetSession      [ advance ]               PutSession
//
// The steps in brackets hold the lock. whatsmeow encrypts a message again for a retry
// receipt, for each of them in a goroutine of its own; and it writes to our own phone in
// the same way. It does not say who loads and who stores then, and whose time is over may
// come late: so a session is stored only if it follows the one that was loaded.
type lockedSessions struct {
	store.SessionStore
	store.EventBuffer
	life *lifetime
	mu   sync.Mutex
	lent atomic.Pointer[loan] // the lock is held by who encrypts again
}

// guard wraps a device's sessions with the lock, once. A device that is not paired yet
// has no sessions.
func guard(dev *store.Device, l *lifetime) {
	if _, guarded := dev.Sessions.(*lockedSessions); guarded || !dev.Initialized {
		return
	}
	r := &lockedSessions{SessionStore: dev.Sessions, EventBuffer: dev.EventBuffer, life: l}
	dev.Sessions, dev.EventBuffer, dev.Identities = r, r, lockedIdentities{dev.Identities, r}
	dev.SenderKeys = senderKeys{dev.SenderKeys, l}
}

// senderKeys refuses keys of groups that may have advanced in another process.
type senderKeys struct {
	store.SenderKeyStore
	life *lifetime
}

// PutSenderKey implements store.SenderKeyStore.
func (k senderKeys) PutSenderKey(ctx context.Context, group, user string, session []byte) error {
	if k.life.foreign() {
		return errOver
	}
	return k.SenderKeyStore.PutSenderKey(ctx, group, user, session)
}

// DoDecryptionTxn implements store.EventBuffer.
func (r *lockedSessions) DoDecryptionTxn(ctx context.Context, open func(context.Context) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.EventBuffer.DoDecryptionTxn(ctx, func(ctx context.Context) error {
		return open(context.WithValue(ctx, decryptionKey{}, map[string][]byte{}))
	})
}

// decryptionKey is the key of the sessions that a decryption has loaded, by address.
type decryptionKey struct{}

// GetSession implements store.SessionStore. Who is neither decrypting nor encrypting a new
// message holds the lock from here until it has stored the session.
func (r *lockedSessions) GetSession(ctx context.Context, address string) ([]byte, error) {
	if loaded, ok := ctx.Value(decryptionKey{}).(map[string][]byte); ok {
		session, err := r.SessionStore.GetSession(ctx, address)
		loaded[address] = session
		return session, err
	}
	if ctx.Value(encryptionKey{}) != nil {
		return r.SessionStore.GetSession(ctx, address)
	}
	return r.lend(ctx, address)
}

// PutSession implements store.SessionStore.
func (r *lockedSessions) PutSession(ctx context.Context, address string, session []byte) (err error) {
	if r.life.foreign() {
		return errOver
	}
	if loaded, ok := ctx.Value(decryptionKey{}).(map[string][]byte); ok {
		if session, err = untouched(loaded[address], session); err != nil {
			return err
		}
	} else if ctx.Value(encryptionKey{}) == nil {
		l := r.lent.Load()
		if l == nil || l.address != address || !follows(l.loaded, session) || !l.claim() {
			return errLoanOver
		}
		defer r.giveBack(l)
		if !r.life.begin() { // the sessions are those of the next connection
			return errOver
		}
		defer r.life.works.Done()
	}
	return r.SessionStore.PutSession(ctx, address, session)
}

// loan is the lock while a message is encrypted again. Not every failure of that is told, so
// the loan ends after loanTime.
type loan struct {
	address string
	loaded  []byte
	end     *time.Timer
}

const loanTime = 30 * time.Second

// errLoanOver refuses a session that another may have advanced meanwhile. With
// context.Canceled, whatsmeow does not acknowledge the retry receipt, which comes again.
var errLoanOver = fmt.Errorf("whatsapp: encrypting a message again took too long: %w", context.Canceled)

// lend loads a session. It holds the lock until the session is stored.
func (r *lockedSessions) lend(ctx context.Context, address string) ([]byte, error) {
	r.mu.Lock()
	session, err := r.SessionStore.GetSession(ctx, address)
	if err != nil || session != nil && !usable(session) { // then nothing is stored
		r.mu.Unlock()
		return session, err
	}
	l := &loan{address: address, loaded: session}
	l.end = time.AfterFunc(loanTime, func() { r.giveBack(l) })
	r.lent.Store(l)
	if own, ok := ctx.Value(peerKey{}).(*peerLoan); ok {
		own.r, own.l = r, l
	}
	return session, nil
}

// claim ends the time of a loan. It returns true once, and never after the time was over:
// then the caller must give the loan back.
func (l *loan) claim() bool { return l.end.Stop() }

func (r *lockedSessions) giveBack(l *loan) {
	if r.lent.CompareAndSwap(l, nil) {
		r.mu.Unlock()
	}
}

// failed gives back the loan for an address, because nothing will be stored.
func (r *lockedSessions) failed(ctx context.Context, address string) {
	if ctx.Value(decryptionKey{}) != nil || ctx.Value(encryptionKey{}) != nil {
		return
	}
	if l := r.lent.Load(); l != nil && l.address == address && l.claim() {
		r.giveBack(l)
	}
}

// lockedIdentities are asked between loading and storing a session. When they fail, or do
// not trust the other side, the session is not stored.
type lockedIdentities struct {
	store.IdentityStore
	r *lockedSessions
}

// PutIdentity implements store.IdentityStore.
func (i lockedIdentities) PutIdentity(ctx context.Context, address string, key [32]byte) error {
	err := i.IdentityStore.PutIdentity(ctx, address, key)
	if err != nil {
		i.r.failed(ctx, address)
	}
	return err
}

// IsTrustedIdentity implements store.IdentityStore.
func (i lockedIdentities) IsTrustedIdentity(ctx context.Context, address string, key [32]byte) (bool, error) {
	trusted, err := i.IdentityStore.IsTrustedIdentity(ctx, address, key)
	if err != nil || !trusted {
		i.r.failed(ctx, address)
	}
	return trusted, err
}

// GetManySessions implements store.SessionStore. An encryption holds the lock from here
// until it has stored the sessions.
func (r *lockedSessions) GetManySessions(ctx context.Context, addresses []string) (map[string][]byte, error) {
	if s, ok := ctx.Value(encryptionKey{}).(*encryption); ok {
		s.begin(r)
	}
	return r.SessionStore.GetManySessions(ctx, addresses)
}

// PutManySessions implements store.SessionStore.
func (r *lockedSessions) PutManySessions(ctx context.Context, sessions map[string][]byte) error {
	if s, ok := ctx.Value(encryptionKey{}).(*encryption); ok {
		defer s.end()
	}
	if r.life.foreign() {
		return errOver
	}
	return r.SessionStore.PutManySessions(ctx, sessions)
}

// encryption is the encryption of one message by whatsmeow, which passes the context to
// the store. It is used by one goroutine.
type encryption struct{ holds *lockedSessions }

type encryptionKey struct{}

// peerLoan is the loan of a message to our own phone, which ends with its sending.
type peerLoan struct {
	r *lockedSessions
	l *loan // the latest
}

type peerKey struct{}

func (p *peerLoan) end() {
	if p.l != nil && p.l.claim() {
		p.r.giveBack(p.l)
	}
}

// withEncryption returns the context to send a message with. The caller must call end,
// which unlocks the sessions if sending failed between load and store. whatsmeow loads and
// stores the session of the own phone, a peer, one by one, as when it encrypts again: then
// the lock is lent.
func withEncryption(ctx context.Context, peer bool) (_ context.Context, end func()) {
	if peer {
		p := new(peerLoan)
		return context.WithValue(ctx, peerKey{}, p), p.end
	}
	s := new(encryption)
	return context.WithValue(ctx, encryptionKey{}, s), s.end
}

func (s *encryption) begin(r *lockedSessions) {
	if s.holds == nil {
		r.mu.Lock()
		s.holds = r
	}
}

func (s *encryption) end() {
	if s.holds != nil {
		s.holds.mu.Unlock()
		s.holds = nil
	}
}
