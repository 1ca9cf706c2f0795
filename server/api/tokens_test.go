package api_test

import (
	"io"
	"net/http/httptest"
	"net/url"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// TestSignInByQueryWithAnEmptyBody checks that a body of unknown length that is empty, as
// some clients send with every POST, counts as no body.
func TestSignInByQueryWithAnEmptyBody(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := unchecked(t, store) // a check would read the body first
		query := url.Values{"email": {"test@test.test"}, "password": {secret}}.Encode()
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/tokens?"+query, io.MultiReader())
		if r.ContentLength != -1 {
			t.Fatalf("the length is known: %d", r.ContentLength)
		}
		w := httptest.NewRecorder()
		o.ServeHTTP(w, r)
		if w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// TestFieldsGivenTwice checks that neither a form nor JSON may name a field twice.
func TestFieldsGivenTwice(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		o := open(t, store)
		multi, multiType := form(t, "email", "test@test.test", "password", "wrong", "password", secret)
		for kind, body := range map[string]string{
			"application/x-www-form-urlencoded": url.Values{"email": {"test@test.test"}, "password": {"wrong", secret}}.Encode(),
			multiType:                           string(multi),
			"application/json":                  `{"email":"test@test.test","password":"wrong","password":"` + secret + `"}`,
		} {
			got := o.ask(t, "POST", "/v1/tokens", body, "Content-Type", kind)
			got.want(t, kind, 422, "ApiValidationError")
			if got.Error.Fields["password"] != "is given twice" {
				t.Errorf("%s: %s", kind, got.Body)
			}
		}
	})
}
