// Package apps defines a Pusher app: its settings, its limits, the check of both, and
// the source of a server's apps. The configuration file, the CRM's API, the Pusher
// dialect and the webhooks all use its App, so that one rule holds for all of them.
//
//   - App and Webhook are the settings. App.Check is the only check of them.
//   - Limits are an app's limits, and Table describes each of them: name, default,
//     range, sentence. Documentation is generated from the table or tested against it.
//   - Origins decides which web pages may connect.
//   - Histories decides which events are kept, and how long.
//
// The package belongs to broadcasting but contains no engine: of chatcast's packages it
// imports only channels. It starts no goroutines. Types that are safe for concurrent
// use say so.
package apps
