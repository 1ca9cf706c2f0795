// Package conformance is a table of what the Pusher protocol requires of a server, and
// the code that checks any server against it.
//
//	go test ./server/pusher/conformance -v -target ws://127.0.0.1:6001 \
//		-app-id 1 -app-key KEY -app-secret SECRET
//
// Without -target it checks chatcast's own sockets and HTTP API, started by the test;
// cmd/chatcast/e2e/program checks the whole program. With -table the result is a
// Markdown table.
//
// Each Case has the rule that it checks, in one sentence, and the exchange that shows
// it. Cases use only sockets of their own (wire.go) and net/http, so that this side
// does not repeat a mistake of the server. Nothing here sleeps: that a message does not
// come is shown by what comes after it.
//
// A feature that a server lacks gets one verdict, "unsupported", with what was
// observed; a server that claims the feature (Target.Claims) fails instead. A rule that
// can be seen only with an app made for it (a quota, a switch, a webhook) is "not run",
// with the flag that it needs.
//
// The package starts a goroutine for each case, and ends it with the case. It imports
// nothing of this module.
package conformance
