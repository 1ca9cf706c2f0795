package evolution_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models/testdb"
)

// TestFiguresOfInstances counts what several lines have at once, each for itself.
func TestFiguresOfInstances(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.talk()
		w.ingest(inTeam("3A6C1F0E2B4D5A7C9E12", "Bob", crmtest.Start-30))
		none := w.key(w.Owner, crm.KeyInput{Name: "sends", Rights: []string{crm.KeySend}})
		for key, shop := range map[string]string{w.company: `{"Message":4,"Contact":2,"Chat":2}`, none: `{"Message":0,"Contact":0,"Chat":0}`} {
			_, text, _ := w.request(key, "GET /instance/fetchInstances", "")
			var rows []struct {
				Name  string          `json:"name"`
				Count json.RawMessage `json:"_count"`
			}
			if err := json.Unmarshal([]byte(text), &rows); err != nil || len(rows) != 3 {
				t.Fatalf("%v: %s", err, text)
			}
			for _, r := range rows {
				want := `{"Message":0,"Contact":0,"Chat":0}`
				if r.Name == "shop" {
					want = shop
				}
				if string(r.Count) != want {
					t.Errorf("%s has %s, want %s", r.Name, r.Count, want)
				}
			}
		}
	})
}

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
	for _, most := range []int64{22 + 2, 22} { // the first time it counts what the lines have; the figures are kept
		before := executed()
		status, text, _ := w.request(w.company, fetch, "")
		if n := executed() - before; status != 200 || strings.Count(text, `"connectionStatus"`) < more || int64(n) > most {
			t.Errorf("%d statements; %d %.300s", n, status, text)
		}
	}
}
