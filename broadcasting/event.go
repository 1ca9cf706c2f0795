package broadcasting

// Event is what is published: once, to one channel of one app.
type Event struct {
	App     string // the app's id
	Channel string // full name
	Name    string
	Data    string // as published: any string, usually JSON
	Object  bool   // Data is JSON that stands in the frame as it is, not as a string (client events)
	Except  string // the socket that must not get it; empty: none
	UserID  string // of a client event on a presence channel: its sender
	Seq     int64  // the journal's number; 0: not journalled
}
