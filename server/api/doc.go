// Package api is the CRM over HTTP: ChatApp's REST routes, answers and errors.
//
// It reads requests, calls one method of crm.Service for each, and writes the
// answer; it holds no rule. It imports server, broadcasting and crm, never
// models. It starts no goroutine.
package api
