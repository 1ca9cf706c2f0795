package whatsapp

import (
	"context"
	"sync"

	"go.mau.fi/whatsmeow/store"
)

// ratchets guards the Signal sessions of one device. whatsmeow opens and seals a
// message by loading the session, turning its ratchet and storing it, and does
// both at once when we write to somebody whose messages are coming in: the later
// one stores over the other's turn. Then a counter is used twice, and the other
// side throws the second message away as a copy, with no word to anybody
// (whatsmeow's issue 1095).
//
//	opening   DoDecryptionTxn [ load, turn, store ]
//	sealing   GetManySessions [ turn, ask for keys ] PutManySessions
//
// What is in brackets is done under the lock. Sealing again for a phone that asked
// for it goes past this: it comes alone, and is asked for again when it fails.
type ratchets struct {
	store.SessionStore
	store.EventBuffer
	mu sync.Mutex
}

// guard puts the lock before a device's sessions, once. A device that is not
// paired yet has none.
func guard(dev *store.Device) {
	if _, guarded := dev.Sessions.(*ratchets); guarded || !dev.Initialized {
		return
	}
	r := &ratchets{SessionStore: dev.Sessions, EventBuffer: dev.EventBuffer}
	dev.Sessions, dev.EventBuffer = r, r
}

// DoDecryptionTxn implements store.EventBuffer.
func (r *ratchets) DoDecryptionTxn(ctx context.Context, open func(context.Context) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.EventBuffer.DoDecryptionTxn(ctx, open)
}

// GetManySessions implements store.SessionStore. A sealing keeps the lock from here
// until it has stored what it turned.
func (r *ratchets) GetManySessions(ctx context.Context, addresses []string) (map[string][]byte, error) {
	if s, ok := ctx.Value(sealingKey{}).(*sealing); ok {
		s.begin(r)
	}
	return r.SessionStore.GetManySessions(ctx, addresses)
}

// PutManySessions implements store.SessionStore.
func (r *ratchets) PutManySessions(ctx context.Context, sessions map[string][]byte) error {
	if s, ok := ctx.Value(sealingKey{}).(*sealing); ok {
		defer s.end()
	}
	return r.SessionStore.PutManySessions(ctx, sessions)
}

// sealing is one message on its way through whatsmeow, which hands the context on
// to the store. All of it is of one goroutine.
type sealing struct{ holds *ratchets }

type sealingKey struct{}

// sealed prepares the sending of a message. The end is for a sending that failed
// between load and store, and harmless after another.
func sealed(ctx context.Context) (_ context.Context, end func()) {
	s := new(sealing)
	return context.WithValue(ctx, sealingKey{}, s), s.end
}

func (s *sealing) begin(r *ratchets) {
	if s.holds == nil {
		r.mu.Lock()
		s.holds = r
	}
}

func (s *sealing) end() {
	if s.holds != nil {
		s.holds.mu.Unlock()
		s.holds = nil
	}
}
