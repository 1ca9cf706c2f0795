package multiwa_test

import (
	"net/http"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
)

// ask sends a request to the REST routes.
func (h *harness) ask(t *testing.T, key, method, path, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-api-key", key)
	req.Header.Set("User-Agent", "attacker/1")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// TestChangesAreAudited renames a profile: the audit log says which key did it, and from where.
// Caches keep no answer.
func TestChangesAreAudited(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		key := h.key(t, onGr)
		res := h.ask(t, key.Key, "PUT", "/api/v1/profiles/"+h.profileOf(t, onGr), `{"name":"renamed"}`)
		if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s, Cache-Control %q", res.Status, res.Header.Get("Cache-Control"))
		}
		log, err := h.AuditLog(t.Context(), h.Owner, crm.AuditQuery{Action: crm.AuditInstanceChanged})
		if err != nil || len(log.Items) == 0 {
			t.Fatalf("%v, %v", log, err)
		}
		e := log.Items[0]
		if e.Actor.Type != crm.ActorKey || *e.Actor.ID != key.UserID || e.Address != "127.0.0.1" || e.UserAgent != "attacker/1" {
			t.Errorf("the entry is %+v", e)
		}
	})
}

// TestFilesThatGrow sends a body with a file that would take many times its size in memory.
func TestFilesThatGrow(t *testing.T) {
	h := newHarness(t, testdb.Open(t, testdb.SQLiteURL(t)))
	body := `{"to":"351912000001","x":{` + strings.Repeat(`"a":0,`, 2000) + `"b":0}}`
	if res := h.ask(t, h.key(t, onGr).Key, "POST", "/api/v1/messages/image", body); res.StatusCode != http.StatusBadRequest {
		t.Errorf("%s", res.Status)
	}
}
