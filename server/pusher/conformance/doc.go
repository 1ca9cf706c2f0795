// Package conformance is a table of what the Pusher protocol asks of a server, and
// what holds it against one: any server, of anybody.
//
//	go test ./server/pusher/conformance -v -target ws://127.0.0.1:6001 \
//		-app-id 1 -app-key KEY -app-secret SECRET
//
// Without -target it is held against chatcast's own sockets and HTTP API, started by
// the test; cmd/chatcast/e2e/program holds it against the whole program. With -table the result
// is a Markdown table.
//
// Each Case has the rule that it checks, in one sentence, and the exchange that
// shows it. Cases speak through sockets of their own (wire.go) and net/http alone, so
// that no mistake of the server is repeated on this side. Nothing here sleeps: what
// must not come is shown by what comes after it.
//
// A feature that a server does not have is one verdict, "unsupported", with what was
// observed; a server that claims the feature (Target.Claims) fails instead. What
// cannot be seen from outside without an app made for it (a quota, a switch, a
// webhook) is "not run", and says which flag it needs.
//
// The package starts a goroutine for each case, and ends it with the case. It
// imports nothing of ours.
package conformance
