package models_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/models"
	"chatcast/models/testdb"
)

// A server of PostgreSQL that restarts forgets who serves the database. The process that
// does takes the lock again, before another one can.
func TestLockIsKept(t *testing.T) {
	url := testdb.PostgresURL(t)
	store := testdb.Open(t, url)
	if err := store.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	again, kept := make(chan struct{}, 1), make(chan error, 1)
	go func() { kept <- store.KeepLock(ctx, func(context.Context) { again <- struct{}{} }) }()
	for range 2 {
		if n := testdb.KillLockHolders(t, url); n != 1 {
			t.Fatalf("%d connections held locks", n)
		}
		awaitLock(t, again, kept)
		if err := testdb.Open(t, url).Lock(t.Context()); !errors.Is(err, models.ErrLocked) {
			t.Errorf("a second server: %v", err)
		}
	}
	stop()
	if err := <-kept; err != nil {
		t.Errorf("at the end: %v", err)
	}
}

// A process that finds another one in its place is told to stop.
func TestLockIsLost(t *testing.T) {
	url := testdb.PostgresURL(t)
	store, other := testdb.Open(t, url), testdb.Open(t, url)
	if err := store.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := testdb.KillLockHolders(t, url); n != 1 {
		t.Fatalf("%d connections held locks", n)
	}
	if err := other.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := store.KeepLock(t.Context(), func(context.Context) {}); !errors.Is(err, models.ErrLocked) {
		t.Errorf("another server has the database: %v", err)
	}
}

// The lock that servers share is taken again too: otherwise one that wants to be alone could
// start beside them.
func TestSharedLockIsKept(t *testing.T) {
	url := testdb.PostgresURL(t)
	store := testdb.Open(t, url)
	if err := store.LockShared(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	again, kept := make(chan struct{}, 1), make(chan error, 1)
	go func() { kept <- store.KeepLock(ctx, func(context.Context) { again <- struct{}{} }) }()
	if n := testdb.KillLockHolders(t, url); n == 0 {
		t.Fatal("no connection held locks")
	}
	awaitLock(t, again, kept)
	if err := testdb.Open(t, url).Lock(t.Context()); !errors.Is(err, models.ErrLocked) {
		t.Errorf("a server that wants to be alone: %v", err)
	}
	if err := testdb.Open(t, url).LockShared(t.Context(), "b"); !errors.Is(err, models.ErrOtherBus) {
		t.Errorf("a server of another bus: %v", err)
	}
	if err := testdb.Open(t, url).LockShared(t.Context(), "a"); err != nil {
		t.Errorf("a server of the same bus: %v", err)
	}
	stop()
	if err := <-kept; err != nil {
		t.Errorf("at the end: %v", err)
	}
}

// awaitLock waits until KeepLock has taken the lock again. kept gets what KeepLock returns.
func awaitLock(t *testing.T, again <-chan struct{}, kept <-chan error) {
	t.Helper()
	select {
	case <-again:
	case err := <-kept:
		t.Fatalf("the lock is given up: %v", err)
	case <-time.After(testwait.Long):
		t.Fatal("the lock is not taken again")
	}
}
