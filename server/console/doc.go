// Package console is the page at /: what runs here, and how to use it from a
// browser and from a shell.
//
// It is one embedded page without scripts or outside assets, filled in for the
// address it was asked at. It knows no secret and no data of the CRM. It imports
// nothing of ours and starts no goroutine.
package console
