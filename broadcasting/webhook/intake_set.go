package webhook

import (
	"maps"
	"time"
)

// set replaces the settings and forgets what no endpoint wants any more.
func (in *intake) set(s settings) {
	in.mu.Lock()
	defer in.mu.Unlock()
	gone := in.settings.gone(s)
	in.settings = s
	maps.DeleteFunc(in.elsewhere, func(app string, _ bool) bool { return len(s[app]) == 0 })
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

// forget drops events of removed apps that are not taken yet: an app that has such an
// id by then is another one.
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

// begin schedules, at due, the ends of subjects that were taken over and have not
// returned: members before their channels.
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
