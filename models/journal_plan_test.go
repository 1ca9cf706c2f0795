package models_test

import (
	"strings"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// TestJournalOfChannelIsReadByChannel checks that the entries of a channel are found without
// reading all that is in the journal.
func TestJournalOfChannelIsReadByChannel(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		const entries = 20000
		series := "generate_series(1, ?) AS s (i)"
		if !store.Postgres() {
			series = "(WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < ?) SELECT i FROM s) AS s"
		}
		for _, sql := range []string{
			`INSERT INTO journal (seq, company_id, name, channels, data, created_at_ms) SELECT s.i, 1, 'event', '["c' || (s.i % 4000) || '"]', '{}', 0 FROM ` + series,
			`INSERT INTO journal_channels (channel, seq) SELECT 'c' || (s.i % 4000), s.i FROM ` + series,
		} {
			if err := store.Exec(t.Context(), sql, entries); err != nil {
				t.Fatal(err)
			}
		}
		appendEntries(t, store, entry("event", `["c7"]`), entry("event", `["c8"]`), entry("another", `["c7"]`))
		analyze(t, store)
		plan, err := store.ExplainJournalOfChannel(t.Context(), "c7", []string{"event"})
		if err != nil {
			t.Fatal(err)
		}
		// A subplan filters what an index gives in order, which is everything.
		scans := strings.Contains(plan, "Seq Scan on journal") || strings.Contains(plan, "SubPlan")
		for line := range strings.Lines(plan) {
			scans = scans || strings.HasPrefix(line, "SCAN j") && !strings.Contains(line, "journal_pending")
		}
		if scans {
			t.Errorf("the journal is scanned:\n%s", plan)
		}
		appendEntries(t, store, entry("chatMerge", `["c7"]`), entry("chatMerge", `["c8"]`))
		if plan, err := store.ExplainJournalMerges(t.Context(), 1, "c7"); err != nil || !strings.Contains(plan, "journal_merges") {
			t.Errorf("the journal is scanned for merges: %v\n%s", err, plan)
		}
		if merges, err := store.Read(t.Context()).JournalMerges(1, "c7"); err != nil || len(merges) != 1 {
			t.Errorf("%d merges of the channel, %v", len(merges), err)
		}
		err = store.Tx(t.Context(), func(tx *models.Tx) error {
			found, err := tx.LockJournalOfChannel("c7", []string{"event"})
			if err == nil && (len(found) != 6 || found[0].Seq == nil || found[5].Seq != nil) {
				t.Errorf("%d entries of the channel", len(found))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
