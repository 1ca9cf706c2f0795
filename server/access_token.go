package server

import (
	"net/http"
	"strings"
)

// AccessToken returns the Authorization header without its "Bearer " prefix, if any:
// ChatApp's clients send the token raw, Laravel Echo sends it as Bearer. It returns ""
// when there is no token.
func AccessToken(r *http.Request) string {
	h := strings.TrimSpace(r.Header.Get("Authorization"))
	if scheme, token, _ := strings.Cut(h, " "); strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	return h
}
