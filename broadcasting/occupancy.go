package broadcasting

import (
	"context"
	"strings"
)

// Occupancy is how many are in a channel now.
type Occupancy struct {
	App, Name     string
	Subscriptions int  // sockets
	Presence      bool // whether users are known
	Users         int  // different ones; of a presence channel
}

// Channels lists the channels of an app with subscribers on any node, those whose
// names begin with prefix, in no order. An empty app is every app. It fails when
// this node does not hear all others.
//
// It is no picture of one moment: each channel is counted under its own lock,
// held for the counting alone, so that no fan-out waits for the listing.
func (e *Engine) Channels(ctx context.Context, app, prefix string) ([]Occupancy, error) {
	if err := e.presence.Complete(ctx); err != nil {
		return nil, err
	}
	var list []Occupancy
	others := e.presence.OtherChannels(app, prefix)
	here := make(map[key]struct{}, len(others)) // of use only when there are others
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

// Count is how many sockets are subscribed to a channel now and, on a presence
// channel, how many different users that is. It fails when this node does not hear
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

// Members are the ids of the users in a presence channel now, each once, in the
// order in which they came as far as this node saw it; empty for other channels. It
// is a copy. It fails when this node does not hear all others.
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

// occupancy counts a channel on all nodes; one that died meanwhile has nobody.
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
