package webhook

import "time"

// set replaces the settings and forgets what nobody wants to be told any more.
func (in *intake) set(s settings) {
	in.mu.Lock()
	defer in.mu.Unlock()
	gone := in.settings.gone(s)
	in.settings = s
	in.forget(gone)
	for _, of := range in.subjects {
		for _, subject := range of {
			if gone[subject.App] || !in.tracked(subject.Subject) {
				if subject.announced {
					in.changed[subject.Subject] = false
				}
				in.drop(subject)
			}
		}
	}
}

// forget drops what happened to apps that are gone and is not taken yet: who has the
// id of one by then is another.
func (in *intake) forget(gone map[string]bool) {
	if len(gone) == 0 {
		return
	}
	kept := in.events
	in.events, in.bytes = nil, 0
	for _, h := range kept {
		if !gone[h.App] {
			in.add(h)
		}
	}
}

// restore takes what receivers were told before this start. None of it is here yet;
// what somebody wants to be told the end of waits for begin.
func (in *intake) restore(told []Subject) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, key := range told {
		if in.tracked(key) {
			in.keep(&subject{Subject: key, announced: true})
		} else {
			in.changed[key] = false
		}
	}
}

// begin has the ends of what was restored, and has not returned, told at due: those
// of members before those of their channels.
func (in *intake) begin(due time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, members := range []bool{true, false} {
		for _, of := range in.subjects {
			for _, s := range of {
				if s.Member == members && s.announced && !s.here && s.due.IsZero() {
					in.leave(s, due)
				}
			}
		}
	}
}
