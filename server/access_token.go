package server

import (
	"net/http"
	"strings"
)

// AccessToken is the Authorization header without "Bearer ", if that is there:
// ChatApp's clients send the token raw, Laravel Echo's as Bearer. Empty when
// there is none.
func AccessToken(r *http.Request) string {
	h := strings.TrimSpace(r.Header.Get("Authorization"))
	if scheme, token, _ := strings.Cut(h, " "); strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	return h
}
