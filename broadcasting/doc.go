// Package broadcasting is the engine: an event goes in, frames come out.
package broadcasting
