package whatsapp

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
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
func (n *noStore) GetSession(context.Context, string) ([]byte, error)       { return nil, n.err }
func (n *noStore) PutSession(context.Context, string, []byte) error         { return n.err }
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
			life := newLifetime(t.Context())
			guard(dev, life)
			guard(dev, life)
			if r, ok := dev.Sessions.(*lockedSessions); !ok || r.SessionStore != store.SessionStore(inner) {
				t.Fatal("guarded twice, or not at all")
			}
			ctx, end := withEncryption(t.Context(), false)
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
	guard(unpaired, nil)
	if unpaired.Sessions != nil {
		t.Error("a device without sessions is guarded")
	}
}

// TestEncryptingAgainHoldsTheLock checks that the lock is held while a message is encrypted
// again for a retry receipt, and not kept when that fails.
func TestEncryptingAgainHoldsTheLock(t *testing.T) {
	const phone = "100200301_1:0"
	unavailable := errors.New("the database is unavailable")
	open := func(t *testing.T, inner *noStore) (*lockedSessions, *lifetime) {
		dev, life := &store.Device{Sessions: inner, EventBuffer: inner, Initialized: true}, newLifetime(t.Context())
		guard(dev, life)
		return dev.Sessions.(*lockedSessions), life
	}
	free := func(t *testing.T, r *lockedSessions, want bool) {
		t.Helper()
		got := r.mu.TryLock()
		if got {
			r.mu.Unlock()
		}
		if got != want {
			t.Errorf("the sessions are free: %v, want %v", got, want)
		}
	}
	t.Run("stored", func(t *testing.T) {
		r, _ := open(t, new(noStore))
		if _, err := r.GetSession(t.Context(), phone); err != nil {
			t.Fatal(err)
		}
		free(t, r, false)
		if err := r.PutSession(t.Context(), phone, nil); err != nil {
			t.Error(err)
		}
		free(t, r, true)
	})
	t.Run("the database fails", func(t *testing.T) {
		inner := new(noStore)
		r, _ := open(t, inner)
		if _, err := r.GetSession(t.Context(), phone); err != nil {
			t.Fatal(err)
		}
		inner.err = unavailable
		if err := r.PutSession(t.Context(), phone, nil); !errors.Is(err, unavailable) {
			t.Error(err)
		}
		free(t, r, true)
		if _, err := r.GetSession(t.Context(), phone); !errors.Is(err, unavailable) {
			t.Error(err)
		}
		free(t, r, true)
	})
	t.Run("given up before", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, _ := open(t, new(noStore))
			if _, err := r.GetSession(t.Context(), phone); err != nil {
				t.Fatal(err)
			}
			time.Sleep(loanTime + time.Second)
			free(t, r, true)
			if err := r.PutSession(t.Context(), phone, nil); !errors.Is(err, errLoanOver) {
				t.Errorf("stored too late: %v", err)
			}
		})
	})
	t.Run("the connection is over", func(t *testing.T) {
		r, life := open(t, new(noStore))
		if _, err := r.GetSession(t.Context(), phone); err != nil {
			t.Fatal(err)
		}
		life.end()
		if err := r.PutSession(t.Context(), phone, nil); !errors.Is(err, errOver) {
			t.Errorf("stored beside the next connection: %v", err)
		}
		free(t, r, true)
	})
}
