package channels

import "strings"

// InternalPrefix begins the names of events that are only for adapters with words of their own, which
// make theirs of them. Who passes events on as they are leaves them out.
const InternalPrefix = "chatcast_internal:"

// IsInternal reports whether an event with this name is passed on to nobody as it is.
func IsInternal(event string) bool { return strings.HasPrefix(event, InternalPrefix) }
