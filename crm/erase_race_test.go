package crm_test

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestDeletionsWhileTheRelayNumbers deletes many messages in one transaction, the last
// one first, while the relay numbers their events in the order in which they were
// written. The two wait for each other's rows, and neither may fail.
func TestDeletionsWhileTheRelayNumbers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		const rounds, messages = 6, 60
		for round := range rounds {
			said, deleted := crm.InboundBatch{}, crm.InboundBatch{}
			for i := range messages {
				id := fmt.Sprintf("M%d-%d", round, i)
				said.Messages = append(said.Messages, fromCustomer(id, anna, "SECRET "+id, crmtest.Start))
				deleted.Deletes = append(deleted.Deletes, crm.InboundDelete{ID: idOf(id), Chat: chatOf(anna)})
			}
			slices.Reverse(deleted.Deletes)
			ingest(t, w, said)
			var both errgroup.Group
			both.Go(func() error {
				_, err := w.Ingest(t.Context(), onGr, deleted)
				return err
			})
			both.Go(func() error {
				for n := 1; n > 0; {
					var err error
					if n, err = w.Journal.Number(t.Context(), 1000); err != nil {
						return err
					}
				}
				return nil
			})
			if err := both.Wait(); err != nil {
				t.Fatal(err)
			}
		}
		if journalSays(t, w, "SECRET") {
			t.Error("a deleted message is in the journal")
		}
	})
}
