package webhook_test

import (
	"encoding/json"
	"testing"

	"chatcast/broadcasting"
	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/crm/webhook"
	"chatcast/models/testdb"
)

// TestMergedDuringALook gives a selected chat another id while the next event of its URL is
// looked for: the first event with that id is found.
func TestMergedDuringALook(t *testing.T) {
	url := testdb.PostgresURL(t)
	w := &world{World: crmtest.New(t, testdb.Open(t, url)), t: t, log: &testwait.Output{}}
	w.relay = broadcasting.NewRelay(broadcasting.RelayOptions{Journal: w.Journal}) // does not run
	w.hooks = w.newHooks(webhook.Options{})
	w.hooks.Serve(w.Service)
	w.Callbacks = w.hooks
	ingest := func(body string) {
		t.Helper()
		var in crm.InboundRequest
		if err := json.Unmarshal([]byte(body), &in); err != nil {
			t.Fatal(err)
		}
		if _, err := w.IngestAs(t.Context(), w.Owner, line, in); err != nil {
			t.Fatal(err)
		}
	}
	ingest(`{"messages":[{"id":"m1","chat":"555@lid","message":{"text":"Hi"}}]}`)
	if _, err := w.Journal.Number(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	d := w.set(line, crm.CallbackInput{URL: newReceiver(t).url, Events: []string{"message"}, Chats: []string{"555@lid"}})
	held := testdb.HoldTable(t, url, "journal_state")
	type look struct {
		*crm.CallbackNext
		err error
	}
	looked := make(chan look, 1)
	go func() {
		next, err := w.NextCallback(t.Context(), d.ID, d.LastEventID)
		looked <- look{next, err}
	}()
	testwait.Count(t, "who look", 1, held.Waiting)
	ingest(`{"messages":[{"id":"m2","chat":{"id":"79990001122@c.us","lid":"555@lid"},"message":{"text":"Hi"}}]}`)
	held.NumberJournal()
	held.Release()
	got := <-looked
	if got.err != nil {
		t.Fatal(got.err)
	}
	if got.Event == nil || got.Event.Name != "message" {
		t.Errorf("found is %+v, up to %d of %d", got.Event, got.Seen, w.last())
	}
}
