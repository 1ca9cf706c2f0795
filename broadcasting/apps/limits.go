package apps

import (
	"fmt"
	"slices"
	"strings"
)

// Limits are the amounts that an app may use. A new limit is a field here and a row of
// the table below. The configuration file, the CRM's API, the check and the
// documentation use the table.
type Limits struct {
	Sockets               int `json:"sockets"`
	ChannelsPerSocket     int `json:"channels_per_socket"`
	AnonymousChannelBytes int `json:"anonymous_channel_bytes"`
	ClientEventsPerSecond int `json:"client_events_per_second"`
	EventBytes            int `json:"event_bytes"`
	ChannelsPerEvent      int `json:"channels_per_event"`
	PresenceMembers       int `json:"presence_members"`
	PresenceUserBytes     int `json:"presence_user_bytes"`
	EventsPerBatch        int `json:"events_per_batch"`
	EventsPerSecond       int `json:"events_per_second"`
	ReadsPerSecond        int `json:"reads_per_second"`
	HistoryBytes          int `json:"history_bytes"`
}

// Limit describes one of the limits.
//
// An app's own limit is from 0 to Max, where 0 stands for the common limit of all apps.
// The common limit is from Min to Max; where Min is 0, a 0 is no limit.
type Limit struct {
	Name     string // among an app's limits: in the file, the API and the database
	Common   string // among the common limits in the configuration file
	Default  int    // of the common limit
	Min, Max int
	Unit     string // what the number counts
	Sentence string // what is limited
	// Field returns the limit's field of l.
	Field func(l *Limits) *int
}

const most = 1 << 30 // no limit needs more, and it fits everywhere

// table lists the limits in display order.
var table = []Limit{
	{"sockets", "sockets_per_app", 0, 0, most, "sockets",
		"Sockets of the whole app that are open at once.",
		func(l *Limits) *int { return &l.Sockets }},
	{"channels_per_socket", "channels_per_socket", 1000, 1, most, "channels",
		"Channels that one socket may be subscribed to.",
		func(l *Limits) *int { return &l.ChannelsPerSocket }},
	{"anonymous_channel_bytes", "anonymous_channel_bytes", 32 << 10, 0, most, "bytes",
		"Length of the names of the channels, together, that one socket may be subscribed to before it signs in or joins a private or presence channel.",
		func(l *Limits) *int { return &l.AnonymousChannelBytes }},
	{"client_events_per_second", "client_events_per_second", 10, 1, most, "events per second",
		"Client events that one socket may send in a second.",
		func(l *Limits) *int { return &l.ClientEventsPerSecond }},
	{"event_bytes", "event_bytes", 10_000, 1, 1 << 24, "bytes",
		"Size of the data of one event.",
		func(l *Limits) *int { return &l.EventBytes }},
	{"channels_per_event", "channels_per_event", 100, 1, 10_000, "channels",
		"Channels that one publish may name.",
		func(l *Limits) *int { return &l.ChannelsPerEvent }},
	{"presence_members", "presence_members", 100, 1, most, "members",
		"Members of one presence channel.",
		func(l *Limits) *int { return &l.PresenceMembers }},
	{"presence_user_bytes", "presence_user_bytes", 1024, 16, 1 << 20, "bytes",
		"Size of the user_id and user_info of one member.",
		func(l *Limits) *int { return &l.PresenceUserBytes }},
	{"events_per_batch", "events_per_batch", 10, 1, 1000, "events",
		"Events that one request of the HTTP API may publish.",
		func(l *Limits) *int { return &l.EventsPerBatch }},
	{"events_per_second", "events_per_second", 0, 0, most, "events per second",
		"Events that a backend may publish over the HTTP API in a second; more are answered with 429. An event counts once, however many channels it names.",
		func(l *Limits) *int { return &l.EventsPerSecond }},
	{"reads_per_second", "reads_per_second", 0, 0, most, "requests per second",
		"Requests for channels and users that a backend may send to the HTTP API in a second; more are answered with 429.",
		func(l *Limits) *int { return &l.ReadsPerSecond }},
	{"history_bytes", "history_bytes_per_app", 100 << 20, 1 << 20, most, "bytes",
		"Size of the events of one app that are kept in its history; when there are more, the oldest ones are removed.",
		func(l *Limits) *int { return &l.HistoryBytes }},
}

// Table returns all limits in display order. The caller may change the list.
func Table() []Limit { return slices.Clone(table) }

// DefaultLimits returns the default common limits of all apps.
func DefaultLimits() (l Limits) {
	for _, limit := range table {
		*limit.Field(&l) = limit.Default
	}
	return l
}

// Or returns l with every 0 replaced by the limit of common.
func (l Limits) Or(common Limits) Limits {
	for _, limit := range table {
		if own := limit.Field(&l); *own == 0 {
			*own = *limit.Field(&common)
		}
	}
	return l
}

// Set sets the app's own limit of that name. It returns an error for an unknown name.
// Check checks the value.
func (l *Limits) Set(name string, value int) error {
	var names []string
	for _, limit := range table {
		if limit.Name == name {
			*limit.Field(l) = value
			return nil
		}
		names = append(names, limit.Name)
	}
	slices.Sort(names)
	return fmt.Errorf("is no limit; there are %s", strings.Join(names, ", "))
}

// check checks an app's own limits against their ranges.
func (l Limits) check(c *checker) {
	for _, limit := range table {
		if v := *limit.Field(&l); v < 0 || v > limit.Max {
			c.add("limits."+limit.Name, "must be a whole number from 0, which is the server's limit, to %d", limit.Max)
		}
	}
}

// CheckCommon checks common limits of all apps against their ranges. The fields of the
// violations are the names under limits in the configuration file.
func (l Limits) CheckCommon() Violations {
	c := &checker{}
	for _, limit := range table {
		if v := *limit.Field(&l); v < limit.Min || v > limit.Max {
			c.add(limit.Common, "must be from %d to %d, not %d", limit.Min, limit.Max, v)
		}
	}
	return c.found
}
