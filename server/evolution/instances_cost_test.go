package evolution_test

import (
	"fmt"
	"strings"
	"testing"

	"chatcast/models/testdb"
)

// TestFetchInstancesCost counts the statements of a list of many instances: they must not be asked
// for one by one.
func TestFetchInstancesCost(t *testing.T) {
	url, executed := testdb.CountStatements(t, testdb.PostgresURL(t))
	w := newWorld(t, testdb.Open(t, url))
	w.expose()
	const more = 20
	for i := range more {
		if status, text, _ := w.request(w.company, "POST /instance/create", fmt.Sprintf(`{"instanceName":"more%d"}`, i)); status != 201 {
			t.Fatal(status, text)
		}
	}
	const fetch = "GET /instance/fetchInstances"
	w.request(w.company, fetch, "") // counts what the lines have; the figures are kept
	before := executed()
	status, text, _ := w.request(w.company, fetch, "")
	if n := executed() - before; status != 200 || strings.Count(text, `"connectionStatus"`) < more || n > 22 {
		t.Errorf("%d statements; %d %.300s", n, status, text)
	}
}
