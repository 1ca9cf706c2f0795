package crm_test

import (
	"fmt"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models/testdb"
)

// TestStatementsOfAHistory counts what each further message of a history costs the database.
// Whether its chat is here is asked once for all of them.
func TestStatementsOfAHistory(t *testing.T) {
	url, executed := testdb.CountStatements(t, testdb.PostgresURL(t))
	w, _ := paired(t, testdb.Open(t, url))
	n := 0
	cost := func(messages int) int {
		batch := crm.InboundBatch{History: true}
		for range messages {
			n++
			batch.Messages = append(batch.Messages, fromCustomer(fmt.Sprint("H", n), anna, "Hi", crmtest.Start-int64(n)))
		}
		before := executed()
		ingest(t, w, batch)
		return executed() - before
	}
	cost(1) // makes the chat
	const more, most = 50, 6
	if one, many := cost(1), cost(1+more); many-one > more*most || many == one {
		t.Errorf("a message costs %d statements, and %d more cost %d: want at most %d each", one, more, many-one, most)
	}
}
