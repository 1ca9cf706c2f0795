//go:build !unix

package webhook_test

import (
	"context"
	"net"
	"net/http"
)

func withConn(ctx context.Context, _ net.Conn) context.Context { return ctx }

// givenUp reports whether the server knows that the client of a request has gone. It may not know
// yet.
func givenUp(req *http.Request) bool { return req.Context().Err() != nil }
