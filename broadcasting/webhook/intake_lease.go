package webhook

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"chatcast/broadcasting"
)

// acquire takes over what receivers of the apps were told. Subjects that are here and
// were not announced are announced now, channels before their members. Subjects that
// were announced and are not here wait for begin.
func (in *intake) acquire(apps []string, announced []Subject, now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, app := range apps {
		delete(in.elsewhere, app)
	}
	for _, key := range announced {
		switch s := in.subjects[key.App][key]; {
		case !in.tracked(key):
			in.changed[key] = false
		case s != nil:
			s.announced = true
		default:
			in.keep(&subject{Subject: key, announced: true})
		}
	}
	var came []*subject
	for _, app := range apps {
		for _, s := range in.subjects[app] {
			if s.here && !s.announced && !s.owes {
				came = append(came, s)
			}
		}
	}
	slices.SortFunc(came, func(a, b *subject) int {
		if a.Member != b.Member {
			return map[bool]int{false: -1, true: 1}[a.Member]
		}
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.User, b.User))
	})
	for _, s := range came {
		in.settle(s, now)
	}
}

// cede leaves it to another process to report who comes and goes in the app. Subjects
// that are here are remembered, for the time when this process reports them again.
func (in *intake) cede(app string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.elsewhere[app] = true
	for _, s := range in.subjects[app] {
		if s.here {
			s.announced, s.due, s.owes = false, time.Time{}, false
		} else {
			in.drop(s)
		}
	}
	in.owed = slices.DeleteFunc(in.owed, func(s *subject) bool { return s.App == app })
	maps.DeleteFunc(in.changed, func(s Subject, _ bool) bool { return s.App == app })
	kept := in.events
	in.events, in.bytes = nil, 0
	for _, ev := range kept {
		if ev.App != app || !ofPresence(ev.Kind) {
			in.add(ev)
		}
	}
}

// follow notes that a subject came or went, in an app that another process reports.
func (in *intake) follow(key Subject, here bool) {
	s := in.subjects[key.App][key]
	switch {
	case here && s == nil:
		in.keep(&subject{Subject: key, here: true})
	case !here && s != nil:
		in.drop(s)
	}
}

// ofPresence reports whether events of the kind concern the whole cluster. Those are
// sent by the process that leases the app. All others are queued by the process that
// recorded them.
func ofPresence(kind broadcasting.Kind) bool {
	switch kind {
	case broadcasting.Occupied, broadcasting.Vacated, broadcasting.MemberAdded, broadcasting.MemberRemoved:
		return true
	}
	return false
}
