// Package console serves the console at /: an app of the browser, built from
// web/ into dist/, which is embedded.
//
// A program that was built without npm has no console. Then / is page.html, which
// shows how to use the server from a browser and from a shell.
//
// All that is served here is open to everybody: it knows no secret and no data of
// the CRM. The app signs in and listens as any other client does. The package
// imports nothing of ours and starts no goroutine.
package console
