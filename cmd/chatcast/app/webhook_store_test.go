package app

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"chatcast/broadcasting/webhook"
	"chatcast/broadcasting/webhook/storetest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestWebhookStore checks the contract for two processes with connections of their own.
func TestWebhookStore(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": testdb.SQLiteURL, "postgres": testdb.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Subject { return twoProcesses(t, url(t)) })
		})
	}
}

// What is given up is in the log from the commit on with which it waits no more.
func TestGivenUpIsLogged(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *models.Store) {
		store, ctx := NewWebhookStore(db), t.Context()
		if _, err := store.Load(ctx, webhook.Claim{Owner: "me", TTL: time.Minute, Apps: []string{"x"}}); err != nil {
			t.Fatal(err)
		}
		b := &webhook.Batch{New: []webhook.Delivery{{App: "x", Endpoint: "e", Events: `{"name":"cache_miss"}`, Count: 1}}}
		if err := store.Commit(ctx, "me", b); err != nil {
			t.Fatal(err)
		}
		gone := webhook.Attempt{App: "x", Endpoint: "e", Kind: webhook.KindGivenUp, Batch: "b", Events: b.New[0].Events, Count: 1, Reason: "timeout", Error: "no answer"}
		last := &webhook.Batch{Done: []webhook.Ref{{App: "x", ID: b.New[0].ID}}, GivenUp: []webhook.Attempt{gone}}
		var lost *webhook.LeaseError
		if err := store.Commit(ctx, "another", last); !errors.As(err, &lost) {
			t.Errorf("by another: %v", err)
		}
		if err := store.Commit(ctx, "me", last); err != nil {
			t.Fatal(err)
		}
		read := db.Read(ctx)
		rows, err := read.WebhookLog(models.WebhookLogQuery{AppID: "x", Endpoint: "e"}, 10)
		if err != nil || len(rows) != 1 || rows[0].Kind != webhook.KindGivenUp || rows[0].Names != "cache_miss" || rows[0].Error != "no answer" {
			t.Fatalf("the log is %+v: %v", rows, err)
		}
		if kept, err := read.WebhookBatch(&rows[0]); err != nil || kept.Events != gone.Events {
			t.Errorf("its events are %+v: %v", kept, err)
		}
		if waiting, err := read.WaitingWebhooks("x"); err != nil || len(waiting) > 0 {
			t.Errorf("%v wait: %v", waiting, err)
		}
	})
}

// twoProcesses opens the database twice. It passes time by moving the ends of leases.
func twoProcesses(t *testing.T, url string) storetest.Subject {
	a, b := testdb.Open(t, url), testdb.Open(t, url)
	a.Rehearse() // every transaction may begin again
	b.Rehearse()
	side, _, err := a.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { side.Close() })
	return storetest.Subject{A: NewWebhookStore(a), B: NewWebhookStore(b), Pass: func(t *testing.T, d time.Duration) {
		t.Helper()
		if _, err := side.ExecContext(t.Context(), fmt.Sprint("UPDATE app_webhook_leases SET until_ms = until_ms - ", d.Milliseconds())); err != nil {
			t.Fatal(err)
		}
	}}
}
