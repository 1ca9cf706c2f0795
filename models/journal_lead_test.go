package models_test

import (
	"context"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestSilentLeader tests that a node whose process is held up does not keep the lead of the
// journal, and that it learns that it has lost it.
func TestSilentLeader(t *testing.T) {
	t.Cleanup(models.SetLeaderSilence(time.Second))
	url := testdb.PostgresURL(t)
	p := testdb.Between(t, url)
	ctx, stop := context.WithCancel(t.Context())
	heard := models.JournalHeard{Appended: func() {}, Published: func() {}}
	lead := func(url string) (leads chan struct{}, ended chan error) {
		store := testdb.Open(t, url)
		leads, ended = make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- store.LeadJournal(ctx, heard, func(held context.Context) error {
				close(leads)
				select {
				case <-held.Done():
				case <-ctx.Done():
				}
				return nil
			})
		}()
		return leads, ended
	}
	await := func(what string, leads <-chan struct{}) {
		t.Helper()
		select {
		case <-leads:
		case <-time.After(testwait.Long):
			t.Fatalf("%s does not lead", what)
		}
	}
	first, lost := lead(p.URL)
	await("the first node", first)
	p.Hang()
	second, ended := lead(url)
	await("another node", second)
	p.Heal()
	if err := <-lost; err == nil {
		t.Error("the node that was held up does not know that it has lost the lead")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
