// Package apps says what a Pusher app is: its settings, its limits, what may be wrong
// with them, and where the apps of a server come from. The configuration file, the
// CRM's API, the Pusher dialect and the webhooks all take an App from here, so that
// one rule holds for all of them.
//
//   - App and Webhook are the settings. App.Check is the one check of them.
//   - Limits are an app's limits, and Table describes each of them: name, default,
//     range, sentence. Documentation is made of the table or held against it.
//   - Origins say which web pages may connect.
//
// The package is a part of broadcasting and has no engine in it: of ours it imports
// channels alone. It starts no goroutines; what is safe for concurrent use says so.
package apps
