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
	var list []Occupancy
	others := e.presence.OtherChannels(app, prefix)
	here := make(map[key]struct{}, len(others)) // needed only when there are others
	var found []*channel                        // of one shard; reused
	for i := range e.hub.shards {
		found = e.hub.shards[i].matching(found[:0], app, prefix)
		for _, ch := range found {
			o := e.occupancy(ch)
			if o.Subscriptions == 0 {
				continue
			}
			list = append(list, o)
			if len(others) > 0 {
				here[ch.key] = struct{}{}
			}
		}
	}
	for _, o := range others {
		if _, ok := here[key{o.App, o.Name}]; !ok {
			list = append(list, o)
		}
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
	if ch := e.hub.find(key{app, channel}); ch != nil {
		if o := e.occupancy(ch); o.Subscriptions > 0 {
			return o.Subscriptions, o.Users, nil
		}
	}
	return e.presence.OthersIn(app, channel), len(e.presence.OtherMembers(app, channel)), nil
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

// occupancy counts a channel on all nodes. A channel that was closed meanwhile is
// empty.
func (e *Engine) occupancy(ch *channel) Occupancy {
	o := Occupancy{App: ch.key.app, Name: ch.key.name}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.closed {
		return o
	}
	o.Subscriptions = e.subscriptions(ch)
	if ch.roster != nil {
		o.Presence, o.Users = true, len(ch.roster.members)
	}
	return o
}
