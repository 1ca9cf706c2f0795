package conformance

// Chatcast is what chatcast claims to have, in the runs against itself: everything.
// No sign of one of these is a failure.
var Chatcast = AllFeatures()
