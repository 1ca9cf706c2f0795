package whatsapp

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/store"

	"chatcast/channels/testwait"
)

// noStore is a store of sessions that returns err.
type noStore struct {
	store.SessionStore
	store.EventBuffer
	err error
}

func (n *noStore) GetManySessions(context.Context, []string) (map[string][]byte, error) {
	return nil, n.err
}
func (n *noStore) PutManySessions(context.Context, map[string][]byte) error { return n.err }
func (n *noStore) DoDecryptionTxn(ctx context.Context, open func(context.Context) error) error {
	return open(ctx)
}

// TestSessionsAreUnlocked checks that nothing is decrypted while a message is encrypted,
// and that decryption continues afterwards, whether or not the encryption succeeded.
func TestSessionsAreUnlocked(t *testing.T) {
	unavailable := errors.New("the database is unavailable")
	for name, c := range map[string]struct {
		err    error
		stores bool
	}{"stored": {nil, true}, "not stored": {unavailable, true}, "given up before": {unavailable, false}} {
		t.Run(name, func(t *testing.T) {
			inner := &noStore{err: c.err}
			dev := &store.Device{Sessions: inner, EventBuffer: inner, Initialized: true}
			guard(dev)
			guard(dev)
			if r, ok := dev.Sessions.(*lockedSessions); !ok || r.SessionStore != store.SessionStore(inner) {
				t.Fatal("guarded twice, or not at all")
			}
			ctx, end := withEncryption(t.Context())
			if _, err := dev.Sessions.GetManySessions(ctx, nil); !errors.Is(err, c.err) {
				t.Fatal(err)
			}
			opened := make(chan error, 1)
			go func() {
				opened <- dev.EventBuffer.DoDecryptionTxn(t.Context(), func(context.Context) error { return nil })
			}()
			select {
			case <-opened:
				t.Fatal("decrypted while a message is encrypted")
			case <-time.After(50 * time.Millisecond): // many times longer than a decryption takes
			}
			if c.stores {
				if err := dev.Sessions.PutManySessions(ctx, nil); !errors.Is(err, c.err) {
					t.Fatal(err)
				}
			} else {
				end()
			}
			select {
			case err := <-opened:
				if err != nil {
					t.Error(err)
				}
			case <-testwait.Context(t).Done():
				t.Fatal("the lock is kept")
			}
			end()
			if _, err := dev.Sessions.GetManySessions(t.Context(), nil); !errors.Is(err, c.err) { // not for a message: takes no lock
				t.Error(err)
			}
		})
	}
	unpaired := new(store.Device)
	guard(unpaired)
	if unpaired.Sessions != nil {
		t.Error("a device without sessions is guarded")
	}
}
