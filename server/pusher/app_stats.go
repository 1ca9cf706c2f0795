package pusher

import (
	"sync/atomic"
)

// limit is a limit of an app that refused something.
type limit uint8

// The limits that are counted.
const (
	limitSockets limit = iota
	limitMessages
	limitChannels
	limitAnonymousChannels
	limitClientEvents
	limitEventBytes
	limitMembers
	limitMemberBytes
	limitEvents
	limitReads
	countedLimits
)

// limitNames are the names of the settings.
var limitNames = [countedLimits]string{
	"sockets", "messages_per_second", "channels_per_socket", "anonymous_channel_bytes", "client_events_per_second",
	"event_bytes", "presence_members", "presence_user_bytes", "events_per_second", "reads_per_second",
}

// appCounters count for one app on this node, since the app was made or the process
// started. They are added to without a lock.
type appCounters struct {
	messages, clientEvents, published atomic.Uint64
	limited                           [countedLimits]atomic.Uint64
}

func (c *appCounters) hit(l limit) { c.limited[l].Add(1) }

// AppStats are the counters of an app on this node, since the app was made or the process
// started.
type AppStats struct {
	App          string
	Sockets      int64             // now
	Messages     uint64            // from sockets
	ClientEvents uint64            // accepted
	Published    uint64            // events accepted from backends; one to several channels counts once for each
	Limited      map[string]uint64 // what was refused or, for messages, delayed, by the limit's setting
}

// Stats returns the counters of all apps now.
func (s *Apps) Stats() []AppStats {
	table := s.table.Load()
	list := make([]AppStats, 0, len(table.byID))
	for id, t := range table.byID {
		c := &t.counters
		st := AppStats{
			App: id, Sockets: t.sockets.Load(), Messages: c.messages.Load(), ClientEvents: c.clientEvents.Load(),
			Published: c.published.Load(), Limited: make(map[string]uint64, countedLimits),
		}
		for l, name := range limitNames {
			st.Limited[name] = c.limited[l].Load()
		}
		list = append(list, st)
	}
	return list
}
