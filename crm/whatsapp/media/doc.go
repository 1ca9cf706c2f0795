// Package media reads what WhatsApp wants to be told of a file besides its bytes: its type,
// its size in pixels, its duration, a thumbnail, the waveform of a recording. It also moves
// recordings of browsers from WebM to Ogg, which is what WhatsApp plays as a voice message.
//
// Files come from users, and may be cut off or lie about themselves. A file that is not
// understood has an empty Info, and is then sent as a document. What is read of one file
// and the memory for it are bounded. The package starts no goroutines and imports none of
// the program's.
package media
