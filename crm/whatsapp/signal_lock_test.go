package whatsapp

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/store"

	"chatcast/channels/testwait"
)

// noStore is a store of sessions that fails when it is told to.
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

// TestSessionsAreUnlocked: nothing is decrypted while a message is encrypted; afterwards
// it is, however the encryption went.
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
			case <-time.After(50 * time.Millisecond): // as long as it would take many times over
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
			if _, err := dev.Sessions.GetManySessions(t.Context(), nil); !errors.Is(err, c.err) { // of no message: no lock
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
