package pusher_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAuthOfAKey asks with the key of a program: it enters the channels of lines, but is in no
// list of people, and signs in nowhere.
func TestAuthOfAKey(t *testing.T) {
	h, granted := authorizer(t)
	const line = "v1.licenses.1229.messengers.grWhatsApp"
	for channel, want := range map[string]int{
		"private-" + line: http.StatusOK, "presence-" + line: http.StatusForbidden, "private-v1.licenses.1230.messengers.grWhatsApp": http.StatusForbidden,
		"private-v1.users.702": http.StatusForbidden, "private-v1.companies.2224": http.StatusForbidden, "presence-v1.companies.2224": http.StatusForbidden,
	} {
		granted.take()
		for _, authorization := range []string{keyToken, "Bearer " + keyToken} {
			if w := askFor(h, authorization, channel); w.Code != want {
				t.Errorf("%s with %q: %d %s", channel, authorization, w.Code, w.Body)
			}
		}
		if heard := granted.take(); (heard != "") != (want == http.StatusOK) {
			t.Errorf("%s: the engine heard %q", channel, heard)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/broadcasting/user-auth", strings.NewReader("socket_id=1234.1234"))
	r.Header.Set("Authorization", keyToken)
	r.Header.Set("Content-Type", formType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || granted.take() != "" {
		t.Errorf("sign in: %d %s", w.Code, w.Body)
	}
}
