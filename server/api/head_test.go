package api_test

import (
	"net/http"
	"slices"

	"chatcast/models/testdb"
)

// headsOf returns a function for walker.succeeded that sends a HEAD after the first success
// of every GET. It has the same status, or 405 where the reference says so; and the rows
// of the database, the events that no journal keeps, and the messenger stay as they are.
// The reference says so of those that change something and of no other. asked tells which
// were asked.
func headsOf(w *walker, asked map[string]bool) func(s step) {
	return func(s step) {
		w.t.Helper()
		name := w.op.String()
		if w.op.Method != http.MethodGet || asked[name] {
			return
		}
		asked[name] = true
		refused := w.op.Responses.Value("405") != nil
		if changes := slices.Contains(changesByGET, name); refused != changes {
			w.t.Errorf("%s changes something: %v; the reference has a 405: %v", name, changes, refused)
		}
		before, told, tries := testdb.Contents(w.t, w.Store), len(w.Live.Published()), w.phone.tries
		rec := w.record(s, http.MethodHead)
		if want := map[bool]int{false: http.StatusOK, true: http.StatusMethodNotAllowed}[refused]; rec.Code != want {
			w.t.Errorf("HEAD of %s: %d %s, want %d", name, rec.Code, rec.Body, want)
		}
		if allow := rec.Header().Get("Allow"); refused != (allow == http.MethodGet) {
			w.t.Errorf("HEAD of %s: Allow is %q", name, allow)
		}
		if tables := testdb.Changed(before, testdb.Contents(w.t, w.Store)); len(tables) > 0 {
			w.t.Errorf("HEAD of %s has changed %v", name, tables)
		}
		if len(w.Live.Published()) != told || w.phone.tries != tries {
			w.t.Errorf("HEAD of %s has told somebody", name)
		}
	}
}
