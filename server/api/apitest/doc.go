// Package apitest checks, for tests, the answers of the program's HTTP routes against
// openapi.yaml and its events against their schemas. It imports server/api and crm, and
// nothing else of ours; it starts no goroutine.
package apitest
