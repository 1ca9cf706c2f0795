package broadcasting

import "strings"

// Occupancy is how many are in a channel on this node now.
type Occupancy struct {
	App, Name     string
	Subscriptions int  // sockets
	Presence      bool // whether users are known
	Users         int  // different ones; of a presence channel
}

// Channels lists the channels of an app with subscribers on this node, those
// whose names begin with prefix, in no order. An empty app is every app.
//
// It is no picture of one moment: each channel is counted under its own lock,
// held for the counting alone, so that no fan-out waits for the listing.
func (e *Engine) Channels(app, prefix string) []Occupancy {
	var list []Occupancy
	var found []*channel // of one shard; reused
	for i := range e.hub.shards {
		found = e.hub.shards[i].matching(found[:0], app, prefix)
		for _, ch := range found {
			if o := ch.occupancy(); o.Subscriptions > 0 {
				list = append(list, o)
			}
		}
	}
	return list
}

// matching appends the shard's channels of the app that begin with prefix.
func (s *shard) matching(found []*channel, app, prefix string) []*channel {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for k, ch := range s.channels {
		if (app == "" || k.app == app) && strings.HasPrefix(k.name, prefix) {
			found = append(found, ch)
		}
	}
	return found
}

// occupancy counts a channel; one that died meanwhile has nobody.
func (ch *channel) occupancy() Occupancy {
	o := Occupancy{App: ch.key.app, Name: ch.key.name}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	o.Subscriptions = ch.subscribers()
	if ch.presence != nil {
		o.Presence, o.Users = true, len(ch.presence.members)
	}
	return o
}
