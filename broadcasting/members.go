package broadcasting

import "context"

// Members are the ids of the users in a presence channel now, each once, in the
// order in which they came; empty for other channels. It is a copy.
func (e *Engine) Members(_ context.Context, app, channel string) (userIDs []string, err error) {
	ch := e.hub.find(key{app, channel})
	if ch == nil {
		return nil, nil
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	members := ch.roster()
	userIDs = make([]string, len(members))
	for i, m := range members {
		userIDs[i] = m.ID
	}
	return userIDs, nil
}
