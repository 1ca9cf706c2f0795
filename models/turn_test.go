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

// awaited is what AwaitTurn returned.
type awaited struct {
	turn *models.Turn
	err  error
}

// awaitTurn calls AwaitTurn, and returns when it waits, or has ended without.
func awaitTurn(ctx context.Context, url string) (result <-chan awaited, waits bool) {
	done, waiting := make(chan awaited, 1), make(chan struct{}, 1)
	go func() {
		turn, err := models.AwaitTurn(ctx, url, func() { waiting <- struct{}{} })
		done <- awaited{turn, err}
	}()
	select {
	case <-waiting:
		return done, true
	case r := <-done:
		done <- r
		return done, false
	}
}

// One process waits until the one before yields, which knows of it.
func TestTurns(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		result, waits := awaitTurn(t.Context(), url)
		first := <-result
		if waits || first.err != nil {
			t.Fatalf("the first process: waits %t, %v", waits, first.err)
		}
		defer first.turn.Close()
		if followed, err := first.turn.Yield(t.Context()); followed || err != nil {
			t.Fatalf("nobody waits: %t, %v", followed, err)
		}

		next, waits := awaitTurn(t.Context(), url)
		if !waits {
			t.Fatalf("the next process does not wait: %v", (<-next).err)
		}
		if third, err := models.AwaitTurn(t.Context(), url, func() {}); !errors.Is(err, models.ErrOneWaits) {
			t.Errorf("a third process: %v, %v", third, err)
		}
		followed, err := first.turn.Yield(t.Context())
		if !followed || err != nil {
			t.Fatalf("one waits: %t, %v", followed, err)
		}
		select {
		case second := <-next:
			if second.err != nil {
				t.Fatal(second.err)
			}
			if followed, err := second.turn.Yield(t.Context()); followed || err != nil {
				t.Errorf("nobody waits for the second: %t, %v", followed, err)
			}
			if err := second.turn.Close(); err != nil {
				t.Error(err)
			}
		case <-time.After(testwait.Long):
			t.Fatal("the next process waits on")
		}
	})
}

// A process that ends without a word is followed too, and one that waits can be stopped.
func TestTurnOfAProcessThatEnds(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		first, err := models.AwaitTurn(t.Context(), url, func() {})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		given, waits := awaitTurn(ctx, url)
		stop()
		if r := <-given; !waits || !errors.Is(r.err, context.Canceled) {
			t.Errorf("stopped while it waits: %t, %v", waits, r.err)
		}
		next, waits := awaitTurn(t.Context(), url)
		if !waits {
			t.Error("the next process does not wait")
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		r := <-next
		if r.err != nil {
			t.Fatal(r.err)
		}
		if err := r.turn.Close(); err != nil {
			t.Error(err)
		}
	})
}
