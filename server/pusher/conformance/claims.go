package conformance

// Chatcast is what chatcast claims to have, in the runs against itself: no sign of
// one of these is a failure. A feature that is missing here is reported as
// unsupported.
var Chatcast = []Feature{
	Core,
	Encrypted,
	ClientEvents,
	Info,
}
