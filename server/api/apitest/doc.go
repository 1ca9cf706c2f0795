// Package apitest holds answers of the program's HTTP routes against openapi.yaml,
// for tests. It imports server/api and nothing else of ours; it starts no
// goroutine.
package apitest
