package broadcasting

// sharedApp is the id of no app: what nodes share is reported as the sign-ins of it.
const sharedApp = ""

// Share tells the other nodes whether this one has something, by a key of the caller. It
// does not block, and what a node shares ends with it.
func (e *Engine) Share(key string, has bool) {
	n := 0
	if has {
		n = 1
	}
	e.presence.SignedIn(sharedApp, key, n)
}

// Shared reports whether another node has something.
func (e *Engine) Shared(key string) bool { return e.presence.OthersSignedIn(sharedApp, key) }

// OnShared sets the function that is called when the first of the other nodes has
// something, and when the last one no longer has it. It must be called before Run.
func (e *Engine) OnShared(f func(key string, has bool)) { e.shared = f }
