// Package console serves the console at /: a browser app, built from web/ into dist/,
// which is embedded.
//
// A program that was built without npm has no console. Then / is page.html, which shows
// how to use the server from a browser and from a shell.
//
// Everything served here is public: it contains no secret and no data of the CRM. The
// app signs in and listens like any other client. Of this module the package may import
// server. It starts no goroutine.
package console
