package broadcasting

import "chatcast/channels"

// Event is an event that is published once, to one channel of one app.
type Event struct {
	App     string // the app's id
	Channel string // full name
	Name    string
	Data    string // as published: any string, usually JSON
	Object  bool   // Data is JSON that stands in the frame as it is, not as a string (client events)
	Except  string // the socket that must not get it; empty: none
	UserID  string // of a client event on a presence channel: its sender
	Seq     int64  // the journal's number; 0: not journalled

	// For measuring.
	Mark      *Mark // of a journalled event; nil: it is not measured
	Published int64 // when Engine.Publish was called, in unix microseconds; 0: not known
}

// Kept reports whether the event becomes the last one of its channel: it goes to a
// cache channel and is not a client event.
func (ev Event) Kept() bool {
	if ev.Object || !channels.HasCache(ev.Channel) {
		return false
	}
	_, err := channels.Parse(ev.Channel)
	return err == nil
}
