// Package channels owns the names of channels and who may enter them.
//
// A name is parsed here and nowhere else: its kind from the prefix (with its
// dash), its limits, and, for the channels of the CRM, the family with its ids.
// Policy says whether a user may enter a CRM channel.
//
// The package is pure: strings in, verdicts out. It has no goroutines and no
// lifecycle, and imports nothing but the standard library.
package channels
