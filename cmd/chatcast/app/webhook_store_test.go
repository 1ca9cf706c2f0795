package app

import (
	"fmt"
	"testing"
	"time"

	"chatcast/broadcasting/webhook/storetest"
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
