package conformance

// Chatcast is what chatcast claims in the runs against itself: every feature. A missing
// feature is a failure.
var Chatcast = AllFeatures()
