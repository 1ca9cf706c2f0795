package crm_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

func TestIdempotencyKey(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		m := saying("Hello")
		m.IdempotencyKey = "key-1"
		first := send(t, w, w.Operator, onGr, ann, m)
		mark := w.Mark(t)
		if again := send(t, w, w.Operator, onGr, ann+"@c.us", m); again != first {
			t.Errorf("again: %+v, first %+v", again, first)
		}
		other := m
		other.Content.Text = "Other"
		_, err := w.Send(t.Context(), w.Operator, chatAt(onGr, ann), other)
		wantCode(t, "another text", err, crm.CodeConflict, "")
		_, err = w.Send(t.Context(), w.Operator, chatAt(onGr, "79990001199"), m)
		wantCode(t, "another chat", err, crm.CodeConflict, "")
		if events := w.EventsAfter(t, mark); len(events) != 0 {
			t.Errorf("events %v", names(events))
		}
		// A key belongs to one user, and is free again after a failed request.
		if theirs := send(t, w, w.Owner, onGr, ann, m); theirs == first {
			t.Error("another user's key gave the same message")
		}
		failed := saying("Hi")
		failed.IdempotencyKey = "key-2"
		_, err = w.Send(t.Context(), w.Operator, chatAt(onGr, "5@lid"), failed)
		wantCode(t, "to an unknown chat", err, crm.CodeNotFound, "")
		send(t, w, w.Operator, onGr, ann, failed)
		// A day later the key is forgotten, with or without the sweeper.
		w.Clock.Advance(24*time.Hour + time.Second)
		if later := send(t, w, w.Operator, onGr, ann, other); later == first {
			t.Error("an expired key gave the old answer")
		}
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Read(t.Context()).UsedKey(w.Operator.UserID, "key-2"); err != models.ErrNotFound {
			t.Errorf("an expired key after the sweep: %v", err)
		}
		if _, err := store.Read(t.Context()).UsedKey(w.Operator.UserID, "key-1"); err != nil {
			t.Errorf("a key in use after the sweep: %v", err)
		}
	})
}

func TestIdempotencyKeyAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		var tries errgroup.Group
		answers := make([]crm.Sent, 8)
		for i := range answers {
			tries.Go(func() (err error) {
				m := saying("Hello")
				m.IdempotencyKey = "the same"
				answers[i], err = w.Send(t.Context(), w.Operator, chatAt(onGr, ann), m)
				return err
			})
		}
		if err := tries.Wait(); err != nil {
			t.Fatal(err)
		}
		if len(slices.Compact(answers)) != 1 {
			t.Errorf("answers %v", answers)
		}
		if n := len(w.Events(t, "message")); n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
	})
}

// TestTwoOperatorsSendAtOnce checks that both messages are stored, the chat is created
// once, one window opens, and the journal has the order of the commits.
func TestTwoOperatorsSendAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		const each = 10
		var both errgroup.Group
		for _, a := range []crm.Actor{w.Operator, w.Admin} {
			both.Go(func() error {
				for i := range each {
					if _, err := w.Send(t.Context(), a, chatAt(onGr, ann), saying(fmt.Sprintf("%d", i))); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := both.Wait(); err != nil {
			t.Fatal(err)
		}
		if n := len(w.Events(t, "chatConversation")); n != 1 {
			t.Errorf("%d windows", n)
		}
		next := map[int64]int{}
		for _, ev := range w.Events(t, "message") {
			m := messageOf(t, ev)
			if want := fmt.Sprint(next[m.Created.ID]); m.Message.Text != want {
				t.Errorf("user %d: %s, want %s", m.Created.ID, m.Message.Text, want)
			}
			next[m.Created.ID]++
		}
		if next[w.Operator.UserID] != each || next[w.Admin.UserID] != each {
			t.Errorf("messages %v", next)
		}
	})
}
