package whatsapp

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.mau.fi/libsignal/keys/chain"
	"go.mau.fi/libsignal/state/record"
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

// keptSession is a store of one session, and of identities that may fail.
type keptSession struct {
	noStore
	store.IdentityStore
	session []byte
	trusted bool
	failing error
}

func (k *keptSession) GetSession(context.Context, string) ([]byte, error) { return k.session, nil }
func (k *keptSession) PutSession(_ context.Context, _ string, session []byte) error {
	k.session = session
	return nil
}
func (k *keptSession) PutIdentity(context.Context, string, [32]byte) error { return k.failing }
func (k *keptSession) IsTrustedIdentity(context.Context, string, [32]byte) (bool, error) {
	return k.trusted, k.failing
}

// madeSession returns a session after so many messages of ours and of the other side.
func madeSession(sent, received uint32) []byte {
	chainOf := func(index uint32) *record.ChainStructure {
		return &record.ChainStructure{
			SenderRatchetKeyPublic: []byte{5, 1}, SenderRatchetKeyPrivate: []byte{2}, ChainKey: &chain.KeyStructure{Key: []byte{byte(index)}, Index: index},
		}
	}
	return store.SignalProtobufSerializer.Session.Serialize(&record.SessionStructure{SessionState: &record.StateStructure{
		LocalIdentityPublic: []byte{5, 3}, RemoteIdentityPublic: []byte{5, 4}, RootKey: []byte{6}, SenderBaseKey: []byte{5, 7}, SessionVersion: 3,
		SenderChain: chainOf(sent), ReceiverChains: []*record.ChainStructure{chainOf(received)}, PendingPreKey: &record.PendingPreKeyStructure{},
	}})
}

func lockedKept(t *testing.T, k *keptSession) (*store.Device, *lockedSessions) {
	dev := &store.Device{Sessions: k, EventBuffer: k, Identities: k, Initialized: true}
	guard(dev, newLifetime(t.Context()))
	return dev, dev.Sessions.(*lockedSessions)
}

// TestFailedLoansEnd checks that the lock is free at once when encrypting again fails before
// the session is stored.
func TestFailedLoansEnd(t *testing.T) {
	const phone = "100200301_1:0"
	unavailable := errors.New("the database is unavailable")
	for name, c := range map[string]struct {
		session []byte
		trusted bool
		failing error
		peer    bool
	}{
		"not trusted":          {session: madeSession(3, 2)},
		"asking fails":         {session: madeSession(3, 2), failing: unavailable},
		"storing fails":        {session: madeSession(3, 2), trusted: true, failing: unavailable},
		"damaged":              {session: []byte("damaged")},
		"given up by a peer's": {session: madeSession(3, 2), trusted: true, peer: true},
	} {
		t.Run(name, func(t *testing.T) {
			dev, r := lockedKept(t, &keptSession{session: c.session, trusted: c.trusted, failing: c.failing})
			ctx, end := t.Context(), func() {}
			if c.peer {
				ctx, end = withEncryption(ctx, true)
			}
			if _, err := dev.Sessions.GetSession(ctx, phone); err != nil {
				t.Fatal(err)
			}
			if c.trusted && !c.peer {
				_ = dev.Identities.PutIdentity(ctx, phone, [32]byte{})
			} else if !c.trusted {
				_, _ = dev.Identities.IsTrustedIdentity(ctx, phone, [32]byte{})
			}
			end()
			if !r.mu.TryLock() {
				t.Fatal("the sessions are locked")
			}
			r.mu.Unlock()
			if err := dev.Sessions.PutSession(ctx, phone, madeSession(4, 2)); !errors.Is(err, errLoanOver) {
				t.Errorf("stored after it was given back: %v", err)
			}
		})
	}
}

// TestLateSessionIsNotStored checks that who encrypts again for too long cannot store its
// session in place of the next one's.
func TestLateSessionIsNotStored(t *testing.T) {
	const phone = "100200301_1:0"
	synctest.Test(t, func(t *testing.T) {
		k := &keptSession{session: madeSession(3, 2), trusted: true}
		dev, r := lockedKept(t, k)
		if _, err := dev.Sessions.GetSession(t.Context(), phone); err != nil {
			t.Fatal(err)
		}
		time.Sleep(loanTime + time.Second)
		k.session = madeSession(3, 9) // a message came meanwhile
		if _, err := dev.Sessions.GetSession(t.Context(), phone); err != nil {
			t.Fatal(err)
		}
		if err := dev.Sessions.PutSession(t.Context(), phone, madeSession(4, 2)); !errors.Is(err, errLoanOver) {
			t.Errorf("a late session is stored: %v", err)
		}
		if r.mu.TryLock() {
			t.Fatal("it has taken the lock from the next one")
		}
		if err := dev.Sessions.PutSession(t.Context(), phone, madeSession(4, 9)); err != nil || !bytes.Equal(k.session, madeSession(4, 9)) {
			t.Errorf("the next session is not stored: %v", err)
		}
		if err := dev.Sessions.PutSession(t.Context(), phone, madeSession(4, 9)); !errors.Is(err, errLoanOver) {
			t.Errorf("a session is stored twice: %v", err)
		}
	})
}

// TestWhatFollowsASession checks which records may be stored after another one.
func TestWhatFollowsASession(t *testing.T) {
	codec := store.SignalProtobufSerializer.Session
	anew := func(before []byte) []byte { // a new session beside the one before
		was, err := codec.Deserialize(before)
		if err != nil {
			t.Fatal(err)
		}
		now, err := codec.Deserialize(madeSession(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		now.SessionState.SenderBaseKey = []byte{5, 8}
		now.PreviousStates = append([]*record.StateStructure{was.SessionState}, was.PreviousStates...)
		return codec.Serialize(now)
	}
	before := madeSession(3, 2)
	for name, c := range map[string]struct {
		before, after []byte
		want          bool
	}{
		"one message":              {before, madeSession(4, 2), true},
		"none":                     {before, before, false},
		"two messages":             {before, madeSession(5, 2), false},
		"one that was decrypted":   {before, madeSession(4, 3), false},
		"the first":                {nil, madeSession(0, 0), true},
		"a new one":                {before, anew(before), true},
		"a new one after another":  {anew(before), anew(anew(before)), true},
		"a new one beside another": {madeSession(3, 3), anew(before), false},
		"damaged":                  {before, []byte("damaged"), false},
	} {
		if got := follows(c.before, c.after); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
