package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server"
)

// A request that ends before it is done is not answered with 200, whoever ends it: the
// answer would be taken for a commit.
func TestGivenUpRequests(t *testing.T) {
	stops := crm.Unavailable("the server stops; try again")
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		for what, c := range map[string]struct {
			cause  error
			status int
			body   string
		}{
			"the client left":   {nil, server.StatusClientGone, ""},
			"the program stops": {stops, http.StatusServiceUnavailable, "the server stops; try again"},
		} {
			for _, route := range []struct{ method, path, body string }{
				{"POST", "/v1/licenses/1229/messengers/grWhatsApp/inbound", `{"messages":[{"id":"1","chat":{"id":"79990001122"},"type":"text","message":{"text":"Hi"},"fromUser":{"id":"79990001122"}}]}`},
				{"GET", "/v1/licenses", ""},
				{"POST", "/v1/tokens", `{"email":"a@b.example","password":"none of theirs"}`},
			} {
				ctx, cancel := context.WithCancelCause(t.Context())
				cancel(c.cause)
				r := httptest.NewRequestWithContext(ctx, route.method, route.path, strings.NewReader(route.body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", o.Token(o.Admin))
				w := httptest.NewRecorder()
				o.ServeHTTP(w, r)
				if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
					t.Errorf("%s: %s %s: %d %s, want %d", what, route.method, route.path, w.Code, w.Body, c.status)
				}
			}
		}
	})
}
