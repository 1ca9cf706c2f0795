// Package docs serves the page at /docs: openapi.yaml, asyncapi.yaml and the schemas
// of the events, for people.
//
// The page is made once, at the first request, from what server/api and crm serve to
// programs, adds nothing to it, and is kept compressed. It works without a script and
// asks no other origin for anything: its one script only adds copying and finding. The
// package starts no goroutine. Of ours it may import server/api and crm.
package docs
