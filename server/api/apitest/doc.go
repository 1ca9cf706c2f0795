// Package apitest holds answers of the program's HTTP routes against openapi.yaml,
// and events against their schemas, for tests. It imports server/api and crm, and
// nothing else of ours; it starts no goroutine.
package apitest
