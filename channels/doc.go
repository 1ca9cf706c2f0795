// Package channels owns the names of channels and decides who may enter them.
//
// Names are parsed here and nowhere else: the kind from the prefix (with its
// dash), the limits, and, for the channels of the CRM, the family with its ids.
// Policy decides whether a user may enter a CRM channel, and CheckClientEvent what
// sockets may send there.
//
// The package is pure: strings in, verdicts out. It has no goroutines and no
// lifecycle, and imports nothing but the standard library.
package channels
