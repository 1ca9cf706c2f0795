package broadcasting

import (
	"context"
	"strings"
)

// Occupancy is the number of sockets and users in a channel.
type Occupancy struct {
	App, Name     string
	Subscriptions int  // sockets
	Presence      bool // whether users are known
	Users         int  // different ones; of a presence channel
}

// Channels lists the channels of an app that have subscribers on any node and whose
// names begin with prefix, in no particular order. An empty app is every app. It fails
// when this node does not hear all others.
//
// The list is not a snapshot: each channel is counted under its own lock, which is held
// only for the counting, so that no fan-out waits for the listing.
func (e *Engine) Channels(ctx context.Context, app, prefix string) ([]Occupancy, error) {
	if err := e.presence.Complete(ctx); err != nil {
		return nil, err
	}
	others := map[key]Occupancy{}
	for _, o := range e.presence.OtherChannels(app, prefix) {
		others[key{o.App, o.Name}] = o
	}
	var list []Occupancy
	var found []*channel // of one shard; reused
	for i := range e.hub.shards {
		found = e.hub.shards[i].matching(found[:0], app, prefix)
		for _, ch := range found {
			if o := ch.occupancy(others[ch.key].Subscriptions); o.Subscriptions > 0 {
				list = append(list, o)
				delete(others, ch.key)
			}
		}
	}
	for _, o := range others {
		list = append(list, o)
	}
	return list, nil
}

// Count returns how many sockets are subscribed to a channel and, on a presence
// channel, how many different users they have. It fails when this node does not hear
// all others.
func (e *Engine) Count(ctx context.Context, app, channel string) (subscriptions, users int, err error) {
	if err := e.presence.Complete(ctx); err != nil {
		return 0, 0, err
	}
	others := e.presence.OthersIn(app, channel)
	if ch := e.hub.find(key{app, channel}); ch != nil {
		if o := ch.occupancy(others); o.Subscriptions > 0 {
			return o.Subscriptions, o.Users, nil
		}
	}
	return others, len(e.presence.OtherMembers(app, channel)), nil
}

// Members returns the ids of the users in a presence channel, each once, in the order
// in which they came as far as this node saw it. The list is empty for other channels.
// It is a copy. Members fails when this node does not hear all others.
func (e *Engine) Members(ctx context.Context, app, channel string) (userIDs []string, err error) {
	if err := e.presence.Complete(ctx); err != nil {
		return nil, err
	}
	members := e.presence.OtherMembers(app, channel)
	if ch := e.hub.find(key{app, channel}); ch != nil {
		ch.mu.Lock()
		defer ch.mu.Unlock()
		if !ch.closed {
			members = ch.members()
		}
	}
	userIDs = make([]string, len(members))
	for i, m := range members {
		userIDs[i] = m.ID
	}
	return userIDs, nil
}

// matching appends the shard's channels of the app whose names begin with prefix.
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

// occupancy counts a channel that has others sockets on other nodes. A channel that was
// closed meanwhile is empty.
func (ch *channel) occupancy(others int) Occupancy {
	o := Occupancy{App: ch.key.app, Name: ch.key.name}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.closed {
		return o
	}
	o.Subscriptions = ch.subscribers() + others
	if ch.roster != nil {
		o.Presence, o.Users = true, len(ch.roster.members)
	}
	return o
}
