// Package docs is the page at /docs: openapi.yaml, asyncapi.yaml and the schemas
// of the events, for people.
//
// The page is made once, at the first request, from what server/api and crm serve
// to programs; it says nothing that is not in them, and is kept compressed. It
// needs no script and asks no other origin for anything: its one script only adds
// copying and finding. It starts no goroutine. Of ours it may import server/api
// and crm.
package docs
