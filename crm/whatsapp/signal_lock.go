package whatsapp

import (
	"context"
	"sync"

	"go.mau.fi/whatsmeow/store"
)

// lockedSessions guards the Signal sessions of one device. whatsmeow decrypts and
// encrypts a message by loading the session, advancing its ratchet and storing it,
// and does both at once when we write to somebody whose messages are coming in: the
// later one overwrites the other's session. Then a counter is used twice, and the
// other side silently discards the second message as a copy (whatsmeow's issue 1095).
//
//	decrypting   DoDecryptionTxn [ load, advance, store ]
//	encrypting   GetManySessions [ advance, ask for keys ] PutManySessions
//
// The steps in brackets hold the lock. Encrypting a message again for a retry receipt does
// not take the lock: the receipt comes alone, and comes again when that fails.
type lockedSessions struct {
	store.SessionStore
	store.EventBuffer
	mu sync.Mutex
}

// guard wraps a device's sessions with the lock, once. A device that is not paired yet
// has no sessions.
func guard(dev *store.Device) {
	if _, guarded := dev.Sessions.(*lockedSessions); guarded || !dev.Initialized {
		return
	}
	r := &lockedSessions{SessionStore: dev.Sessions, EventBuffer: dev.EventBuffer}
	dev.Sessions, dev.EventBuffer = r, r
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

// GetSession implements store.SessionStore.
func (r *lockedSessions) GetSession(ctx context.Context, address string) ([]byte, error) {
	session, err := r.SessionStore.GetSession(ctx, address)
	if loaded, ok := ctx.Value(decryptionKey{}).(map[string][]byte); ok {
		loaded[address] = session
	}
	return session, err
}

// PutSession implements store.SessionStore.
func (r *lockedSessions) PutSession(ctx context.Context, address string, session []byte) error {
	if loaded, ok := ctx.Value(decryptionKey{}).(map[string][]byte); ok {
		var err error
		if session, err = untouched(loaded[address], session); err != nil {
			return err
		}
	}
	return r.SessionStore.PutSession(ctx, address, session)
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
	return r.SessionStore.PutManySessions(ctx, sessions)
}

// encryption is the encryption of one message by whatsmeow, which passes the context to
// the store. It is used by one goroutine.
type encryption struct{ holds *lockedSessions }

type encryptionKey struct{}

// withEncryption returns the context to send a message with. The caller must call end,
// which unlocks the sessions if sending failed between load and store.
func withEncryption(ctx context.Context) (_ context.Context, end func()) {
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
