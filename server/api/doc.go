// Package api is the CRM over HTTP: ChatApp's REST routes, answers and errors.
//
// It reads requests, calls one method of crm.Service for each, and writes the
// answer; it holds no rule. A route is a function that returns data or an error;
// API.serve is the one place that writes either. The package starts no goroutine. Of
// ours it may import server, broadcasting, channels and crm, never models.
package api
