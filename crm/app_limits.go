package crm

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// AppLimits are the limits of one Pusher app, named as in the configuration file
// and everywhere else. Zero is the server's own limit. A new one is a field here
// and a row of all.
type AppLimits struct {
	Sockets               int `json:"sockets"` // of the whole app
	ChannelsPerSocket     int `json:"channels_per_socket"`
	ClientEventsPerSecond int `json:"client_events_per_second"` // of one socket
	EventBytes            int `json:"event_bytes"`              // of an event's data
	ChannelsPerEvent      int `json:"channels_per_event"`       // that one publish may name
	PresenceMembers       int `json:"presence_members"`         // of one channel
	PresenceUserBytes     int `json:"presence_user_bytes"`      // of a member's user_id and user_info
	EventsPerBatch        int `json:"events_per_batch"`         // of one request
	EventsPerSecond       int `json:"events_per_second"`        // that the app publishes over HTTP
	ReadsPerSecond        int `json:"reads_per_second"`         // that the app asks over HTTP
}

// appLimit is one limit with its name and what it may be at most.
type appLimit struct {
	name  string
	value *int
	most  int
}

const mostOfALimit = 1 << 30

func (l *AppLimits) all() []appLimit {
	return []appLimit{
		{"sockets", &l.Sockets, mostOfALimit},
		{"channels_per_socket", &l.ChannelsPerSocket, mostOfALimit},
		{"client_events_per_second", &l.ClientEventsPerSecond, mostOfALimit},
		{"event_bytes", &l.EventBytes, 1 << 24},
		{"channels_per_event", &l.ChannelsPerEvent, 10_000},
		{"presence_members", &l.PresenceMembers, mostOfALimit},
		{"presence_user_bytes", &l.PresenceUserBytes, 1 << 20},
		{"events_per_batch", &l.EventsPerBatch, 1000},
		{"events_per_second", &l.EventsPerSecond, mostOfALimit},
		{"reads_per_second", &l.ReadsPerSecond, mostOfALimit},
	}
}

// LimitChanges are limits to set, by name; those that are not in it stay as they
// are.
type LimitChanges map[string]json.RawMessage

// set takes the changes over, all or none.
func (l *AppLimits) set(changes LimitChanges) error {
	changed, known := *l, map[string]appLimit{}
	for _, limit := range changed.all() {
		known[limit.name] = limit
	}
	var violations []error
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		field := "limits." + shortName(name)
		limit, ok := known[name]
		if !ok {
			names := strings.Join(slices.Sorted(maps.Keys(known)), ", ")
			violations = append(violations, Invalid(field, "is no limit; there are %s", names))
			continue
		}
		value := -1
		if err := json.Unmarshal(changes[name], &value); err != nil || value < 0 || value > limit.most {
			violations = append(violations, Invalid(field, "must be a whole number from 0, which is the server's limit, to %d", limit.most))
			continue
		}
		*limit.value = value
	}
	if err := allViolations(violations...); err != nil {
		return err
	}
	*l = changed
	return nil
}

// shortName keeps what a client sent short enough to be repeated to it.
func shortName(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%.*s...", most, s)
}
